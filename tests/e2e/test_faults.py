"""Faults of the environment: each is reported in one line with a remedy, or the program continues; nothing is left.

Faults are real where they can be caused for one process only: by limits, by namespaces, and by seccomp. seccomp makes
bpf(2) fail as it does where BPF is forbidden (lockdown itself cannot be switched off again), or where the memory limit
of a control group is reached. The clock is a fake, because all processes share the real one.

Other files test a closed terminal and signals (test_terminal.py); a full disk, a full standard output, two slabtui at
once (test_outputs.py); missing privileges, an unreadable /proc/slabinfo (test_privileges.py); damaged BTF
(test_btf.py); damaged recordings (unit/recording).
"""

import errno
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slabtui.cli.options import DEMO
from slabtui.collector import Collector, Source
from slabtui.kernel import counters
from slabtui.kernel.capabilities import Capability
from slabtui.kernel.procfs.slabinfo import Slabinfo
from slabtui.model.identity import CacheKey
from slabtui.model.request import Request
from slabtui.model.snapshot import CacheRow, Reading, Snapshot
from slabtui.queues import SnapshotQueue
from slabtui.recording import codec
from slabtui.recording.reader import read
from slabtui.system.clock import Clock, SystemClock
from tests.e2e.test_privileges import with_only
from tests.e2e.test_terminal import ENTER_SCREEN, LEAVE_SCREEN
from tests.support import probes, tasks
from tests.support.bpf import gone, program_ids
from tests.support.fakes import FakeSource, totals
from tests.support.interpreters import bcc_version
from tests.support.probes import probing, request
from tests.support.recordings import version_1
from tests.support.terminal import Terminal
from tests.support.unprivileged import unprivileged
from tests.support.workload import workload
from tests.unit.kernel.abi.test_btf import INT, encode
from tests.unit.kernel.procfs.test_slabinfo import BIG, DENTRY, slabinfo_of

SLABTUI = [sys.executable, "-m", "slabtui"]
VMLINUX = "/sys/kernel/btf/vmlinux"
FILES = 20_000
HOUR = 3600.0

NO_PERMISSION = "run it as root, outside of a container; see cat /sys/kernel/security/lockdown"
NO_THREAD = "cannot start a thread: raise `ulimit -u`, or pids.max of the control group"
NO_MEMORY = "free some memory, or raise `ulimit -l` or the limit of the control group"


