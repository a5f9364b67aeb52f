"""Runs bpftrace with a one-liner that counts allocations by cache, and finds its program in the kernel."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.bench.piped import DoesNotRunError, Piped, running

ONE_LINER = "tracepoint:kmem:kmem_cache_alloc { @[str(args->name)] = count(); }"
EACH_SECOND = "interval:s:1 { print(@); clear(@); }"

_EVENTS = Path("/sys/kernel/tracing/events")
_MOUNTED = ("unshare", "--mount", "sh", "-c", 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"', "sh")
_TRACEPOINT = 5  # BPF_PROG_TYPE_TRACEPOINT, include/uapi/linux/bpf.h


@contextmanager
def counting() -> Iterator[Piped]:
    """Run it, with one table per second as slabtui prints, and wait for the first one.

    Raises:
        DoesNotRunError: it is not installed, or does not run on this kernel.
    """
    if shutil.which("bpftrace") is None:
        raise DoesNotRunError("not installed: apt-get install bpftrace")
    with running(command(), lambda line: line.startswith("@[")) as program:
        yield program


def command() -> tuple[str, ...]:
    """Return its command line.

    It reads the description of tracepoints from tracefs. If tracefs is not mounted, the command mounts it in a
    namespace of its own.
    """
    mounted = () if _EVENTS.is_dir() else _MOUNTED
    return (*mounted, "bpftrace", "-B", "line", "-e", f"{ONE_LINER} {EACH_SECOND}")


def statistics(pid: int) -> dict[str, int]:
    """Return the kernel's statistics of the tracepoint program that a process holds.

    Raises:
        DoesNotRunError: it holds none.
    """
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        found = numbers(path.read_text())
        if found.get("prog_type") == _TRACEPOINT:
            return found
    raise DoesNotRunError("it has loaded no program for a tracepoint")


def numbers(fdinfo: str) -> dict[str, int]:
    """Return the decimal numbers in a file of /proc/PID/fdinfo, by their names."""
    pairs = (line.partition(":") for line in fdinfo.splitlines())
    return {name: int(value) for name, _, value in pairs if value.strip().isdecimal()}
