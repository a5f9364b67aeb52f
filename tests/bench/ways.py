"""The ways to count that are measured against each other: each attached to one tracepoint, and gone at the end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from slabtui.kernel.module import Kit, Module, import_bcc, statistics

from slabtui.kernel import layout
from slabtui.kernel.probe import Probe
from tests.bench import bpftrace

PEERS = Path(__file__).with_name("peers.bpf.c")
EMPTY, SLABTUI, BPFTRACE = "empty program", "slabtui", "bpftrace"


Statistics = Callable[[], Mapping[str, int]]  # returns those that the kernel keeps of a program


@dataclass(frozen=True, slots=True)
class Way:
    """One program at work.

    Attributes:
        name: what it is called in the table.
        statistics: returns those that the kernel keeps of its program.
        read: returns what it has counted of one cache so far, and what it says it has lost; None: it does not tell.
    """

    name: str
    statistics: Statistics
    read: Callable[[], tuple[int | None, int | None]]


Maker = Callable[[str, str], AbstractContextManager[Way]]  # given a tracepoint, and the name of a cache to read


@contextmanager
def empty(tracepoint: str, cache: str) -> Iterator[Way]:
    """What it costs to run any program at all, and to measure that."""
    with _attached(tracepoint, "on_nothing") as (_, descriptor):
        yield Way(EMPTY, partial(statistics, descriptor), lambda: (None, None))


@contextmanager
def slabtui(tracepoint: str, cache: str) -> Iterator[Way]:
    """What slabtui does."""
    probe = Probe(layout.read())

    def read() -> tuple[int, int | None]:
        totals = probe.totals()
        return sum(row.allocs for row in totals.rows if row.name == cache), totals.lost

    try:
        yield Way(SLABTUI, partial(statistics, probe.program_descriptors()[tracepoint]), read)
    finally:
        probe.close()


@contextmanager
def by_name(tracepoint: str, cache: str) -> Iterator[Way]:
    """What bcc's slabratetop does, in a kprobe there."""
    with _attached(tracepoint, "on_alloc_by_name") as (bpf, descriptor):
        table = bpf[b"by_name"]
        wanted = cache.encode()
        yield Way(
            "shared hash by name (bcc)",
            partial(statistics, descriptor),
            lambda: (sum(sums.count for name, sums in table.items() if name.text == wanted), None),
        )


@contextmanager
def by_pointer(tracepoint: str, cache: str) -> Iterator[Way]:
    """What the slabratetop of libbpf-tools does, in a kprobe there."""
    with _attached(tracepoint, "on_alloc_by_pointer") as (bpf, descriptor):
        table = bpf[b"by_pointer"]
        wanted = cache.encode()
        yield Way(
            "shared hash by pointer (libbpf-tools)",
            partial(statistics, descriptor),
            lambda: (sum(sums.count for sums in table.values() if sums.text == wanted), None),
        )


@contextmanager
def by_bpftrace(tracepoint: str, cache: str) -> Iterator[Way]:
    """What bpftrace does, at the tracepoint that perf prepares a record for; the program alone, not that record."""
    with bpftrace.counting() as program:
        yield Way(BPFTRACE, partial(bpftrace.statistics, program.process.pid), lambda: (None, None))


@contextmanager
def _attached(tracepoint: str, function: str) -> Iterator[tuple[Any, int]]:
    # Compiled anew for each: a bcc.BPF attaches one program to a tracepoint.
    module = Module(Kit(import_bcc(), layout.read().macros()), [str(PEERS)])
    try:
        descriptor = module.attach(tracepoint, function)
        yield module.bpf, descriptor
    finally:
        module.close()
