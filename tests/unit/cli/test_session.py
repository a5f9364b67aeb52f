"""A run of the program imports only what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from slabtui.cli import command_line, session
from slabtui.errors import SlabtuiError, Status
from slabtui.system.ending import Ending

# Opens the screen, which ends at once; prints whether what reads recordings was imported.
PROGRAM = """
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from slabtui.cli import command_line, consumers
from slabtui.views.app import App

App.run = lambda self, producer: None
ending = SimpleNamespace(screen=nullcontext, begin=print, next_step=lambda: None)
consumers._open_screen(command_line.parse(sys.argv[1:]), None, None, ending, lambda: ())
print("cattrs" in sys.modules)
"""


@pytest.mark.parametrize(("arguments", "imported"), [([], "False\n"), (["--demo"], "True\n")])
def test_the_screen_of_the_running_kernel_needs_nothing_that_reads_recordings(
    arguments: list[str], imported: str
) -> None:
    """It takes 20 ms and 5 MB."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.stdout, ran.stderr) == (imported, "")


def test_a_report_that_cannot_be_written_is_refused_before_the_kernel_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(session, "open_kernel")
    path = tmp_path / "none" / "a.html"
    with pytest.raises(SlabtuiError) as caught:
        session.run(command_line.parse(["--report", str(path)]), "slabtui", Ending(), print)
    assert caught.value.status == Status.USAGE
    reason = f"cannot write {path} (No such file or directory)"
    assert str(caught.value) == f"{reason}: create its directory first, with mkdir -p"
