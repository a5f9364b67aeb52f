"""On arm64: the BPF programs compile for it; kmalloc's caches are not told there.

No such machine was at hand: whether the kernel there takes them is not shown here.
"""

import os
import subprocess
import sys

import pytest

from slabtui.kernel import directmap

PROGRAMS = {"allocs.bpf.c": 6, "frees.bpf.c": 3, "look.bpf.c": 5}  # and their tallies
COMPILE = """
import sys
from slabtui.kernel import layout
from slabtui.kernel.module import Kit, Module, import_bcc
file, tallies = sys.argv[1:]
table = [] if file == "look.bpf.c" else ["table.bpf.h"]
sizes = ["-DSLOT_BITS=4", "-DENTRIES=16", "-DSTACKS=16", "-DREST=1", f"-DTALLIES={tallies}"]
Module(Kit(import_bcc(), layout.read().macros()), ["common.bpf.h", *table, file], sizes)
"""


@pytest.mark.live
@pytest.mark.parametrize("file", PROGRAMS)
def test_every_program_compiles_for_arm64(file: str) -> None:
    """bcc takes from ARCH which machine it compiles for."""
    found = subprocess.run(
        [sys.executable, "-c", COMPILE, file, str(PROGRAMS[file])],
        env=os.environ | {"ARCH": "arm64"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_the_address_arithmetic_is_off_where_it_is_not_known() -> None:
    assert list(directmap.guesses(machine="aarch64")) == []
