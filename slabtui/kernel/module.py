"""One BPF module, compiled through bcc, its programs loaded and attached; each failure is one line for the user."""

import ctypes
import errno
import os
import re
import resource
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from slabtui.diversion import diverted
from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.maps import Maps
from slabtui.kernel.settings import Settings

_HERE = Path(__file__).parent
HEADERS = _HERE / "headers"

_KERNEL_SOURCE = "BCC_KERNEL_SOURCE"
_INSTALL = {  # package manager -> the command that installs bcc for the distribution's Python
    "apt-get": "apt-get install python3-bpfcc",
    "dnf": "dnf install python3-bcc",
    "pacman": "pacman -S python-bcc",
    "zypper": "zypper install python3-bcc",
}
_OLDEST = (0, 26)  # version of bcc
_ROOM = 1 << 30  # bytes of address space: half of that is used, and the compiler in bcc aborts where it gets no more
_LIMITS = {resource.RLIMIT_AS: "ulimit -v", resource.RLIMIT_DATA: "ulimit -d"}
_MENDS = {  # what the kernel says when it refuses -> what to do
    errno.EPERM: "run it as root, outside of a container; see cat /sys/kernel/security/lockdown",
    errno.ENOMEM: "free some memory, or raise `ulimit -l` or the limit of the control group",
    errno.EMFILE: "raise the limit, as in ulimit -n 1024",
}


def import_bcc() -> ModuleType:
    """Import bcc, which comes from the distribution, for the distribution's own Python.

    Raises:
        SlabtuiError: this Python has no bcc, one that does not work, or one that is too old; or too little memory is
            allowed for the compiler in it.
    """
    for limit, command in _LIMITS.items():
        allowed, _ = resource.getrlimit(limit)
        if allowed != resource.RLIM_INFINITY and allowed < _ROOM:
            raise SlabtuiError(
                f"{allowed >> 20} MiB of memory are too little to compile in", f"{command} {_ROOM >> 10}, or more"
            )
    manager = next((name for name in _INSTALL if shutil.which(name)), "apt-get")
    install = f"{_INSTALL[manager]}, then make setup"
    try:
        import bcc  # here, not above: only the kernel source needs it, and a clear message when it is missing
    except Exception as error:  # it loads a library and looks for its functions: any of that may fail
        raise SlabtuiError(f"bcc does not load in this Python ({error})", install) from error
    module: ModuleType = bcc
    number = version(module)
    if number and number < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise SlabtuiError(f"bcc {module.__version__} is too old: slabtui needs {needed}", install)
    if not hasattr(module, "BPF"):
        raise SlabtuiError(f"{module.__file__} is another bcc than that of the kernel", f"remove it; {install}")
    return module


def version(bcc: ModuleType) -> tuple[int, int] | None:
    """Return the version of bcc; None for a build from its repository, whose version may be any text."""
    number = re.match(r"(\d+)\.(\d+)", str(getattr(bcc, "__version__", "")))
    return (int(number[1]), int(number[2])) if number else None


def mend(why: str, otherwise: str) -> str:
    """Return what to do about a refusal of the kernel, by its words; `otherwise` where these tell nothing."""
    return next((mend for code, mend in _MENDS.items() if os.strerror(code) in why), otherwise)


@dataclass(frozen=True, slots=True)
class Kit:
    """What every module is made with.

    Attributes:
        bcc: the module of that name.
        macros: options that define what common.bpf.h asks for.
        cgroup: descriptor of the control group whose events alone count; None: there is none.
        nests: whether a program may interrupt itself, see Layout.
        node_events: whether allocations for a NUMA node have tracepoints of their own.
    """

    bcc: ModuleType
    macros: Sequence[str]
    cgroup: int | None = None
    nests: bool = False
    node_events: bool = False

    def tracepoints(self, name: str) -> tuple[str, ...]:
        """Return the raw tracepoints that a kind of allocation passes."""
        return (name, f"{name}_node") if self.node_events else (name,)

    def misses(self, descriptors: Collection[int]) -> int | None:
        """Return how many runs of these programs the kernel skipped; None where it does not tell."""
        if self.nests:
            return 0
        each = [statistics(descriptor).get("recursion_misses") for descriptor in set(descriptors)]
        return None if None in each else sum(filter(None, each))