def run(command: list[str], **more: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def shell(script: str) -> list[str]:
    """Return a command that runs a script and then slabtui; arguments for slabtui can be appended."""
    return ["bash", "-ec", f'{script}\nexec "$@"', "bash", *SLABTUI]


def alone(script: str) -> list[str]:
    """Return the same for a script in a mount namespace of its own."""
    return ["unshare", "--mount", *shell(script)]


def demand_refusal(command: list[str], reported: str) -> None:
    """Demand that it ends with one line, without a change to the terminal, and that no program stays loaded."""
    before = program_ids()
    with Terminal(command, size=(300, 24)) as terminal:
        had = terminal.settings
        assert terminal.wait_for_exit() == 1
        assert terminal.output.decode() == f"slabtui: {reported}\r\n"
        assert terminal.settings == had
    assert gone(before)


@contextmanager
def collecting(source: Source, interval: float, clock: Clock | None = None) -> Iterator[SnapshotQueue]:
    """Yield the queue of a collector; no two of its snapshots are merged."""
    collector, queue = Collector(source, interval, clock=clock), SnapshotQueue(1000)
    collector.subscribe(queue)
    collector.start()
    try:
        yield queue
    finally:
        collector.stop()


def taken(queue: SnapshotQueue) -> Snapshot:
    snapshot = queue.get(timeout=30)
    assert snapshot is not None
    return snapshot


@pytest.mark.live
def test_too_little_memory_to_start_is_reported() -> None:
    """Whether slabtui itself or its child runs out first depends on the Python."""
    ended = run([*shell(f"ulimit -v {40 << 10}"), "-C", "0.1", "1"])
    assert ended.returncode == 1
    assert re.fullmatch(r"slabtui: .*(raise `ulimit -v`|as in ulimit -v unlimited)\n", ended.stderr)


@pytest.mark.live
def test_no_locked_memory_is_needed() -> None:
    """Since Linux 5.11 BPF memory counts for the control group: RLIMIT_MEMLOCK is of older kernels."""
    assert run([*shell("ulimit -l 0"), "-C", "0.1", "1"]).returncode == 0


@pytest.mark.live
@pytest.mark.parametrize("files", [5, 8, 15])
def test_too_few_open_files_are_reported_with_their_limit(files: int) -> None:
    ended = run([*shell(f"ulimit -n {files}"), "-C", "0.1", "1"])
    assert ended.returncode == 1
    assert re.fullmatch(r"slabtui: .*Too many open files\): raise the limit, as in ulimit -n 1024\n", ended.stderr)


@pytest.mark.live
def test_a_low_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    """The caller here leaks descriptors; many processes after -p take as many."""
    leaking = 'for number in $(seq 30 1300); do eval "exec $number</dev/null"; done\nulimit -Sn 1300'
    ended = run([*shell(f"ulimit -n 2048\n{leaking}"), "-p", str(os.getpid()), "-C", "0.1", "2"])
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_refused_thread_is_reported() -> None:
    ended = run([*unprivileged(), *shell("ulimit -u 1"), "--demo", "-C"])
    assert ended.returncode == 1
    assert ended.stderr == f"slabtui: {NO_THREAD}\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_screen_without_a_thread_for_its_collector_ends_in_one_line() -> None:
    with Terminal([*unprivileged(), *shell("ulimit -u 1"), "--demo"], size=(120, 24)) as terminal:
        assert terminal.wait_for_exit() == 1
        after = terminal.output[terminal.output.rfind(LEAVE_SCREEN) :]
        assert f"slabtui: {NO_THREAD}\r\n".encode() in after
        assert b"Traceback" not in terminal.output


@pytest.mark.live
def test_a_start_without_a_thread_to_measure_counts_and_notes_it() -> None:
    """The group has room for slabtui and the compiler, then for slabtui and the thread of its collector."""
    with tasks.limited(2) as group, Terminal([*tasks.inside(group), *SLABTUI, "0.1"], size=(300, 24)) as terminal:
        terminal.wait_for(lambda: f"cost not measured: {NO_THREAD}" in terminal.text)
        demand_that_it_counts(terminal)


@pytest.mark.live
@pytest.mark.parametrize(
    ("keys", "note"),
    [
        ("m", "cost not measured: {why}"),
        ("f", "frees not counted: {why}"),
        ("\r", "inspection not counted"),
        ("\r2", "inspection not counted"),
        ("L", "what is held not counted"),
    ],
)
def test_what_needs_a_thread_that_cannot_be_started_is_a_note_and_counting_goes_on(keys: str, note: str) -> None:
    with tasks.limited() as group, Terminal([*tasks.inside(group), *SLABTUI, "0.1"], size=(300, 24)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text and "? ns" not in terminal.text)
        tasks.limit(group, 1)
        terminal.type(keys)
        terminal.wait_for(lambda: note.format(why=NO_THREAD) in terminal.text and NO_THREAD in terminal.text)
        demand_that_it_counts(terminal)


def demand_that_it_counts(terminal: Terminal) -> None:
    """Demand that intervals still come and that Q ends it, so that its control group is empty."""
    clock = terminal.lines[0]
    terminal.wait_for(lambda: terminal.lines[0] != clock and "allocs/s" in terminal.text)
    terminal.type("Q")
    assert terminal.wait_for_exit() == 0


@pytest.mark.live
@pytest.mark.parametrize(
    ("what", "refused"),
    [
        ("all", "the kernel refuses BPF programs ({why})"),
        ("map-create", "bcc {bcc} cannot compile the BPF program (could not open bpf map: slow_path, error: {why})"),
        ("map-update", "the kernel refuses the maps (write of a map: {why})"),
        ("prog-load", "the kernel refuses BPF programs ({why})"),
        (
            "raw-tracepoint-open",
            "cannot attach to the tracepoint kmem_cache_alloc ({why})",
        ),
    ],
)
@pytest.mark.parametrize(("error", "remedy"), [("EPERM", NO_PERMISSION), ("ENOMEM", NO_MEMORY)])
def test_everything_that_the_kernel_refuses_at_the_start_is_reported(
    what: str, refused: str, error: str, remedy: str
) -> None:
    command = [sys.executable, "-m", "tests.support.refusal", error, what, *SLABTUI]
    why = os.strerror(getattr(errno, error))
    demand_refusal(command, f"{refused.format(why=why, bcc=bcc_version())}: {remedy}")


@pytest.mark.live
def test_what_counting_costs_is_unknown_where_the_kernel_does_not_measure() -> None:
    with Terminal(
        [sys.executable, "-m", "tests.support.refusal", "EPERM", "enable-stats", *SLABTUI, "0.1"]
    ) as terminal:
        terminal.wait_for(lambda: "? ns" in terminal.text and "allocs/s" in terminal.text)
        terminal.type("mq")
        assert terminal.wait_for_exit() == 0


def leave_descriptors(pid: int, number: int) -> None:
    """Let a process open this number of further files, and no more."""
    taken = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    limit = [free for free in range(1000) if free not in taken][number]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))


