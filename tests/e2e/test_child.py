"""The child process that compiles: each failure is one line, and on an open screen a note.

The children are real, and the failures happen to them.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import interpreters
from slabtui.kernel.bpf.compiler import Compiler
from tests import ROOT
from tests.e2e.test_terminal import LEAVE_SCREEN
from tests.support import tasks
from tests.support.bpf import gone, program_ids
from tests.support.interpreters import bcc_version, interpreter, naming, with_bcc, with_package
from tests.support.terminal import Terminal

pytestmark = pytest.mark.live

SLABTUI = [sys.executable, "-m", "slabtui"]
IMPATIENT = [  # a hang is given up after 2 s
    sys.executable,
    "-c",
    "import sys\nfrom slabtui.cli.main import main\n"
    "from slabtui.kernel.bpf import child\nchild.PATIENCE = 2.0\nsys.exit(main())",
]
WHEN_COMPILING = "import bcc, ctypes, time; bcc.BPF.__init__ = lambda *a, **k: "
ENDS = {
    "aborted": ("os.abort()", "the compiler was ended by SIGABRT"),
    "crashed": ("ctypes.string_at(0)", "the compiler was ended by SIGSEGV"),
    "killed": ("os.kill(os.getpid(), 9)", "the compiler was ended by SIGKILL"),
    "exited": ("os._exit(3)", "the compiler ended with status 3"),
    "exited well": ("os._exit(0)", "the compiler ended with status 0"),
    "spoke": ("(os.write(2, b'no \\x1b[2Jroom\\n'), os._exit(4))", r"the compiler ended with status 4: no \x1b[2Jroom"),
    "raised": ("1 / 0", f"bcc {bcc_version()} cannot compile the BPF program (division by zero)"),
}
ANOTHER = f"update bcc, or name the interpreter of another one in {interpreters.SETTING}"


def run(path: Path | str, *arguments: str, command: list[str] = SLABTUI) -> "subprocess.CompletedProcess[str]":
    arguments = arguments or ("-C", "0.1", "1")
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **naming(path)},
    )


def complaint(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return the error message of a program, which must be one line."""
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("slabtui: ")
    return line


@pytest.mark.parametrize(("code", "reported"), ENDS.values(), ids=ENDS)
def test_a_child_that_ends_at_the_start_is_one_line(code: str, reported: str, tmp_path: Path) -> None:
    before = program_ids()
    python = interpreter(tmp_path, WHEN_COMPILING + code)
    with Terminal(SLABTUI, (200, 24), naming(python)) as terminal:
        had = terminal.settings
        assert terminal.wait_for_exit() == 1
        assert reported in terminal.output.decode()
        assert len(terminal.output.decode().splitlines()) == 1
        assert LEAVE_SCREEN not in terminal.output
        assert terminal.settings == had
    assert gone(before)


@pytest.mark.parametrize(("code", "reported"), ENDS.values(), ids=ENDS)
def test_a_child_that_ends_later_is_a_note_and_counting_goes_on(code: str, reported: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    python = interpreter(tmp_path, f"if number > 1 and os.path.exists({str(broken)!r}):\n    {WHEN_COMPILING}{code}")
    with Terminal([*SLABTUI, "0.2"], (500, 24), naming(python)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: f"frees not counted: {reported}" in terminal.text)
        clock = terminal.lines[0]
        terminal.wait_for(lambda: terminal.lines[0] != clock)
        broken.unlink()
        terminal.type("f")  # off, and on: it is tried again
        terminal.wait_for(lambda: "frees not counted" not in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: "FREES" in terminal.text and "frees not counted" not in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_child_that_hangs_at_the_start_is_one_line(tmp_path: Path) -> None:
    ended = run(interpreter(tmp_path, WHEN_COMPILING + "time.sleep(600)"), command=IMPATIENT)
    assert complaint(ended).startswith("slabtui: the compiler did not finish within 2 s: ")


def test_a_child_that_hangs_during_an_inspection_is_a_note_and_the_screen_answers(tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"if number == 2:\n    {WHEN_COMPILING}time.sleep(600)")
    with Terminal([*IMPATIENT, "0.2"], (200, 24), naming(python)) as terminal:
        terminal.wait_for(lambda: "filp" in terminal.text)
        terminal.type("/~^filp$\r")
        terminal.wait_for(lambda: "1 of " in terminal.text)
        terminal.type("\r")
        terminal.wait_for(lambda: "Collecting" in terminal.text)
        clock = terminal.lines[0]
        terminal.wait_for(lambda: terminal.lines[0] != clock, seconds=1.5)  # the collector does not wait for it
        terminal.wait_for(lambda: "not counted: the compiler did not finish within 2 s" in terminal.text)
        terminal.type("\x1b")
        terminal.wait_for(lambda: "CACHE" in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_hanging_child_does_not_keep_slabtui_from_ending(tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"if number == 2:\n    {WHEN_COMPILING}time.sleep(600)")
    with Terminal([*SLABTUI, "0.2"], (200, 24), naming(python)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: children(terminal.pid) != [])
        found = children(terminal.pid)  # of the probes on bulk functions too, for a moment
        terminal.type("q")
        assert terminal.wait_for_exit(seconds=20) == 0
    wait_until_gone(found)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)])
