"""Files of /proc that are kept open, and read as they are each time."""

import os
from pathlib import Path

import pytest

from slabtui.system.files import Repeated


def test_a_file_is_read_whole_and_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    file = Repeated(path)
    assert file.read() == b"x" * 100_000
    path.write_bytes(b"other")
    assert file.read() == b"other"
    file.close()


def test_a_file_of_the_kernel_is_read_as_by_opening_it() -> None:
    file = Repeated(Path("/proc/version"))
    assert [file.read(), file.read()] == [Path("/proc/version").read_bytes()] * 2
    file.close()


def test_it_is_opened_once_and_closed_for_good(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = Repeated(path)
    with pytest.raises(FileNotFoundError):
        file.read()
    path.write_bytes(b"there")
    assert file.read() == b"there"
    path.unlink()
    assert file.read() == b"there"
    descriptor = file.open()
    file.close()
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.read()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