@pytest.mark.live
@pytest.mark.parametrize("left", [6, 12, 24, 40])  # slabtui itself opens up to four at once
def test_what_cannot_be_counted_later_is_reported_on_the_screen_and_counting_goes_on(left: int) -> None:
    """The process has too few descriptors for the programs that count frees."""
    with Terminal([*SLABTUI, "0.1"], size=(200, 24)) as terminal:
        terminal.wait_for(
            lambda: "allocs/s" in terminal.text and "? ns" not in terminal.text and "bulk" in terminal.text
        )  # the overhead is measured, and its descriptors are closed
        leave_descriptors(terminal.pid, left)
        terminal.type("f")
        terminal.wait_for(lambda: "frees not counted: cannot start the compiler (Too many open files)" in terminal.text)
        clock = terminal.lines[0]
        terminal.wait_for(lambda: terminal.lines[0] != clock)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_thread_that_still_runs_at_the_end_aborts_nothing_where_no_file_can_be_opened() -> None:
    script = (
        "import resource, threading, time\n"
        "from slabtui.system import threads\n"
        "def run():\n"
        "    while True: sum(range(1000))\n"
        "for _ in range(3): threads.start(threading.Thread(target=run, daemon=True))\n"
        "time.sleep(0.2)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
    )
    for _ in range(5):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.live
def test_a_screen_that_may_open_nothing_more_ends_in_one_line() -> None:
    with Terminal([*SLABTUI, "0.1"]) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        resource.prlimit(terminal.pid, resource.RLIMIT_NOFILE, (3, 3))
        assert terminal.wait_for_exit() == 1
        after = terminal.output[terminal.output.rfind(LEAVE_SCREEN) :]
        assert b"slabtui: Too many open files: raise the limit, as in ulimit -n 1024\r\n" in after
        assert b"Traceback" not in terminal.output


def by_cache(before: Reading, after: Reading) -> dict[CacheKey, CacheRow]:
    return {row.cache: row for row in probes.interval(before, after).rows}


def allocs(rows: dict[CacheKey, CacheRow]) -> int:
    return sum(row.allocs for row in rows.values())


