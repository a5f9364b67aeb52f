"""Gets from Debian by apt: an emulator to install, kernels and the older tools to unpack."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from slabtui.errors import SlabtuiError
from tests.tools.kernels import choice
from tests.tools.kernels.choice import Kernel

NEEDED = ("qemu-system-x86", "busybox-static", "kmod", "cpio")

_SUITES = ("bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "sid")
_SECURITY_SUITES = ("bullseye-security", "bookworm-security", "trixie-security")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DAY = 86_400.0  # seconds that a list of kernels is kept
_PART = re.compile(r"linux-(image|binary|modules|base|headers|kbuild)-\d")  # a package that a kernel consists of
_ONLY_DEPENDS = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]


def install(packages: Sequence[str]) -> None:
    """Install those of the packages that this machine does not have.

    Raises:
        SlabtuiError: apt failed.
    """
    missing = [package for package in packages if not _installed(package)]
    if missing:
        _with_lists("apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing)


def unpacked(package: str, into: Path) -> Path:
    """Unpack a package once, without installing it; return its directory, in which `version` is its version.

    Raises:
        SlabtuiError: apt failed.
    """
    place = into / package
    if not place.exists():
        with _staged(place) as (debs, root):
            _with_lists("apt-get", "download", "-qq", "-oAPT::Sandbox::User=root", package, cwd=debs)
            (deb,) = debs.glob("*.deb")
            run("dpkg", "-x", deb, root)
            (root / "version").write_text(run("dpkg-deb", "-f", deb, "Version"))
    return place


class Archive:
    """All Debian suites that have kernels, with separate apt sources and lists; those of this machine do not change.

    Args:
        state: a directory to keep lists and kernels in.
    """

    def __init__(self, state: Path) -> None:
        self._apt = state / "apt"
        self._kernels = state / "k"
        self._index = self._apt / "index"
        for directory in ("lists/partial", "cache/archives/partial"):
            (self._apt / directory).mkdir(parents=True, exist_ok=True)
        self._kernels.mkdir(exist_ok=True)

    def kernels(self) -> list[Kernel]:
        """Return the kernels that are available today.

        Raises:
            SlabtuiError: apt failed.
        """
        if not self._index.exists() or time.time() - self._index.stat().st_mtime > _DAY:
            (self._apt / "sources.list").write_text(_sources())
            self._run("apt-get", "update", "-qq")
            names = set(self._run("apt-cache", "pkgnames", "linux-").split())
            images = sorted(name for name in names if name.startswith("linux-image-"))
            stanzas = self._run("apt-cache", "show", "--no-all-versions", *images)
            new = self._index.with_suffix(".new")
            new.write_text(choice.written(choice.published(names, stanzas)))
            new.rename(self._index)
        return choice.parse(self._index.read_text())

    def kernel(self, kernel: Kernel) -> Path:
        """Download and unpack a kernel, its modules and its headers, unless they have been; return where.

        There, `vmlinuz` is the kernel, `release` its name, and `root` the files laid over those of the machine.

        Raises:
            SlabtuiError: apt failed.
        """
        place = self._kernels / kernel.release
        if (place / "ready").exists():
            return place
        shutil.rmtree(place, ignore_errors=True)
        with _staged(place) as (debs, staged):
            root = staged / "root"
            self._run("apt-get", "download", "-qq", *self._parts(kernel), cwd=debs)
            for deb in debs.glob("*.deb"):
                run("dpkg", "-x", deb, root)
            _merge_lib(root)
            (modules,) = (root / "usr/lib/modules").iterdir()
            images = (root / "boot" / f"vmlinuz-{modules.name}", modules / "vmlinuz")
            shutil.copy(next(image for image in images if image.exists()), staged / "vmlinuz")
            run("depmod", "-b", root, modules.name)
            (staged / "release").write_text(f"{modules.name}\n")
            (staged / "ready").touch()
        return place

    def _parts(self, kernel: Kernel) -> list[str]:
        wanted = [f"linux-image-{kernel.release}", *[f"linux-headers-{kernel.release}"] * kernel.headers]
        listed = self._run("apt-cache", "depends", "--recurse", *_ONLY_DEPENDS, *wanted).splitlines()
        return sorted({name for name in listed if _PART.match(name) and not name.endswith(("-unsigned", "-dbg"))})

    def _run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        options = {
            "Dir::Etc::sourcelist": self._apt / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": self._apt / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self._apt / "cache",
            "APT::Sandbox::User": "root",
        }
        return run(program, *(f"-o{name}={value}" for name, value in options.items()), *arguments, cwd=cwd)


def _sources() -> str:
    """Return a list of sources: every suite, from the sites that this machine's apt uses."""
    main, security = (site(label) for label in ("Debian", "Debian-Security"))
    if main is None:
        raise SlabtuiError("apt knows no Debian archive", "run it on Debian, after apt-get update")
    lines = [(main, suite) for suite in _SUITES] + [(security, suite) for suite in _SECURITY_SUITES if security]
    return "".join(f"deb [arch=amd64 signed-by={_KEYRING}] {where} {suite} main\n" for where, suite in lines)


def site(label: str) -> str | None:
    """Return where this machine's apt gets the archive with this label from; None: it does not know one."""
    lines = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Label: {label}")
    return next(iter(lines.split()), None)


def _installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


@contextlib.contextmanager
def _staged(place: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a directory for packages and one for their contents; the second becomes `place` on success."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as new:
        debs, root = Path(new, "debs"), Path(new, "root")
        debs.mkdir()
        root.mkdir()
        yield debs, root
        root.rename(place)


def _merge_lib(root: Path) -> None:
    """Make /lib a link to /usr/lib, as on this machine; a directory from an older package would hide it."""
    merged, lib = root / "usr" / "lib", root / "lib"
    if lib.exists():
        shutil.copytree(lib, merged, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(lib)
    lib.symlink_to("usr/lib")


def _with_lists(*command: str, cwd: Path | None = None) -> None:
    """Run an apt command; if it fails the lists may be missing or too old, so fetch them and try once more."""
    try:
        run(*command, cwd=cwd)
    except SlabtuiError:
        run("apt-get", "update", "-qq")
        run(*command, cwd=cwd)


def run(*command: str | Path, cwd: Path | None = None, remedy: str = "check the network and the machine's apt") -> str:
    """Run a command and return what it prints.

    Args:
        command: the program and its arguments.
        cwd: where it runs.
        remedy: what the user can do if it fails.

    Raises:
        SlabtuiError: it failed; the line has its last words.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = next(iter(reversed(done.stderr.strip().splitlines())), f"exit status {done.returncode}")
        raise SlabtuiError(f"{command[0]} failed ({words})", remedy)
    return done.stdout
