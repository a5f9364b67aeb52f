"""The command line: each error is one line with a remedy, and the right exit status."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from slabtui.cli.parser import parser
from slabtui.errors import SlabtuiError, Status
from slabtui.kernel import capabilities
from tests.support.bpf import gone, program_ids
from tests.support.interpreters import naming, with_package
from tests.support.terminal import Terminal
from tests.support.unprivileged import unprivileged


def run(*arguments: str, **more: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "slabtui", *arguments], capture_output=True, text=True, check=False, **more
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["0"], "interval"),
        (["0.09"], "0.1 to 3600"),
        (["3601"], "0.1 to 3600"),
        (["nan"], "0.1 to 3600"),
        (["inf"], "0.1 to 3600"),
        (["soon"], "'soon'"),
        (["1", "0"], "count"),
        (["1", "-3"], "-3"),
        (["1", "2.5"], "'2.5'"),
        (["1", "2", "3"], "unrecognized arguments: 3"),
        (["-p", "0"], "PID"),
        (["-p", "x"], "'x'"),
        (["-p", "4194305"], "no process 4194305"),
        (["-s", "size"], "no column 'size': choose one of name, objsize, allocs, frees, bytes, live, "),
        (["-o", "name,size"], "argument -o/--columns: no column 'size': choose one of name, objsize, allocs, frees, "),
        (["-o", ""], "no column ''"),
        (["-o", "name,,mem"], "no column ''"),
        (["-d", "soon"], "argument -d/--interval: 'soon'"),
        (["-n", "0"], "argument -n/--count: '0' is not a count"),
        (["-f", "~("], "not a regular expression"),
        (["--frobnicate"], "--frobnicate"),
        (["-p", "1", "-p", "4194305"], "no process 4194305"),
        (["--callers", "dentry", "--stacks", "dentry"], "not allowed with argument --callers"),
        (["--callers"], "--callers: expected one argument"),
        (["--output", "flames"], "invalid choice: 'flames'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: list[str], named: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == Status.USAGE
    assert ended.stdout == ""
    line, *more = ended.stderr.splitlines()
    assert not more
    assert line.startswith("slabtui: ")
    assert named in line
    assert line.endswith("see slabtui --help")


def test_a_thread_is_no_process() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with pytest.raises(SlabtuiError, match=f"{thread.native_id} is a thread of process {os.getpid()}"):
            parser().parse_args(["-p", str(thread.native_id)])
    finally:
        stop.set()
        thread.join()


def test_help_and_version_need_nothing() -> None:
    ended = run("--help", env={**os.environ, "COLUMNS": "80"})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert run("-h").stdout.splitlines()[0] == "usage: slabtui [options] [interval [count]]"
    assert run("-V").stdout.startswith("slabtui ")


@pytest.mark.parametrize("option", ["-V", "--help"])
def test_help_and_version_import_no_urwid(option: str) -> None:
    loaded = run(option, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}).stderr
    assert "slabtui.cli.main" in loaded
    assert " urwid" not in loaded


def test_without_a_keyboard_it_says_so() -> None:
    with Terminal(["sh", "-c", f"{sys.executable} -m slabtui </dev/null"]) as terminal:
        assert terminal.wait_for_exit() == Status.FAILED
        assert b"slabtui: standard input is not a terminal: run slabtui in one" in terminal.output


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_without_a_screen_is_refused(term: str) -> None:
    with Terminal([sys.executable, "-m", "slabtui"], env={"TERM": term}) as terminal:
        assert terminal.wait_for_exit() == Status.FAILED
        assert b"TERM does not name a terminal with a screen: set it" in terminal.output


@pytest.mark.live
def test_without_privileges_it_says_how_to_get_them() -> None:
    before = program_ids()
    command = [*unprivileged(), sys.executable, "-m", "slabtui"]
    with Terminal(command) as terminal:
        assert terminal.wait_for_exit() == Status.FAILED
        assert terminal.output == (
            b"slabtui: not allowed to load BPF programs: run it as root: sudo slabtui, "
            b"or with CAP_BPF and CAP_PERFMON\r\n"
        )
    assert gone(before)


def test_privileges_are_read_from_the_effective_capabilities(tmp_path: Path) -> None:
    status = tmp_path / "status"
    enough = [1 << 21, (1 << 38) | (1 << 39)]
    for held in enough:
        status.write_text(f"Name:\tx\nCapEff:\t{held:016x}\n")
        capabilities.demand(status)
    for held in (0, 1 << 38, 1 << 39, ~((1 << 21) | (1 << 38)) & 0xFFFFFFFFFF):
        status.write_text(f"Name:\tx\nCapEff:\t{held:016x}\n")
        with pytest.raises(SlabtuiError, match="sudo slabtui"):
            capabilities.demand(status)


def test_a_python_without_bcc_is_one_line_that_says_how_to_get_it(tmp_path: Path) -> None:
    python = with_package(tmp_path, "raise ImportError('no libbcc.so.0')")
    with Terminal([sys.executable, "-m", "slabtui"], (200, 24), naming(python)) as terminal:
        assert terminal.wait_for_exit() == Status.FAILED
        line = f"slabtui: no Python here can import bcc (tried {python}; no libbcc.so.0): "
        assert line in terminal.output.decode()
        assert b"install" in terminal.output
        assert b"Traceback" not in terminal.output