@pytest.mark.live
@pytest.mark.parametrize("bits", [0, 2, 4])
def test_what_does_not_fit_the_table_is_lost_and_what_is_counted_is_right(
    bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second probe, whose table is large enough, reads shortly before and after the small one each time."""
    with probing() as large:
        monkeypatch.setattr(counters, "SLOT_BITS", bits)
        with probing() as small, workload("stat", FILES) as stats, workload("eventfd", FILES) as files:
            outer = probes.read(large)
            first = probes.read(small)
            inner = probes.read(large)
            request(small, Request(frees=True))
            for work in (stats, files):
                work.run()
            least = by_cache(inner, probes.read(large))
            last = probes.read(small)
            most = by_cache(outer, probes.read(large))
    found = by_cache(first, last)
    known = {row.cache for row in first.rows if row.total_allocs}
    lost = last.lost - first.lost
    print(f"{1 << bits} slots: {len(known)} caches, counted {allocs(found)} of {allocs(most)}, lost {lost}")
    counted = {number: row for number, row in found.items() if row.allocs and row.size is not None}
    assert len(counted) <= 1 << bits
    assert lost > 0
    assert allocs(least) <= allocs(found) + lost
    for number, row in counted.items():
        assert (row.name, row.size) == (most[number].name, most[number].size)
        assert row.allocs <= most[number].allocs
        if number in known:  # it had its slot from the first to the last
            assert row.allocs >= least[number].allocs


@pytest.mark.live
@pytest.mark.parametrize("name", ["slots", "caches", "tallies", "settings"])
def test_a_map_that_cannot_be_read_for_a_while_is_reported_and_nothing_is_lost(name: str) -> None:
    with workload("eventfd", FILES) as work, probing(work.pid) as source:
        descriptor = source.parts[0].modules[0].descriptors[name]
        kept = os.dup(descriptor)
        with collecting(source, 0.1) as queue:
            snapshots = [taken(queue)]
            try:
                with Path(os.devnull).open() as nothing:
                    os.dup2(nothing.fileno(), descriptor)
                work.run()
                while not snapshots[-1].error:
                    snapshots.append(taken(queue))
                os.dup2(kept, descriptor)
                while snapshots[-1].error:
                    snapshots.append(taken(queue))
            finally:
                os.dup2(kept, descriptor)
                os.close(kept)
    *_, failed, recovered = snapshots
    assert re.fullmatch(r"cannot read the counters: .*Invalid argument", failed.error)
    assert failed.rows == ()
    assert recovered.elapsed > failed.elapsed
    opened = sum(row.allocs for one in snapshots for row in one.rows if row.name == "filp")
    assert opened <= FILES <= opened + sum(one.lost or 0 for one in snapshots)


@pytest.mark.live
def test_a_map_that_can_never_be_read_again_is_reported_while_the_program_goes_on() -> None:
    with probing() as source, collecting(source, 0.1) as queue:
        taken(queue)
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), source.parts[0].modules[0].descriptors["slots"])
        while not taken(queue).error:
            pass
        assert all(taken(queue).error for _ in range(3))


class SettableClock(SystemClock):
    """The clocks of the system, of which the one for the date is set by the test."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.mark.parametrize("step", [3 * HOUR, -3 * HOUR, 24 * 365 * HOUR, -24 * 365 * HOUR])
def test_a_clock_that_is_set_changes_no_interval_and_no_rate(step: float) -> None:
    clock = SettableClock()
    began = time.monotonic()
    with collecting(FakeSource(lambda reading: Reading((totals(1, allocs=1000 * reading),))), 0.1, clock) as queue:
        before = [taken(queue) for _ in range(3)]
        clock.ahead = step
        after = [taken(queue) for _ in range(4)]  # the first was perhaps made before
    took = time.monotonic() - began
    assert abs(after[-1].time - before[-1].time - step) <= took
    assert sum(one.elapsed for one in (*before, *after)) <= took
    for one in (*before, *after):
        assert one.elapsed > 0
        assert one.allocs >= 1000
        assert one.per_second(one.allocs) == one.allocs / one.elapsed


def test_a_recording_over_a_clock_that_was_set_back_plays_at_its_pace(tmp_path: Path) -> None:
    first, second, third = list(read(DEMO))[:3]
    path = tmp_path / "night.jsonl"
    lines = (replace(first), replace(second, time=first.time - HOUR), replace(third, time=first.time + HOUR))
    path.write_text("".join(codec.dumps(one, one.rows) + "\n" for one in lines))
    with Terminal([*SLABTUI, "--replay", str(path)]) as terminal:
        terminal.wait_for(lambda: " END " in terminal.lines[0])
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def demand_one_long_interval(path: Path, seconds: float) -> None:
    """Demand that a recording has every file of the workload, and an interval that covers the stop."""
    snapshots = list(read(path))
    opened = sum(row.allocs for one in snapshots for row in one.rows if row.name == "filp")
    assert opened <= FILES <= opened + sum(one.lost or 0 for one in snapshots)
    assert max(one.elapsed for one in snapshots) >= seconds


@pytest.mark.live
def test_a_screen_that_was_stopped_and_continued_lost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    with (
        workload("eventfd", FILES) as work,
        Terminal([*SLABTUI, "-p", str(work.pid), "--record", str(path), "0.2"]) as terminal,
    ):
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        os.kill(terminal.pid, signal.SIGSTOP)
        terminal.wait_for(lambda: stopped(terminal.pid))
        began = time.monotonic()
        work.run()
        time.sleep(1)
        seconds = time.monotonic() - began
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(lambda: "filp" in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    demand_one_long_interval(path, seconds)


@pytest.mark.live
def test_ctrl_z_gives_the_terminal_back_and_fg_draws_the_screen_again(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    with (
        workload("eventfd", FILES) as work,
        Terminal(["bash", "--norc", "--noprofile", "--noediting", "-i"], env={"PS1": "ready> "}) as terminal,
    ):
        terminal.wait_for(lambda: "ready>" in terminal.text)
        terminal.type(f"{' '.join(SLABTUI)} -p {work.pid} --record {path} 0.2\n")
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        assert LEAVE_SCREEN not in terminal.output
        terminal.type("\x1a")
        terminal.wait_for(lambda: b"ready>" in terminal.output.partition(b"Stopped")[2])
        assert terminal.output.rfind(LEAVE_SCREEN) > terminal.output.rfind(ENTER_SCREEN)
        began = time.monotonic()
        work.run()
        time.sleep(1)
        seconds = time.monotonic() - began
        drawn = len(terminal.output)
        terminal.type("fg\n")
        terminal.wait_for(lambda: ENTER_SCREEN in terminal.output[drawn:])
        terminal.wait_for(lambda: "filp" in terminal.text)
        assert all(part in terminal.text for part in (f"pid {work.pid}", "LIVE", "CACHE", "qQuit"))
        terminal.type("q")
        terminal.wait_for(lambda: terminal.output.rfind(b"ready>") > terminal.output.rfind(ENTER_SCREEN))
        assert terminal.output.rfind(LEAVE_SCREEN) > terminal.output.rfind(ENTER_SCREEN)
        terminal.type("exit $?\n")
        assert terminal.wait_for_exit() == 0
    demand_one_long_interval(path, seconds)


CPUS = "/sys/devices/system/cpu"


@pytest.mark.live
@pytest.mark.parametrize(
    ("broken", "reported"),
    [
        ("umount -R -l /proc", "/proc is not mounted: mount -t proc proc /proc"),
        ("mount -t tmpfs none /proc", "/proc is not mounted: mount -t proc proc /proc"),
        ("umount -R -l /sys", "/sys is not mounted: mount -t sysfs sysfs /sys"),
        ("mount -t tmpfs none /sys", "/sys is not mounted: mount -t sysfs sysfs /sys"),
        (
            f"mount -t tmpfs none {CPUS}",
            f"cannot read {CPUS}/possible (No such file or directory): umount {CPUS}, or mount -t sysfs sysfs /sys",
        ),
    ],
)
def test_a_file_system_that_is_not_mounted_is_reported_with_its_mount(broken: str, reported: str) -> None:
    demand_refusal(alone(broken), reported)
    ended = run([*alone(broken), "-p", "1", "--callers", "filp", "-C"])
    assert (ended.returncode, ended.stderr) == (1, f"slabtui: {reported}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can unmount a file system")
@pytest.mark.parametrize("place", ["/proc", "/sys"])
def test_a_recording_needs_neither_proc_nor_sys(place: str, tmp_path: Path) -> None:
    command = alone(f"umount -R -l {place}\ncd {tmp_path}")
    with Terminal([*command, "--demo"], env={"PYTHONPATH": str(DEMO.parents[1])}) as terminal:
        terminal.wait_for(lambda: "names_cache" in terminal.text)
        terminal.type("e")
        terminal.wait_for(lambda: "Write to" in terminal.text)
        terminal.type("\r")
        terminal.wait_for(lambda: " written to " in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    assert list(tmp_path.glob("slabtui-*.csv"))
    assert run([*alone(f"umount -R -l {place}"), "--demo", "-C", "1", "1"]).returncode == 0


@pytest.mark.live
@pytest.mark.parametrize(
    ("broken", "reported"),
    [
        (
            "mount -t tmpfs none /sys/kernel/btf",
            f"this kernel has no BTF ({VMLINUX}): boot a kernel built with CONFIG_DEBUG_INFO_BTF=y",
        ),
        (
            f"mount --bind /dev/null {VMLINUX}",
            f"cannot use {VMLINUX} (shorter than a BTF header): use Linux 5.10 or newer",
        ),
        (f"mount --bind /etc/passwd {VMLINUX}", f"cannot use {VMLINUX} (not BTF): use Linux 5.10 or newer"),
        (
            f"mount -t tmpfs none /mnt\nhead -c 100000 {VMLINUX} >/mnt/cut\nmount --bind /mnt/cut {VMLINUX}",
            f"cannot use {VMLINUX} (cut short): use Linux 5.10 or newer",
        ),
    ],
    ids=["missing", "empty", "another file", "cut"],
)
def test_invalid_btf_is_reported(broken: str, reported: str) -> None:
    demand_refusal(alone(broken), reported)


@pytest.mark.live
@pytest.mark.parametrize("name", ["long unsigned int", "unsigned long"])
def test_a_kernel_of_32_bits_is_refused(tmp_path: Path, name: str) -> None:
    kernel = tmp_path / "vmlinux"
    kernel.write_bytes(encode([(INT, "unsigned int", 4, (32,)), (INT, name, 4, (32,))]))
    reported = "this is a 32-bit kernel: slabtui needs a 64-bit kernel"
    demand_refusal(alone(f"mount --bind {kernel} {VMLINUX}"), reported)


@pytest.mark.live
def test_btf_that_may_not_be_read_is_reported() -> None:
    hidden = f"mount -t tmpfs none /mnt\ninstall -m 600 {VMLINUX} /mnt/hidden\nmount --bind /mnt/hidden {VMLINUX}"
    allowed = shlex.join(with_only(Capability.BPF, Capability.PERFMON))
    demand_refusal(
        alone(f'{hidden}\nset -- {allowed} "$@"'), f"cannot read {VMLINUX} (Permission denied): run slabtui as root"
    )


@pytest.mark.live
@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("", "no slabinfo of version 2.1"),
        ("slabinfo - version: 3.0\n# name\n", "no slabinfo of version 2.1"),
        (slabinfo_of(BIG).decode() + "dentry 1 2\n", "line 4 does not describe a cache"),
        (slabinfo_of(DENTRY.replace("192", "\x1b[2J")).decode(), "line 3 does not describe a cache"),
    ],
)
def test_a_garbled_slabinfo_costs_the_live_objects_and_says_so(tmp_path: Path, content: str, reported: str) -> None:
    garbled = tmp_path / "slabinfo"
    garbled.write_text(content)
    note = f"live objects unknown: /proc/slabinfo: {reported}"
    command = alone(f"mount --bind {garbled} /proc/slabinfo")
    ended = run([*command, "--output", "json", "0.2", "1"])
    assert (ended.returncode, ended.stderr) == (0, f"slabtui: {note}\n")
    (line,) = map(json.loads, ended.stdout.splitlines())
    assert line["notes"] == [note]
    assert {row["live"] for row in line["caches"]} == {None}
    assert sum(row["allocs"] for row in line["caches"]) > 0
    with Terminal([*command, "0.2"], size=(200, 24)) as terminal:
        terminal.wait_for(lambda: note in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.live
@pytest.mark.parametrize("place", ["/sys/kernel/slab", "/sys/kernel"])
def test_a_cache_is_inspected_where_sysfs_does_not_list_it(place: str) -> None:
    btf = f"mount --bind {VMLINUX} /mnt/vmlinux\n"
    hidden = f"mount -t tmpfs none {place}\n"
    if place == "/sys/kernel":  # all but the BTF
        keep = f"mount -t tmpfs none /mnt\ntouch /mnt/vmlinux\n{btf}"
        hidden = f"{keep}{hidden}mkdir /sys/kernel/btf\ntouch {VMLINUX}\nmount --bind /mnt/vmlinux {VMLINUX}\n"
    with workload("eventfd", FILES) as work:
        command = [*alone(hidden), "-p", str(work.pid), "--callers", "filp", "--output", "json", "0.5"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            process.stdout.readline()
            for _ in range(3):  # the first makes the cache's address known
                work.run()
                inspections = json.loads(process.stdout.readline())["inspections"]
            process.terminate()
    assert sum(row["total_allocs"] for found in inspections for row in found["rows"]) > 0
    ended = run([*alone(hidden), "--callers", "flip", "-C"])
    assert (ended.returncode, ended.stderr) == (2, "slabtui: no cache named flip: see cat /proc/slabinfo\n")
    blind = run([*alone(f"{hidden}mount --bind /dev/null /proc/slabinfo"), "--callers", "flip", "-C", "0.2", "1"])
    assert blind.returncode == 0


@pytest.mark.live
@pytest.mark.parametrize(
    "pattern",
    [
        "kernel/probe.py",
        "kernel/abi/btf.py",
        "kernel/**/*.bpf.c",
    ],
)
def test_an_installed_file_that_cannot_be_read_is_reported_by_its_name(pattern: str) -> None:
    compiled = "find /media -name __pycache__ -exec rm -r {} +"  # Python would read these in the place of the files
    copy = f"mount -t tmpfs none /media\ncp -r {DEMO.parent} /media\n{compiled}\nchmod 600 /media/slabtui/{pattern}"
    allowed = shlex.join(with_only(Capability.BPF, Capability.PERFMON))
    script = f'shopt -s globstar\n{copy}\nset -- {allowed} env -C /media "$@"'
    ended = run([*alone(script), "-C", "0.1", "1"])
    assert ended.returncode == 1
    reported = (
        r"slabtui: cannot read /media/slabtui/\S+ \(Permission denied\): install slabtui again, or run it as root\n"
    )
    assert re.fullmatch(reported, ended.stderr)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=6)), min_size=1, max_size=5), st.integers(0, 600))
