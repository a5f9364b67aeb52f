"""The program ends by an exception that it can catch."""

import subprocess
import sys

import pytest

from slabtui.system.ending import Ending

PROGRAM = """
import os, signal
from slabtui.system.ending import Ending

signal.signal(signal.SIGINT, signal.SIG_DFL)
ending = Ending()
ending.install()
try:
    exec("while True: os.kill(os.getpid(), signal.SIGINT)")
except KeyboardInterrupt:
    print("caught")
ending.end()
"""


def test_an_interrupt_that_passed_through_exec_does_not_end_the_program_by_a_signal() -> None:
    """SIGINT while a module with dataclasses was imported: the exit status was that of a signal."""
    assert run(PROGRAM) == (0, "caught\n", "")


IN_SET_NAME = """
import os, signal
from slabtui.system.ending import Ending

class Field:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.{number})

ending = Ending()
ending.install()
try:
    with ending.unwrap():
        class Scene:
            holders = Field()
except (KeyboardInterrupt, SystemExit) as error:
    print(type(error).__name__)
ending.end()
"""


@pytest.mark.parametrize(("number", "raised"), [("SIGINT", "Interrupted"), ("SIGTERM", "SystemExit")])
def test_a_signal_while_a_dataclass_is_made_is_no_error_of_the_class(number: str, raised: str) -> None:
    """A traceback: Python 3.11 raises RuntimeError from what __set_name__() raises."""
    assert run(IN_SET_NAME.format(number=number)) == (0, f"{raised}\n", "")


def test_other_errors_keep_their_cause() -> None:
    ending = Ending()
    with pytest.raises(ValueError, match="wrong") as caught, ending.unwrap():
        raise ValueError("wrong") from OSError("disk")
    assert isinstance(caught.value.__cause__, OSError)


def run(program: str) -> tuple[int, str, str]:
    """Run a program in a Python of its own; return its status and what it wrote on standard output and error."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr
