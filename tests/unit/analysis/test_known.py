"""What is known of caches by their names agrees with the kernel that runs."""

from pathlib import Path

import pytest

from slabtui.analysis import known

SLABS = Path("/sys/kernel/slab")


def test_the_flag_by_name_is_that_of_the_running_kernel() -> None:
    flags = {}
    for path in SLABS.glob("[!:]*") if SLABS.is_dir() else ():
        try:
            flags[path.name] = (path / "reclaim_account").read_text() == "1\n"
        except OSError:
            continue  # destroyed meanwhile, or not for this user
    by_name = {name for name in flags if known.is_reclaimable(name)}
    if not by_name:
        pytest.skip("no /sys/kernel/slab")
    assert {name for name in by_name if not flags[name]} == set()
    assert "filp" in flags
    assert known.is_reclaimable("filp") is None


def test_a_meaning_is_found_by_an_alias_too() -> None:
    assert known.meaning(("TCP",)) == ""
    assert known.meaning(("uid_cache", "tw_sock_TCP")) == "sockets in TIME_WAIT, which end after 60 s"
    assert known.lifetime(("uid_cache", "tw_sock_TCP")) == 60
