"""slabtui as a library on the running kernel: exact counts, Ctrl-C, what it leaves alone, the examples of its page."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import slabtui
from slabtui import library
from tests import ROOT
from tests.support.bpf import gone, program_ids
from tests.support.keeper import keeping
from tests.support.probes import assert_exact
from tests.support.workload import workload

pytestmark = pytest.mark.live

FILES = 5_000
SECONDS = 30  # that a busy machine may take
PAGE = (ROOT / "docs" / "library.md").read_text()
COUNT, TABLE, ALERT, HOLDS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LEAK = ROOT / "tests" / "fixtures" / "busy-eventfd-20.jsonl.zst"

# Prints whether anything of the process is different while it counts, and afterwards.
UNCHANGED = """
import gc, os, resource, signal, sys, threading
import slabtui

def state():
    status = [line for line in open("/proc/self/status") if line.startswith(("Cap", "NoNewPrivs", "SigIgn"))]
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    collector = gc.get_threshold(), gc.get_freeze_count(), gc.isenabled()
    hooks = sys.unraisablehook, sys.excepthook, threading.excepthook
    timer = signal.getitimer(signal.ITIMER_REAL)
    return status, limits, handlers, collector, hooks, timer, dict(os.environ), os.getcwd()

before = state()
with slabtui.open(0.1) as snapshots:
    next(snapshots)
    print(state() == before)
print(state() == before)
"""
INTERRUPTED = """
import slabtui
print("begin", flush=True)
try:
    with slabtui.open(3600) as snapshots:
        print("wait", flush=True)
        next(snapshots)
finally:
    print("end", flush=True)
"""


def run(code: str) -> str:
    """Return what a program prints, which must not fail."""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def of_recording(code: str) -> str:
    """Return an example as it is for the recording of a leak."""
    assert code.count("slabtui.open()") == 1
    return code.replace("slabtui.open()", f"slabtui.open_recording({str(LEAK)!r})")


@contextmanager
def repeating(kind: str, number: int) -> Iterator[None]:
    """Let a workload run again and again in the block."""
    ended = threading.Event()

    def repeat() -> None:
        with workload(kind, number) as work:
            while not ended.wait(0.05):
                work.run()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def count_files(snapshots: slabtui.SnapshotStream, until: float) -> tuple[int, int]:
    """Return how many files were opened until a time, and what was lost."""
    allocs = lost = 0
    for snapshot in snapshots:
        allocs += sum(row.allocs for row in snapshot.rows if row.name == "filp")
        lost += snapshot.lost or 0
        if snapshot.time - snapshot.elapsed > until:
            break
    return allocs, lost


def test_two_streams_count_exactly_at_once_while_they_are_not_read() -> None:
    """The one for all processes has the files of others, too."""
    with workload("eventfd", FILES) as work, slabtui.open(0.1, frees=True) as all_of_them:
        with slabtui.open(0.1, pids=[work.pid]) as own:
            assert next(own).origin.scope.startswith(f"pid {work.pid} ")
            first = next(all_of_them)
            assert first.origin.scope == ""
            assert {row.frees is None for row in first.rows} == {False}  # from the first interval on
            work.run()
            work.run()
            done = time.time()
            counted, lost = count_files(own, done)
            assert_exact(counted, 2 * FILES, lost)
        allocs, lost = count_files(all_of_them, done)
        assert allocs + lost >= 2 * FILES
        (row,) = (row for row in next(all_of_them).rows if row.name == "filp")
        assert (row.total_frees or 0) > 0


def test_the_process_stays_as_it_is() -> None:
    """The limit of open files is low, which the program would raise."""
    command = ["prlimit", "--nofile=512:4096", sys.executable, "-c", UNCHANGED]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert (ran.stdout, ran.stderr) == ("True\nTrue\n", "")


@pytest.mark.parametrize("at", ["begin", "wait"])
def test_ctrl_c_ends_the_loop_and_the_counting(at: str) -> None:
    before = program_ids()
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != f"{at}\n":
            assert process.poll() is None
        time.sleep(0.3)  # in the middle of what follows
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGINT
    assert printed.splitlines()[-1] == "end"
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert errors.count("Traceback") == 1
    assert gone(before)


def test_too_few_descriptors_are_an_error_with_a_remedy() -> None:
    code = "import slabtui\ntry:\n    slabtui.open()\nexcept slabtui.SlabtuiError as error:\n    print(error.remedy)"
    command = ["prlimit", "--nofile=20:20", sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert (ran.stdout, ran.stderr) == ("raise the limit, as in ulimit -n 1024\n", "")


def test_a_missing_cache_is_an_error_before_anything_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(library.opening, "open_probe")
    with pytest.raises(slabtui.SlabtuiError, match="no cache named no-such-cache: see ls /sys/kernel/slab"):
        slabtui.open(inspect="no-such-cache")


def test_the_example_collects_a_table_of_what_allocates_most() -> None:
    with repeating("stat", 2_000):
        lines = run(TABLE).splitlines()
    assert len(lines) == 10 * 5
    rates = [float(line.split()[1]) for line in lines if line.startswith("names_cache ")]
    assert max(rates) >= 2_000


def test_the_example_says_who_holds() -> None:
    with keeping() as keeper:
        keeper.do("rate", 500)
        found = run(HOLDS)
    (line,) = (line for line in found.splitlines() if f"({keeper.pid})" in line)
    assert int(line.split()[0]) >= 250  # in one second
    assert "eventfd" in line


def test_the_other_examples_print_each_interval_and_the_alert_for_the_recording_of_a_leak() -> None:
    printed = run(of_recording(COUNT) + of_recording(ALERT))
    assert re.fullmatch(
        r"(\d+ allocations in \d\.\d{3} s, None lost\n){158}"
        r"ALERT \S*: unreclaimable slab memory grows\n  memory is full in \d+ h\n(  \S+: \S+ objects/s, \d+ live\n)+",
        printed,
    )


@pytest.mark.slow
def test_the_alert_fires_on_a_leak_in_the_running_kernel() -> None:
    with keeping() as keeper:
        keeper.do("rate", 200)
        with subprocess.Popen([sys.executable, "-c", ALERT], stdout=subprocess.PIPE, text=True) as process:
            printed, _ = process.communicate(timeout=90)
    assert printed.startswith("ALERT ")
    assert "  filp: " in printed