def test_no_change_to_slabinfo_breaks_its_reader(tmp_path: Path, changes: list[tuple[int, bytes]], length: int) -> None:
    whole = bytearray(slabinfo_of(DENTRY, BIG, DENTRY.replace("dentry", "inode ")))
    for at, put in changes:
        whole[at % len(whole) : at % len(whole) + 1] = put
    (tmp_path / "slabinfo").write_bytes(whole[: length or None])
    slabs = Slabinfo(tmp_path / "slabinfo", tmp_path / "none")
    found = slabs.read()
    slabs.close()
    assert slabs.trouble.isprintable()
    assert len(slabs.trouble) < 80
    assert not (found and slabs.trouble)
    assert all(isinstance(name, str) and name.isprintable() for name in found)


@pytest.mark.live
def test_no_tracefs_is_needed() -> None:
    """bcc may search for it; the tracepoints to which slabtui attaches do not need it."""
    broken = (
        "for place in /sys/kernel/tracing /sys/kernel/debug; do\n"
        "    umount -R $place 2>/dev/null || true\n"
        "    mount -t tmpfs none $place\n"
        "done"
    )
    ended = run([*alone(broken), "--callers", "names_cache", "--output", "json", "0.5", "2"])
    assert (ended.returncode, ended.stderr) == (0, "")
    with Terminal([*alone(broken), "0.1"]) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: "FREES" in terminal.text)
        assert "not counted:" not in terminal.text
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize("option", ["--help", "-V", "--print-completion=bash"])
def test_what_cannot_be_printed_is_reported(option: str) -> None:
    ended = run(["sh", "-c", f"{' '.join(SLABTUI)} {option} >/dev/full"])
    assert ended.returncode == 1
    problem = "cannot write to standard output (No space left on device)"
    assert ended.stderr == f"slabtui: {problem}: check the file or the pipe that it is redirected to\n"