def test_a_signal_while_the_child_works_ends_both(number: int, status: int, tmp_path: Path) -> None:
    python = interpreter(tmp_path, WHEN_COMPILING + "time.sleep(600)")
    with Terminal(SLABTUI, (200, 24), naming(python)) as terminal:
        terminal.wait_for(lambda: children(terminal.pid) != [])
        time.sleep(0.5)
        found = children(terminal.pid)
        os.kill(terminal.pid, number)
        assert terminal.wait_for_exit() == status
        assert b"Traceback" not in terminal.output
    assert found
    wait_until_gone(found)


def test_a_child_whose_parent_is_killed_is_killed_too(tmp_path: Path) -> None:
    python = interpreter(tmp_path, WHEN_COMPILING + "time.sleep(600)")
    with subprocess.Popen([*SLABTUI, "-C"], env={**os.environ, **naming(python)}) as process:
        while "sleep" not in (found := states(process.pid)):
            time.sleep(0.05)
        process.kill()
    wait_until_gone(found["sleep"])


def wait_until_gone(pids: list[int]) -> None:
    """Wait until none of these processes exists; a hanging one would stay for ten minutes."""
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, f"{pids} are still there"
        time.sleep(0.05)


def states(pid: int) -> dict[str, list[int]]:
    """Return the children that sleep in the place of a compilation."""
    sleeping = [child for child in children(pid) if "nanosleep" in Path(f"/proc/{child}/wchan").read_text()]
    return {"sleep": sleeping} if sleeping else {}


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())) + [
        int(child)
        for thread in os.listdir(f"/proc/{pid}/task")
        if int(thread) != pid
        for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
    ]


def test_what_a_child_prints_reaches_no_screen_and_does_no_harm(tmp_path: Path) -> None:
    flood = "os.write(1, b'to one\\n'); os.write(2, b'to two\\n'); os.write(1, b'x' * (8 << 20))"
    with Terminal([*SLABTUI, "0.2"], (200, 24), naming(interpreter(tmp_path, flood))) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: "FREES" in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert b"to one" not in terminal.output
        assert b"to two" not in terminal.output


@contextmanager
def memory_group(limit: int) -> Iterator[Path]:
    """Make a control group that limits the memory of its processes, in the hierarchy that has the controller."""
    old, new = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    group = (old if old.is_dir() else new) / f"slabtui-oom-{os.getpid()}"
    if not old.is_dir():
        (new / "cgroup.subtree_control").write_text("+memory")
    group.mkdir()
    try:
        (group / ("memory.limit_in_bytes" if old.is_dir() else "memory.max")).write_text(str(limit))
        yield group
    finally:
        group.rmdir()


def test_a_child_that_runs_out_of_memory_is_reported_with_where_the_kernel_logs_it(tmp_path: Path) -> None:
    with memory_group(16 << 20) as group:
        join = f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')"
        reported = complaint(run(interpreter(tmp_path, join)))
    assert reported.startswith("slabtui: the compiler was ended by SIGKILL: free some memory; see dmesg")


def test_too_little_memory_for_the_compiler_is_reported_with_its_limit() -> None:
    """How much is enough depends on the distribution; where it is not, the line says which limit to raise."""
    reported = []
    for mebibytes in (100, 160, 240):
        limited = ["bash", "-ec", f'ulimit -v {mebibytes << 10}\nexec "$@"', "bash", *SLABTUI]
        ended = run(with_bcc(), command=limited)
        if ended.returncode:
            reported.append(complaint(ended))
    assert reported
    assert all(re.fullmatch(r"slabtui: .* `?ulimit -v( unlimited|`)", line) for line in reported)


