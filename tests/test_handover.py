"""Classic tracepoints take over from raw ones, whose programs Linux 7.0 preempts: each event is counted once."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.detail import Watch
from slabtui.kernel import handover, layout
from slabtui.kernel.bpf import trace_events
from slabtui.kernel.bpf.settings import Way
from slabtui.kernel.btf import BTF
from slabtui.kernel.layout import Layout
from slabtui.kernel.probe import Probe
from slabtui.kernel.whose import Whose
from slabtui.snapshot import CacheRow, Totals
from tests.probes import watch

pytestmark = pytest.mark.live

PROCESSES, OPENS = 8, 5_000
EVERY = 0.2  # seconds between two readings
MOST_MISSED = 0.001  # of what happened, by interrupts
_OPENER = """
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        os.close(os.open("/dev/null", os.O_RDONLY))
    print("done", flush=True)
"""


class Openers:
    """Processes that open files on one CPU, for which they compete."""

    def __init__(self, processes: list["subprocess.Popen[str]"]) -> None:
        self._processes = processes
        self.pids = [process.pid for process in processes]
        self._await("ready")

    def run(self, opens: int) -> Iterator[None]:
        """Let each open so many files; yield every now and then until all have, and once more then."""
        for process in self._processes:
            assert process.stdin
            process.stdin.write(f"{opens}\n")
            process.stdin.flush()
        done = threading.Event()
        waiter = threading.Thread(target=lambda: (self._await("done"), done.set()))
        waiter.start()
        while not done.wait(EVERY):
            yield
        waiter.join()
        yield

    def _await(self, word: str) -> None:
        for process in self._processes:
            assert process.stdout
            assert process.stdout.readline() == f"{word}\n"


@contextmanager
def openers() -> Iterator[Openers]:
    cpu = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        processes = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                [sys.executable, "-S", "-c", _OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.communicate)  # it ends with its standard input
            os.sched_setaffinity(process.pid, {cpu})
            processes.append(process)
        yield Openers(processes)


@pytest.fixture
def tracefs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tracefs", "tracefs", tmp_path], check=True)
    monkeypatch.setattr(trace_events, "_TRACEFS", (tmp_path,))
    yield
    subprocess.run(["umount", tmp_path], check=True)


def as_preemptible() -> Layout:
    """Return the layout that slabtui would have if this kernel preempted the programs of raw tracepoints."""
    record = BTF(layout.read_whole(layout.VMLINUX)).struct("trace_event_raw_kmalloc").offsets
    names = ("call_site", "ptr", "bytes_req", "bytes_alloc")
    return replace(layout.read(), preemptible=1, **{f"record_{name}": record[name] for name in names})


@contextmanager
def counting(where: Layout, pids: list[int]) -> Iterator[Probe]:
    probe = Probe(where, Whose(pids))
    try:
        probe.begin(lambda: None)
        watch(probe, Watch(frees=True))
        yield probe
    finally:
        probe.close()


def opened(totals: Totals) -> CacheRow:
    """Return the row of struct file, of which each open allocates one."""
    nothing = CacheRow(cache=0, name="", size=0, object_size=0, allocs=0, bytes=0, frees=0)
    return next((row for row in totals.rows if row.name == "filp"), nothing)


def test_no_event_is_counted_twice_or_not_at_all_while_classic_tracepoints_take_over(
    tracefs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "SHARE", -1.0)  # begin at once
    monkeypatch.setattr(handover, "LEAST", -1)
    with openers() as busy, counting(as_preemptible(), busy.pids) as probe:
        ways = set()
        before = opened(probe.totals())
        happened = 0
        while Way.CLASSIC not in ways:
            happened += PROCESSES * OPENS
            for _ in busy.run(OPENS):
                totals = probe.totals()
                ways.add(probe.way)
        row = opened(totals)
        assert ways >= {Way.MARKING, Way.TAKING, Way.CLASSIC}
        missed = totals.lost or 0  # of everybody's events, by interrupts
        assert happened - missed <= row.allocs - before.allocs <= happened
        assert row.frees is not None
        assert before.frees is not None
        assert happened - missed <= row.frees - before.frees <= happened + MOST_MISSED * happened
        assert any("classic tracepoints count now" in note for note in probe.notes)


def test_events_of_processes_that_compete_for_a_cpu_are_counted() -> None:
    """On Linux 7.3 the programs of raw tracepoints missed a sixth of them."""
    with openers() as busy, counting(layout.read(), busy.pids) as probe:
        probe.totals()
        for _ in range(2):  # here classic tracepoints take over where it is needed
            for _ in busy.run(OPENS):
                probe.totals()
        before = opened(probe.totals())
        for _ in busy.run(OPENS):
            totals = probe.totals()
        row, happened = opened(totals), PROCESSES * OPENS
        print(f"{row.allocs - before.allocs} of {happened}, way {probe.way.name}, {totals.lost} lost")
        assert happened * (1 - MOST_MISSED) <= row.allocs - before.allocs <= happened


def test_raw_tracepoints_go_on_where_classic_ones_cannot_be_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "SHARE", -1.0)
    monkeypatch.setattr(handover, "LEAST", -1)
    monkeypatch.setattr(trace_events, "_TRACEFS", (Path("/nowhere"),))
    with openers() as busy, counting(as_preemptible(), busy.pids) as probe:
        before = opened(probe.totals())
        for _ in busy.run(OPENS):
            totals = probe.totals()
        assert any("tracefs is not mounted: mount -t tracefs" in note for note in probe.notes)
        assert probe.way is Way.RAW
        happened = PROCESSES * OPENS
        assert happened - (totals.lost or 0) <= opened(totals).allocs - before.allocs <= happened