def test_the_status_reports_wrong_usage_where_nothing_can_be_printed() -> None:
    assert run(["sh", "-c", f"{' '.join(SLABTUI)} --frobnicate 2>/dev/full"]).returncode == 2


def recorded(path: Path, change: Callable[[dict[str, object]], object]) -> Path:
    """Write three snapshots of the demo as another slabtui might have done."""
    with path.open("w") as file:
        for one in list(read(DEMO))[:3]:
            line = json.loads(codec.dumps(one, one.rows))
            change(line)
            file.write(json.dumps(line) + "\n")
    return path


def test_a_recording_from_another_kernel_shows_its_host_and_kernel(tmp_path: Path) -> None:
    another = {"host": "db7", "kernel": "5.15.0-old", "weather": "fields that came later do not matter"}
    path = recorded(tmp_path / "night.jsonl", lambda line: line.update(another))
    assert {(one.origin.host, one.origin.kernel) for one in read(path)} == {("db7", "5.15.0-old")}
    with Terminal([*SLABTUI, "--replay", str(path)], size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "db7 5.15.0-old" in terminal.lines[0] and "names_cache" in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_recording_of_a_slabtui_that_knew_less_is_shown(tmp_path: Path) -> None:
    later = ("frees", "live", "live_delta", "mem", "disagrees", "aliases")

    def forget(line: dict[str, object]) -> None:
        older = version_1(json.dumps(line | {"inspections": []}))
        line.clear()
        line.update(older)
        for name in ("events", "ns_per_event", "bulk", "detail"):
            del line[name]
        for row in line["caches"]:
            for name in later:
                row.pop(name)

    path = recorded(tmp_path / "night.jsonl", forget)
    ended = run([*SLABTUI, "--replay", str(path), "-C"])
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("names_cache") == 3


def test_a_recording_of_a_later_schema_is_refused_in_one_line(tmp_path: Path) -> None:
    path = recorded(tmp_path / "night.jsonl", lambda line: line.update(schema="slabtui/3"))
    ended = run([*SLABTUI, "--replay", str(path)])
    assert ended.returncode == 1
    reported = f"{path}, line 1: schema 'slabtui/3', and this slabtui knows slabtui/1 and slabtui/2"
    assert ended.stderr == f"slabtui: {reported}: name a file that --record has written\n"
    demand_refusal([*SLABTUI, "--replay", str(path)], f"{reported}: name a file that --record has written")