class Module:
    """BPF C programs and their maps: compiled at once, loaded into the kernel one by one, when they attach.

    Except those that are named after a kernel function (fentry, fexit): bcc loads and attaches these right away.
    Compiled against the stand-in headers, or against real ones if BCC_KERNEL_SOURCE names them.

    Args:
        kit: what every module is made with.
        files: its source files, in this directory; put one behind the other, since bcc rewrites one file only.
        macros: further options, that define what these files ask for.

    Attributes:
        bpf: the bcc.BPF.
        maps: its maps.

    Raises:
        SlabtuiError: bcc failed; the line has the compiler's first error in it. Or it is no control group.
    """

    def __init__(self, kit: Kit, files: Sequence[str], macros: Sequence[str] = ()) -> None:
        self._raw_tracepoint = kit.bcc.BPF.RAW_TRACEPOINT
        self._attached: dict[str, str] = {}  # tracepoint -> program
        source = b"\n".join((_HERE / file).read_bytes() for file in files)
        with diverted() as log, _kernel_source():
            try:
                self.bpf = kit.bcc.BPF(text=source, cflags=[*kit.macros, *macros, "-Wno-unused-function"])
            except Exception as error:  # bcc raises nothing more specific
                why = _printed(log, "rror") or str(error)
                raise SlabtuiError(
                    f"bcc cannot compile the BPF program ({why})", mend(why, "check that bcc is 0.26 or newer")
                ) from error
        self.maps = Maps(kit.bcc, self.bpf)
        if kit.cgroup is not None:
            self._confine(kit.cgroup)

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs.

        Raises:
            OSError: the kernel refused.
        """
        self.maps.put("settings", 0, settings)

    def load(self, name: str) -> int:
        """Load a raw tracepoint program, unless it is, and return its file descriptor.

        Raises:
            SlabtuiError: the kernel refused it.
        """
        with diverted() as log:
            try:
                descriptor: int = self.bpf.load_func(name.encode(), self._raw_tracepoint).fd
                return descriptor
            except Exception as error:  # bcc raises nothing more specific
                why = _printed(log) or str(error)
                raise SlabtuiError(
                    f"the kernel refused the BPF program {name} ({why})",
                    mend(why, "see cat /sys/kernel/security/lockdown"),
                ) from error

    def attach(self, tracepoint: str, name: str) -> int:
        """Load a program and attach it to a raw tracepoint; return the program's file descriptor.

        Raises:
            SlabtuiError: the kernel refused it, has no such tracepoint, or forbids it.
        """
        descriptor = self.load(name)
        with diverted():
            try:
                self.bpf.attach_raw_tracepoint(tracepoint.encode(), name.encode())
            except Exception as error:  # bcc raises nothing more specific
                why = os.strerror(ctypes.get_errno())
                raise SlabtuiError(
                    f"cannot attach to the tracepoint {tracepoint} ({why})",
                    mend(why, "boot a kernel with CONFIG_BPF_EVENTS=y"),
                ) from error
        self._attached[tracepoint] = name
        return descriptor

    def detach(self, tracepoint: str) -> None:
        """Detach from a raw tracepoint; a program that is attached no more is unloaded, its statistics with it."""
        self.bpf.detach_raw_tracepoint(tracepoint.encode())
        name = self._attached.pop(tracepoint)
        if name not in self._attached.values():
            os.close(self.bpf.funcs.pop(name.encode()).fd)

    def detach_all(self) -> None:
        """Detach from every raw tracepoint."""
        for tracepoint in tuple(self._attached):
            self.detach(tracepoint)

    def close(self) -> None:
        """Detach and let go of everything; the kernel then frees programs and maps."""
        self.bpf.cleanup()

    def _confine(self, cgroup: int) -> None:
        try:
            self.maps.put("cgroups", 0, ctypes.c_int(cgroup))
        except OSError as error:
            self.close()
            raise SlabtuiError(
                "that is no control group of the unified hierarchy", "see mount -t cgroup2", Status.USAGE
            ) from error


def statistics(descriptor: int) -> dict[str, int]:
    """Return the numbers that the kernel keeps of a loaded program, by their names in its fdinfo.

    From bpf_prog_show_fdinfo() in kernel/bpf/syscall.c: run_time_ns and run_cnt, kept while kernel.bpf_stats_enabled
    is 1, and since Linux 5.12 recursion_misses: runs that the kernel skipped, since the program was running on that
    CPU already.
    """
    pairs = (line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines())
    return {key: int(value) for key, value in pairs if value.strip().isdecimal()}


def is_compiled(descriptor: int) -> bool:
    """Return whether the kernel compiled a loaded program to machine code, rather than interpret it.

    It does not where net.core.bpf_jit_enable is 0, or where it has no JIT compiler for the machine.
    """
    return bool(statistics(descriptor).get("prog_jited"))


def _printed(log: BinaryIO, part: str = "") -> str:
    """Return the first line of what bcc has printed that is not blank and has this part; empty if there is none."""
    log.seek(0)
    lines = (line.strip() for line in log.read().decode(errors="replace").splitlines())
    return next((line for line in lines if line and part in line), "")


@contextmanager
def _kernel_source() -> Iterator[None]:
    """Point bcc at the stand-in headers unless the user points it elsewhere; for the compilation only."""
    if _KERNEL_SOURCE in os.environ:
        yield
        return
    os.environ[_KERNEL_SOURCE] = str(HEADERS)
    try:
        yield
    finally:
        del os.environ[_KERNEL_SOURCE]
