"""The program ends by an exception that it can catch."""

import subprocess
import sys

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
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "caught\n", "")
