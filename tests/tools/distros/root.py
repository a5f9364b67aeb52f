"""Root file systems: made once by debootstrap and cached; an overlay takes what a run writes."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from slabtui.errors import SlabtuiError
from tests.tools.distros import host
from tests.tools.distros.suites import Suite
from tests.tools.kernels import debian

NEEDED = ("debootstrap",)
USER = "newcomer"
HOME = Path("/home", USER)

_INCLUDED = ("make", "sudo", "git", "ca-certificates")
_CLONE_NEWNS = 0x00020000  # sched.h; Python has os.unshare from 3.12 on
_WEEK = 7 * 86_400.0  # seconds that a cached root is used
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PATIENCE = 10.0  # seconds for killed processes to be gone


def leave_mounts() -> None:
    """Enter a new mount namespace, so that no mount outlives this process.

    Raises:
        SlabtuiError: this process may not.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise SlabtuiError(
            f"cannot create a mount namespace ({os.strerror(ctypes.get_errno())})",
            "run it as root: sudo make test-distros",
        )
    _mount("--make-rprivate", "/")


def base(suite: Suite, state: Path) -> Path:
    """Return the cached root of a release, which debootstrap makes if it is missing or older than a week.

    Raises:
        SlabtuiError: debootstrap failed, or apt knows no Debian archive.
    """
    place = state / "roots" / suite.name
    if place.exists() and time.time() - place.stat().st_mtime < _WEEK:
        return place
    archive = debian.site("Debian")
    if archive is None:
        raise SlabtuiError("apt knows no Debian archive", "run it on Debian, after apt-get update")
    new = place.with_name(f"{suite.name}.new")
    for old in (place, new):
        shutil.rmtree(old, ignore_errors=True)
    new.parent.mkdir(parents=True, exist_ok=True)
    options = ("--variant=minbase", f"--include={','.join(_INCLUDED)}")
    debian.run("debootstrap", *options, suite.codename, new, archive)
    (new / "etc/sudoers.d/newcomer").write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    debian.run("chroot", new, "useradd", "--create-home", "--shell", "/bin/bash", USER)
    (new / HOME.relative_to("/")).chmod(0o700)
    os.utime(new)  # debootstrap gives it the date of a package
    new.rename(place)
    return place


class Root:
    """A root file system in use. A context manager: at the end its processes are killed and its mounts are removed.

    This program must have its own mount namespace, so that no mount outlives it.

    Args:
        layers: the lower layers, the uppermost first; they are not changed.
        place: a directory that does not exist yet, for the mount point and for what is written.
    """

    def __init__(self, layers: Sequence[Path], place: Path) -> None:
        self._layers = layers
        self._work = place / "work"
        self.written = place / "written"
        self.path = place / "root"

    def __enter__(self) -> "Root":
        for own in (self._work, self.written, self.path):
            own.mkdir(parents=True)
        below = ":".join(map(str, self._layers))
        options = f"lowerdir={below},upperdir={self.written},workdir={self._work}"
        try:
            _mount("-t", "overlay", "-o", options, "overlay", self.path)
            _mount("-t", "proc", "proc", self.path / "proc")
            _mount("-t", "tmpfs", "tmpfs", self.path / "run")
            for directory in ("sys", "dev"):
                _mount("--rbind", Path("/", directory), self.path / directory)
        except BaseException:
            self._unmount()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._kill()
        self._unmount()

    def configure(self) -> None:
        """Give it this machine's settings for package archives."""
        host.configure(self.path)
        debian.run(*self.command("update-ca-certificates"))

    def file(self, path: str | Path) -> Path:
        """Return the path of a file of the root on this machine."""
        return self.path / Path(path).relative_to("/")

    def command(
        self,
        *arguments: str,
        user: str = "root",
        directory: Path = Path("/"),
        network: bool = True,
    ) -> list[str]:
        """Return the command that runs another one in the root, with a plain environment.

        Args:
            arguments: the program and its arguments.
            user: who runs it; `newcomer` has a home directory, `nobody` has none.
            directory: where it runs.
            network: whether it sees any network.
        """
        home = {"root": "/root", USER: str(HOME)}.get(user, "/")
        plain = (f"HOME={home}", f"PATH={_PATH}", "TERM=xterm-256color", "LANG=C.UTF-8")
        apart = () if network else ("unshare", "--net")
        chroot = ("chroot", f"--userspec={user}:", str(self.path))
        return [*apart, *chroot, "env", "-i", "-C", str(directory), *plain, *arguments]

    def _unmount(self) -> None:
        subprocess.run(["umount", "--recursive", "--lazy", self.path], capture_output=True, check=False)

    def _kill(self) -> None:
        """Kill what still runs in the root, and wait until it is gone."""
        end = time.monotonic() + _PATIENCE
        while (left := list(self._processes())) and time.monotonic() < end:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def _processes(self) -> Iterator[int]:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                at = (entry / "root").readlink()
            except OSError:  # it has ended, or is a kernel thread
                continue
            if at.is_relative_to(self.path):
                yield int(entry.name)


def _mount(*arguments: str | Path) -> None:
    debian.run("mount", *arguments, remedy="run it where root may mount an overlay on the file system of the cache")
