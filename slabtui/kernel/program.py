"""Compiles the BPF program through bcc; each way in which that can fail becomes one line for the user."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from slabtui.diversion import diverted
from slabtui.errors import SlabtuiError

SOURCE = Path(__file__).with_name("slab.bpf.c")
HEADERS = Path(__file__).with_name("headers")

_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 21, 38, 39  # include/uapi/linux/capability.h
_KERNEL_SOURCE = "BCC_KERNEL_SOURCE"
_INSTALL = {  # package manager -> the command that installs bcc for the distribution's Python
    "apt-get": "apt-get install python3-bpfcc",
    "dnf": "dnf install python3-bcc",
    "pacman": "pacman -S python-bcc",
    "zypper": "zypper install python3-bcc",
}


def demand_privileges(status: Path = Path("/proc/self/status")) -> None:
    """Check that this process may load tracing programs.

    Raises:
        SlabtuiError: it has neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON (capabilities(7)).
    """
    line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
    held = int(line.split()[1], 16)
    if not (held >> _CAP_SYS_ADMIN & 1 or (held >> _CAP_BPF & 1 and held >> _CAP_PERFMON & 1)):
        raise SlabtuiError("not allowed to load BPF programs", "run it as root: sudo slabtui")


def import_bcc() -> ModuleType:
    """Import bcc, which comes from the distribution, for the distribution's own Python.

    Raises:
        SlabtuiError: this Python has no bcc, or one that does not work.
    """
    try:
        import bcc  # here, not above: only the kernel source needs it, and a clear message when it is missing
    except ImportError as error:
        manager = next((name for name in _INSTALL if shutil.which(name)), "apt-get")
        raise SlabtuiError(
            f"bcc does not load in this Python ({error})", f"{_INSTALL[manager]}, then make setup"
        ) from error
    module: ModuleType = bcc
    return module


def compile_program(bcc: ModuleType, source: Path, macros: Sequence[str]) -> Any:
    """Compile a BPF C file against the stand-in headers, or against real ones if BCC_KERNEL_SOURCE names them.

    Returns:
        The bcc.BPF module, with its maps made and no program loaded.

    Raises:
        SlabtuiError: bcc failed; the line has the compiler's first error in it.
    """
    with diverted(1, 2) as log, _kernel_source():
        try:
            return bcc.BPF(src_file=os.fsencode(source), cflags=[*macros, "-Wno-unused-function"])
        except Exception as error:  # bcc raises nothing more specific
            log.seek(0)
            printed = log.read().decode(errors="replace").splitlines()
            why = next((line.strip() for line in printed if "rror" in line), str(error))
            raise SlabtuiError(
                f"bcc cannot compile the BPF program ({why})", "check that bcc is 0.26 or newer, and `ulimit -l`"
            ) from error


def load(bpf: Any, name: str) -> int:
    """Load one raw tracepoint program and return its file descriptor.

    Raises:
        SlabtuiError: the kernel refused it.
    """
    with diverted(1, 2) as log:
        try:
            descriptor: int = bpf.load_func(name.encode(), bpf.RAW_TRACEPOINT).fd
            return descriptor
        except Exception as error:  # bcc raises nothing more specific
            log.seek(0)
            printed = log.read().decode(errors="replace").split("\n")
            why = next((line.strip() for line in printed if line.strip()), str(error))
            raise SlabtuiError(
                f"the kernel refused the BPF program {name} ({why})", "see cat /sys/kernel/security/lockdown"
            ) from error


def attach(bpf: Any, tracepoint: str, name: str) -> None:
    """Attach a loaded program to a raw tracepoint.

    Raises:
        SlabtuiError: the kernel has no such tracepoint, or forbids it.
    """
    with diverted(1, 2):
        try:
            bpf.attach_raw_tracepoint(tracepoint.encode(), name.encode())
        except Exception as error:  # bcc raises nothing more specific
            raise SlabtuiError(
                f"cannot attach to the tracepoint {tracepoint}", "boot a kernel with CONFIG_BPF_EVENTS=y"
            ) from error


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
