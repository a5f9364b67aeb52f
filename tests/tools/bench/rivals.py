"""The programs whose memory and start are compared: slabtui, slabtui with bcc in its process, and other tools."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf import interpreters, sources
from slabtui.kernel.bpf.child import Compiled
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.probe import Probe
from tests import ROOT
from tests.tools.bench import bpftrace
from tests.tools.bench.piped import DoesNotRunError
from tests.tools.bench.terminal import SLABTUI as COMMAND
from tests.tools.bench.terminal import Program, executing

LAST_IN_PROCESS = "c518281"  # the last commit at which slabtui imported bcc itself

_PYTHON = (sys.executable, "-P")  # this interpreter, without modules of the working directory
_COUNT_OF_PROCESSES = re.compile(r"\d+/\d+")  # below btop's list
_BPFTRACE_INTERVAL = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Rival:
    """A program on a terminal.

    Attributes:
        name: what it is called in the tables.
        command: its command line.
        complete: whether these lines are its whole first frame, or its first output.
        environment: variables that it needs in addition to those of this process.
        idle: seconds before that in which it only waits for its first interval to end.
    """

    name: str
    command: Sequence[str]
    complete: Callable[[list[str]], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    idle: float = 0.0

    @contextmanager
    def running(self, *arguments: str) -> Iterator[tuple[Program, float]]:
        """Start it; yield it with the seconds until its first frame.

        Raises:
            DoesNotRunError: it does not draw it.
        """
        if shutil.which(self.command[0]) is None:
            raise DoesNotRunError(f"{self.command[0]} is not installed")
        with executing([*self.command, *arguments], self.environment) as program:
            yield program, program.wait(self.complete) - program.started - self.idle


def slabtui() -> Rival:
    """Return slabtui."""
    return Rival("slabtui", COMMAND, _has_quit)


def all_but_slabtui(scratch: Path) -> list[Rival]:
    """Return the others.

    Args:
        scratch: a directory for what they need.
    """
    bcc = _copy_of_bcc(scratch)
    home = {"HOME": str(scratch), "XDG_CONFIG_HOME": str(scratch)}  # some write their settings when they end
    counting = Rival("bpftrace, one line", bpftrace.command(), _has_table, idle=_BPFTRACE_INTERVAL)
    return [
        *_old_slabtui(scratch / LAST_IN_PROCESS, bcc),
        _compiled_in_process(scratch, bcc),
        Rival("htop", ["htop"], _has_quit, home),
        Rival("btop", ["btop"], _has_count, home),
        counting,
    ]


def _old_slabtui(directory: Path, bcc: Path) -> list[Rival]:
    """Return the last slabtui with bcc in its process, from the history of this checkout; nothing without one."""
    archive = directory.with_suffix(".zip")
    command = ["git", "archive", f"--output={archive}", LAST_IN_PROCESS, "slabtui"]
    try:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    with zipfile.ZipFile(archive) as files:
        files.extractall(directory)
    name = f"slabtui at {LAST_IN_PROCESS}, bcc in its process"
    return [Rival(name, [*_PYTHON, "-m", "slabtui"], _has_quit, {"PYTHONPATH": f"{directory}:{bcc}"})]


def _compiled_in_process(scratch: Path, bcc: Path) -> Rival:
    """Return a Python that imports bcc, compiles what slabtui compiles at its start, and waits."""
    request = scratch / "request.json"
    with sources.headers_directory() as headers:
        request.write_text(json.dumps({**_request(), "headers": str(headers)}), encoding="utf-8")
    script = Path(__file__).with_name("inprocess.py")
    name = "Python with bcc, the same programs compiled"
    command = [*_PYTHON, str(script), str(request)]
    return Rival(name, command, lambda lines: "compiled" in "\n".join(lines), {"PYTHONPATH": str(bcc)})


class _Listener(Compiler):
    """A compiler that keeps what it is asked to compile."""

    request: Mapping[str, object]

    def compile(self, source: str, options: Sequence[str]) -> Compiled:
        """Compile it."""
        self.request = {"source": source, "cflags": list(options)}
        return super().compile(source, options)


def _request() -> Mapping[str, object]:
    """Return the source and the options of what slabtui compiles at its start."""
    listener = _Listener()
    Probe(offsets.read(), compiler=listener).close()
    return listener.request


def _copy_of_bcc(scratch: Path) -> Path:
    """Return a directory with a copy of the distribution's bcc, which is Python only: any interpreter can import it."""
    script = "import bcc, os; print(os.path.dirname(bcc.__file__))"
    for python in interpreters.candidates():
        ended = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            shutil.copytree(ended.stdout.strip(), scratch / "libraries" / "bcc")
            break
    return scratch / "libraries"


def _has_quit(lines: list[str]) -> bool:
    """Return whether the bottom line is drawn, which slabtui and htop draw last."""
    return "Quit" in lines[-1]


def _has_count(lines: list[str]) -> bool:
    return _COUNT_OF_PROCESSES.search(lines[-1]) is not None


def _has_table(lines: list[str]) -> bool:
    return any(line.startswith("@[") for line in lines)
