"""Files of /proc that are kept open, and read as they are each time; and files that are replaced at once."""

import os
from pathlib import Path

import pytest

from slabtui.system.files import Repeated, replace


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


def test_a_replaced_file_keeps_its_content_for_who_has_it_open_and_has_the_mode_that_was_asked_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    before = os.umask(0o077)
    try:
        replace(path, b"old", 0o644)
        (tmp_path / ".file.new").write_bytes(b"left over")
        with path.open("rb") as file:
            replace(path, b"new", 0o644)
            assert file.read() == b"old"
    finally:
        os.umask(before)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link, beside = (tmp_path / name for name in ("target", "link", ".link.new"))
    target.write_bytes(b"kept")
    for one in (link, beside):
        one.symlink_to(target)
    replace(link, b"new", 0o600)
    assert (target.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"kept", b"new", False)


def test_a_file_that_cannot_be_replaced_stays_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        replace(path, b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]
