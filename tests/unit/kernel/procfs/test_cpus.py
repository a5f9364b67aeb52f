"""The number of possible CPUs, from lists of every form and from invalid ones."""

import os
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.procfs.cpus import POSSIBLE, possible_cpus


def test_this_machine_has_at_least_the_cpus_that_are_online() -> None:
    assert possible_cpus() >= (os.cpu_count() or 1)
    assert possible_cpus() >= len([path for path in POSSIBLE.parent.glob("cpu[0-9]*") if path.is_dir()])


@pytest.mark.parametrize(
    ("listed", "count"),
    [("0\n", 1), ("0-1\n", 2), ("0-127\n", 128), ("0,2-3\n", 3), ("0-3,8-11,16\n", 9), ("0-8191", 8192)],
)
def test_a_list_of_ranges_is_counted(tmp_path: Path, listed: str, count: int) -> None:
    path = tmp_path / "possible"
    path.write_text(listed)
    assert possible_cpus(path) == count


@pytest.mark.parametrize(
    "listed", ["", "\n", "x", "0-", "-1", "3-1", "0-3,2", "0,0", "0-9999999999", "0;1", "0-3-5", "\0"]
)
def test_what_is_no_list_is_refused(tmp_path: Path, listed: str) -> None:
    path = tmp_path / "possible"
    path.write_text(listed)
    assert refusal(path) == f"cannot read {path} (not a list of CPUs): umount {tmp_path}, or mount -t sysfs sysfs /sys"


def test_a_list_that_is_not_there_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert refusal(tmp_path / "possible").startswith(f"cannot read {tmp_path}/possible (No such file or directory): ")


def test_a_list_of_other_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "possible"
    path.write_bytes(b"\xff\xfe")
    assert "(not a list of CPUs)" in refusal(path)


def refusal(path: Path) -> str:
    with pytest.raises(SlabtuiError) as caught:
        possible_cpus(path)
    assert caught.value.status == Status.FAILED
    return str(caught.value)
