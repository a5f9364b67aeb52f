"""The process of the live screen maps nothing of bcc, LLVM or clang: only the child that compiles does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bpf import held_by
from tests.support.interpreters import with_bcc
from tests.support.terminal import Terminal

COMPILER = re.compile("LLVM|libbcc|clang")
PROGRAMS = 8  # two at allocations, two that they call, two at frees, two of the inspection
CALLER = re.compile(r"\+0x[0-9a-f]+ ")

pytestmark = pytest.mark.live


def mapped_by_bcc() -> str:
    """Return the files that a Python maps after it has imported bcc."""
    script = "import bcc; print(open('/proc/self/maps').read())"
    return subprocess.run([with_bcc(), "-c", script], capture_output=True, text=True, check=True).stdout


def test_no_part_of_the_compiler_is_mapped_while_frees_are_counted_and_a_page_is_open() -> None:
    assert COMPILER.search(mapped_by_bcc())
    with Terminal([sys.executable, "-m", "slabtui", "-s", "allocs", "0.2"], size=(120, 30)) as terminal:
        terminal.wait_for(lambda: "filp" in terminal.text)
        terminal.type("f")
        terminal.wait_for(lambda: "FREES" in terminal.text)
        terminal.type("\r4")
        terminal.wait_for(lambda: bool(CALLER.search(terminal.text)))
        terminal.wait_for(lambda: len(held_by(terminal.pid)[0]) >= PROGRAMS)
        lines = Path(f"/proc/{terminal.pid}/maps").read_text().splitlines()
        children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text()
    assert [line for line in lines if COMPILER.search(line)] == []
    assert children == ""
