"""The ways to count that are compared, each attached to one tracepoint and detached afterwards."""

import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf import syscalls
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.probe import Probe
from tests.support import probes
from tests.tools.bench import bpftrace

PEERS = Path(__file__).with_name("peers.bpf.c")
EMPTY, SLABTUI, BPFTRACE = "empty program", "slabtui", "bpftrace"
BEFORE_CAST = "slabtui before Linux 6.2"

_NAME_SIZE = 32  # in peers.bpf.c


Statistics = Callable[[], Mapping[str, int]]  # returns the kernel's statistics of a program


@dataclass(frozen=True, slots=True)
class Way:
    """One attached program.

    Attributes:
        name: what it is called in the table.
        statistics: returns the kernel's statistics of its program.
        read: returns what it counted of one cache so far, and what it reports as lost; None: unknown.
    """

    name: str
    statistics: Statistics
    read: Callable[[], tuple[int | None, int | None]]


Maker = Callable[[str, str], AbstractContextManager[Way]]  # given a tracepoint, and the name of a cache to read


@contextmanager
def empty(tracepoint: str, cache: str) -> Iterator[Way]:
    """An empty program: the cost of running and measuring any program."""
    with _attached(tracepoint, "on_nothing") as (_, descriptor):
        yield Way(EMPTY, partial(statistics, descriptor), lambda: (None, None))


@contextmanager
def slabtui(tracepoint: str, cache: str, *, rdonly_cast: bool = True) -> Iterator[Way]:
    """What slabtui does.

    Args:
        tracepoint: what is measured.
        cache: the cache to read.
        rdonly_cast: whether it may use bpf_rdonly_cast(), which kernels before 6.2 do not have.
    """
    probe = Probe(offsets.read(), rdonly_cast=rdonly_cast)

    def read() -> tuple[int, int | None]:
        reading = probes.read(probe)
        return sum(row.total_allocs for row in reading.rows if row.name == cache), reading.lost

    try:
        name = SLABTUI if rdonly_cast else BEFORE_CAST
        yield Way(name, partial(statistics, probes.program_descriptors(probe)[tracepoint]), read)
    finally:
        probe.close()


slabtui_before_cast = partial(slabtui, rdonly_cast=False)


@contextmanager
def by_name(tracepoint: str, cache: str) -> Iterator[Way]:
    """What bcc's slabratetop does, in a kprobe there."""
    with _attached(tracepoint, "on_alloc_by_name") as (module, descriptor):

        def read() -> tuple[int, None]:
            names_and_sums = elements(module, "by_name")
            return sum(_count(sums) for name, sums in names_and_sums if _text(name) == cache), None

        yield Way("shared hash by name (bcc)", partial(statistics, descriptor), read)


@contextmanager
def by_pointer(tracepoint: str, cache: str) -> Iterator[Way]:
    """What the slabratetop of libbpf-tools does, in a kprobe there."""
    with _attached(tracepoint, "on_alloc_by_pointer") as (module, descriptor):

        def read() -> tuple[int, None]:
            named_sums = (named for _, named in elements(module, "by_pointer"))
            return sum(_count(named[_NAME_SIZE:]) for named in named_sums if _text(named[:_NAME_SIZE]) == cache), None

        yield Way("shared hash by pointer (libbpf-tools)", partial(statistics, descriptor), read)


@contextmanager
def by_bpftrace(tracepoint: str, cache: str) -> Iterator[Way]:
    """What bpftrace does, at a classic tracepoint; only the program, not the record that perf prepares for it."""
    with bpftrace.counting() as program:
        yield Way(BPFTRACE, partial(bpftrace.statistics, program.process.pid), lambda: (None, None))


def elements(module: Module, name: str) -> list[tuple[bytes, bytes]]:
    """Return the keys and the values of a hash whose keys may have any size."""
    descriptor = module.descriptors[name]
    info = syscalls.describe_map(descriptor)
    keys = (ctypes.c_char * info.key_size * info.max_entries)()
    values = (ctypes.c_char * info.value_size * info.max_entries)()
    places = ctypes.addressof(keys), ctypes.addressof(values)
    found = syscalls.lookup_batch(descriptor, *places, info.max_entries)
    return [(keys[place].raw, values[place].raw) for place in range(found)]


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode()


def _count(sums: bytes) -> int:
    """Return the first word of struct sums."""
    return ctypes.c_uint64.from_buffer_copy(sums).value


@contextmanager
def _attached(tracepoint: str, function: str) -> Iterator[tuple[Module, int]]:
    with probes.compiled(PEERS) as module:
        yield module, module.attach(tracepoint, function)
