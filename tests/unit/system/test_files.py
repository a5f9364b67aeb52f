"""Files of /proc that are kept open, and read as they are each time; files that are replaced as a whole."""

import fcntl
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from slabtui.system.files import Repeated, advise, demand_replaceable, lock, replace


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
        (tmp_path / ".file.part").write_bytes(b"left over")
        with path.open("rb") as file:
            replace(path, b"new", 0o644)
            assert file.read() == b"old"
    finally:
        os.umask(before)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_as_a_whole_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as reader:
        demand_replaceable(path)
        replace(path, b"new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace(path, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [demand_replaceable, lambda path: replace(path, b"")])
def test_a_link_a_directory_and_a_device_are_not_replaced(tmp_path: Path, write: Callable[[Path], None]) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    link.symlink_to(file)
    for path in (link, tmp_path, Path("/dev/null")):
        with pytest.raises(FileExistsError, match="no regular file") as caught:
            write(path)
        assert advise(caught.value) == "name a new file"
    assert file.read_text() == "old"
    with pytest.raises(FileNotFoundError) as missing:
        write(tmp_path / "none" / "file")
    assert "mkdir -p" in advise(missing.value)


def test_a_lock_of_a_file_that_was_removed_meanwhile_is_taken_on_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flock, taken = tmp_path / "lock", fcntl.flock, []

    def remove_before(descriptor: int, operation: int) -> None:
        """Do what the process that had it does between the opening and the locking here."""
        if len(taken) < 2:
            path.unlink()
        if len(taken) == 1:
            path.touch()
        taken.append(descriptor)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_before)
    descriptor = lock(path)
    assert len(taken) == 3
    assert os.path.samestat(os.fstat(descriptor), path.stat())
    with pytest.raises(BlockingIOError):
        lock(path)
    os.close(descriptor)
    os.close(lock(path))