def test_a_child_that_may_not_be_started_is_reported_with_the_limit() -> None:
    """The limit is that of a control group: `ulimit -u` does not apply to root."""
    with tasks.limited(1) as group:
        ended = run(with_bcc(), command=[*tasks.inside(group), *SLABTUI])
    assert complaint(ended) == (
        "slabtui: cannot start the compiler (Resource temporarily unavailable): "
        "raise `ulimit -u`, or pids.max of the control group"
    )


def test_a_child_whose_maps_the_kernel_refuses_is_one_line(tmp_path: Path) -> None:
    """seccomp refuses them, in the child only."""
    refuse = f"sys.path.insert(0, {str(ROOT)!r})\nfrom tests.support.refusal import refuse\nrefuse(1, 0)"
    reported = complaint(run(interpreter(tmp_path, refuse)))
    assert "cannot compile the BPF program (could not open bpf map: " in reported
    assert "run it as root, outside of a container" in reported


@pytest.mark.parametrize(
    ("package", "reported"),
    [
        ("raise OSError('libLLVM.so: cannot open')", "no Python here can import bcc (tried {python}; libLLVM.so: "),
        ("__version__ = '0.9'\nraise AttributeError('undefined symbol: x')", "tried {python}; undefined symbol: x)"),
        ("__version__ = '0.31.0'", "tried {python}; module 'bcc' has no attribute 'BPF')"),
        ("", "tried {python}; module 'bcc' has no attribute 'BPF')"),
        ("class BPF:\n    dump_func = None", "bcc unknown cannot compile the BPF program (BPF() takes no arguments)"),
        (
            "__version__ = '0.17.0'\nclass BPF:\n    dump_func = None",
            "bcc 0.17.0 is too old: slabtui needs 0.18: ",
        ),
    ],
)
def test_an_unusable_bcc_is_reported_with_how_to_install_one(package: str, reported: str, tmp_path: Path) -> None:
    python = with_package(tmp_path, package)
    line = complaint(run(python))
    assert reported.format(python=python) in line
    assert "install" in line or ANOTHER in line


@pytest.mark.parametrize("version", ["0.31.0+a1b2c3d4", "1.0", "v0.2-dirty", "EAD-HASH-NOTFOUND+GITDIR-", None])
def test_a_bcc_that_is_new_or_of_no_version_is_used(version: str | None, tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"import bcc; bcc.__version__ = {version!r}")
    assert run(python).returncode == 0


def test_a_missing_interpreter_is_reported() -> None:
    assert complaint(run("/nowhere/python3")).startswith(
        "slabtui: no Python here can import bcc (tried /nowhere/python3): "
    )


def test_the_next_interpreter_is_tried_where_one_has_no_bcc(tmp_path: Path) -> None:
    first = with_package(tmp_path, "raise ImportError('not for this Python')")
    compiler = Compiler(["/nowhere/python3", str(first), with_bcc()])
    compiled = compiler.compile("#include <uapi/linux/bpf.h>\nint on_event(void *context) { return 0; }\n", [])
    assert list(compiled.programs) == ["on_event"]
    compiler.close()


def test_two_compilations_at_once_do_not_disturb_each_other() -> None:
    compiler = Compiler()
    source = "#include <uapi/linux/bpf.h>\nBPF_ARRAY(numbers, u64, 4);\nint on_event(void *c) {{ return {}; }}\n"
    found: dict[int, bytes] = {}

    def compile_one(number: int) -> None:
        compiled = compiler.compile(source.format(number), [])
        found[number] = compiled.programs["on_event"]
        os.close(compiled.maps["numbers"])

    threads = [threading.Thread(target=compile_one, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found.values())) == 2


def test_a_closed_compiler_compiles_no_more() -> None:
    compiler = Compiler()
    compiler.close()
    with pytest.raises(SlabtuiError, match="the compiler was ended by SIGKILL"):
        compiler.compile("int on_event(void *context) { return 0; }\n", [])


def test_a_module_in_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    """Root may start slabtui in the directory of another user, whose code must not run."""
    for name in ("bcc.py", "json.py", "socket.py", "ctypes.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'taken')!r}, 'w')\nraise SystemExit(9)\n")
    command = [sys.executable, "-P", "-m", "slabtui", "-C", "0.1", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert not (tmp_path / "taken").exists()
