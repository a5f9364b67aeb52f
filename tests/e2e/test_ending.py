"""The end of the program: it stops counting at once, and ends within seconds even if a write or a read blocks.

Nothing reads the terminal or the pipe of these programs after it is full.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.test_terminal import restored
from tests.support.bpf import gone, program_ids
from tests.support.terminal import Terminal

SLABTUI = [sys.executable, "-m", "slabtui"]
FAULTY = [sys.executable, "-m", "tests.support.faulty"]
ENDS_WITHIN = 10.0  # seconds; two of them are slabtui's, the rest is for a busy machine
SIGNALS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
OUTPUTS = [["-C"], ["--output", "csv"], ["--output", "json"]]
SMALLEST_PIPE = 4096  # bytes

# Notifies the main loop more often than the pipe has room for, before the loop reads anything.
FLOOD = """
from slabtui.producer import Snapshots
from slabtui.views.app import App
from slabtui.views.state import State

class Flood(Snapshots):
    def subscribe(self, queue):
        self.notify = queue._notify

    def start(self):
        for _ in range(70_000):
            self.notify()

App(State(1.0)).run(Flood())
"""


def wait_for(seen: Callable[[], bool], seconds: float = ENDS_WITHIN) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, f"not seen within {seconds} s"
        time.sleep(0.02)


def blocked(pid: int) -> bool:
    """Return whether a thread of a process waits for room in a pipe or a terminal."""
    waits = ("pipe_write", "anon_pipe_write", "n_tty_write", "wait_woken")
    for task in os.listdir(f"/proc/{pid}/task"):
        with suppress(FileNotFoundError):  # the thread has ended
            if Path(f"/proc/{pid}/task/{task}/wchan").read_text() in waits:
                return True
    return False


@contextmanager
def into_a_full_pipe(*command: str, stderr: int | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program whose output nothing reads, and wait until it blocks."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    process = subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *command], stdout=writer, stderr=writer if stderr is None else stderr
    )
    os.close(writer)
    try:
        wait_for(lambda: blocked(process.pid), 60)
        yield process
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def status_of(process: "subprocess.Popen[bytes]") -> int:
    return process.wait(timeout=ENDS_WITHIN)


@contextmanager
def unread(*command: str, **more: object) -> Iterator[Terminal]:
    """Start a program in a terminal that is read only until a table appears; wait until the program blocks."""
    with Terminal(command, **more) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        wait_for(lambda: blocked_for_good(terminal.pid), 60)
        stop_output(terminal.pid)
        yield terminal


def stop_output(pid: int) -> None:
    """Stop the output of a terminal, as Ctrl-S does: one that is full may still accept a text of a few bytes."""
    terminal = os.open(f"/proc/{pid}/fd/1", os.O_RDWR | os.O_NOCTTY)
    try:
        termios.tcflow(terminal, termios.TCOOFF)
    finally:
        os.close(terminal)


def blocked_for_good(pid: int) -> bool:
    """Return whether a process still waits for its terminal after more than an interval."""
    if not blocked(pid):
        return False
    time.sleep(0.3)
    return blocked(pid)


def end_unread(terminal: Terminal) -> int:
    """Wait for the end of a program without reading its terminal, and return its exit status."""
    wait_for(lambda: not terminal.running)
    assert terminal.status is not None
    return terminal.status


def test_a_loop_that_reads_nothing_does_not_block_the_producer() -> None:
    with Terminal([sys.executable, "-c", FLOOD]) as terminal:
        terminal.wait_for(lambda: "waiting for the first interval" in terminal.text, 20)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_ends_it_though_the_pipe_is_full(
    output: list[str], number: signal.Signals, status: int, tmp_path: Path
) -> None:
    """After SIGINT it prints the counts so far; that nothing reads them is an error."""
    closed = tmp_path / "closed"
    with into_a_full_pipe("env", f"CLOSED={closed}", *FAULTY, "many", *output, "0.1") as process:
        assert not closed.exists()
        process.send_signal(number)
        assert status_of(process) == status
        assert closed.exists()


@pytest.mark.live
@pytest.mark.parametrize("arguments", [["-C"], ["--callers", "filp"], ["--output", "csv"]])
def test_a_signal_detaches_though_the_pipe_is_full(arguments: list[str]) -> None:
    before = program_ids()
    with into_a_full_pipe(*SLABTUI, *arguments, "0.1") as process:
        process.send_signal(signal.SIGTERM)
        assert status_of(process) == 143
    assert gone(before)


def test_counting_ends_before_the_output_does(tmp_path: Path) -> None:
    """After SIGINT it waits for a reader that reads, but detaches first."""
    closed = tmp_path / "closed"
    command = ["env", f"CLOSED={closed}", *FAULTY, "many", "--output", "json", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        wait_for(lambda: blocked(process.pid), 60)
        process.send_signal(signal.SIGINT)
        wait_for(closed.exists, 0.9)
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert all(line.startswith(b"{") and line.endswith(b"}") for line in lines)


def test_a_slow_reader_gets_everything_after_an_interrupt() -> None:
    """The reader takes a little at a time, and much longer than a second for everything."""
    with subprocess.Popen([*FAULTY, "many", "--output", "json", "0.1"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        wait_for(lambda: blocked(process.pid), 60)
        process.send_signal(signal.SIGINT)
        descriptor = process.stdout.fileno()
        got = bytearray()
        while select.select([descriptor], [], [], 5)[0] and (part := os.read(descriptor, 8192)):
            got += part
            time.sleep(0.1)
    assert process.returncode == 0
    assert got.endswith(b"}\n")


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_ends_the_screen_though_its_terminal_is_not_read(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    with Terminal(["sleep", "0"]) as fresh:
        usual = fresh.settings
    with unread(*FAULTY, "many", "0.1", size=(200, 50), env={"CLOSED": str(closed)}) as terminal:
        assert terminal.settings != usual
        os.kill(terminal.pid, number)
        wait_for(closed.exists)  # a program that was ended by force closes nothing
        assert end_unread(terminal) == status
        assert terminal.settings == usual
        terminal.draw_for(0.3)
        assert restored(terminal)


@pytest.mark.live
def test_a_signal_detaches_though_the_terminal_is_not_read() -> None:
    before = program_ids()
    with unread(*SLABTUI, "-f", "~.", "0.1", size=(200, 50)) as terminal:
        os.kill(terminal.pid, signal.SIGTERM)
        assert end_unread(terminal) == 143
    assert gone(before)


def test_a_stopped_terminal_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with Terminal(["sleep", "0"]) as fresh:
        usual = fresh.settings
    with Terminal([*FAULTY, "many", "0.1"]) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("\x13")  # Ctrl-S
        wait_for(lambda: blocked_for_good(terminal.pid))
        os.kill(terminal.pid, signal.SIGTERM)
        assert end_unread(terminal) == 143
        assert terminal.settings == usual
        terminal.draw_for(0.3)
        assert restored(terminal)


def test_a_second_signal_is_fatal() -> None:
    with unread(*FAULTY, "many", "0.1", size=(200, 50)) as terminal:
        os.kill(terminal.pid, signal.SIGTERM)
        time.sleep(0.2)
        assert terminal.running
        began = time.monotonic()
        os.kill(terminal.pid, signal.SIGHUP)
        assert end_unread(terminal) == 143
        assert time.monotonic() - began < 0.6  # the first one alone would take 0.8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_whose_exception_python_drops_ends_it(number: signal.Signals) -> None:
    """Python drops exceptions that are raised in the callback of a weak reference, such as that of an import lock."""
    command = [*FAULTY, "dropping", str(number.value)]
    ended = subprocess.run(
        ["env", "--default-signal=INT", *command], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0 if number == signal.SIGINT else 128 + number, "")


def test_a_source_that_hangs_does_not_keep_it_from_ending() -> None:
    with Terminal([*FAULTY, "hanging", "0.1"]) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.draw_for(0.5)
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_for_exit(ENDS_WITHIN) == 143
        assert restored(terminal)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize("arguments", ["--record DISK/it 0.1", "--record DISK/it -C 0.1", "--output json 0.1 >DISK/it"])
def test_a_disk_that_hangs_keeps_nothing_attached(arguments: str, tmp_path: Path) -> None:
    """A write to a frozen file system sleeps so that not even SIGKILL ends it, as with NFS without its server."""
    closed, place, image = tmp_path / "closed", tmp_path / "disk", tmp_path / "image"
    place.mkdir()
    for command in (
        ["truncate", "-s", "16M", image],
        ["mkfs.ext4", "-q", image],
        ["mount", "-o", "loop", image, place],
    ):
        subprocess.run(list(map(str, command)), check=True)
    try:
        script = f"exec {' '.join(FAULTY)} many {arguments.replace('DISK', str(place))}"
        with Terminal(["sh", "-c", script], env={"CLOSED": str(closed)}, size=(120, 24)) as terminal:
            terminal.wait_for(lambda: (place / "it").exists() and (place / "it").stat().st_size > 0)
            terminal.draw_for(0.5)
            subprocess.run(["fsfreeze", "-f", str(place)], check=True)
            try:
                terminal.draw_for(1)
                if "LIVE" in terminal.text:
                    clock = terminal.lines[0]
                    terminal.wait_for(lambda: terminal.lines[0] != clock)  # the screen goes on
                os.kill(terminal.pid, signal.SIGTERM)
                end = time.monotonic() + 5
                while not closed.exists():
                    assert time.monotonic() < end
                    terminal.draw_for(0.05)
            finally:
                subprocess.run(["fsfreeze", "-u", str(place)], check=True)
            assert terminal.wait_for_exit() == 143
    finally:
        subprocess.run(["umount", str(place)], check=True)
