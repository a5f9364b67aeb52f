"""Which capabilities a process has, which are needed, and that dropping the others is final."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.capabilities import COUNTING, SCREEN, Capability

EVERYTHING = (1 << 41) - 1


def status(tmp_path: Path, effective: int) -> Path:
    """Return a file like /proc/self/status in which only the effective set is what it seems."""
    path = tmp_path / "status"
    sets = {"CapInh": EVERYTHING, "CapPrm": EVERYTHING, "CapEff": effective, "CapBnd": EVERYTHING, "CapAmb": 0}
    path.write_text("Name:\tCapEff: 1\n" + "".join(f"{name}:\t{value:016x}\n" for name, value in sets.items()))
    return path


def bits(*wanted: Capability) -> int:
    return sum(1 << capability for capability in wanted)


@pytest.mark.parametrize("capability", Capability)
def test_a_capability_is_held_by_its_bit_in_the_effective_set(tmp_path: Path, capability: Capability) -> None:
    assert capabilities.held(status(tmp_path, 1 << capability)) == {capability}


def test_what_slabtui_has_no_use_for_is_passed_over(tmp_path: Path) -> None:
    assert capabilities.held(status(tmp_path, EVERYTHING)) == set(Capability)
    assert capabilities.held(status(tmp_path, EVERYTHING & ~bits(*Capability))) == frozenset()
    assert capabilities.held(status(tmp_path, 0)) == frozenset()


@pytest.mark.parametrize(
    "enough", [(Capability.SYS_ADMIN,), (Capability.BPF, Capability.PERFMON), tuple(Capability), tuple(COUNTING)]
)
def test_either_of_two_ways_to_load_programs_is_enough(tmp_path: Path, enough: tuple[Capability, ...]) -> None:
    capabilities.demand(status(tmp_path, bits(*enough)))


@pytest.mark.parametrize("missing", [Capability.BPF, Capability.PERFMON])
def test_half_of_what_it_takes_is_not_enough(tmp_path: Path, missing: Capability) -> None:
    others = set(Capability) - {missing, Capability.SYS_ADMIN}
    with pytest.raises(SlabtuiError, match="not allowed to load BPF programs: run it as root: sudo slabtui"):
        capabilities.demand(status(tmp_path, bits(*others)))


def test_a_screen_needs_all_that_counting_needs_and_writing_files() -> None:
    assert COUNTING < SCREEN
    assert {Capability.BPF, Capability.PERFMON} <= COUNTING
    assert Capability.SYS_ADMIN not in COUNTING
    assert Capability.DAC_OVERRIDE in SCREEN - COUNTING


def kept(needed: str) -> int:
    """Return the effective set of a process that has kept the needed capabilities."""
    program = (
        "from slabtui.kernel.capabilities import *\n"
        f"keep({needed})\n"
        "print(*(line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm', 'CapInh'))))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    sets = [int(word, 16) for word in ended.stdout.split()[1::2]]
    inheritable, permitted, effective = sets
    assert permitted == effective
    assert inheritable == permitted  # for child processes
    return effective


root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")


@root
def test_what_is_not_needed_is_given_up_for_good() -> None:
    assert capabilities.held() >= COUNTING
    assert kept("COUNTING") == bits(*COUNTING)
    assert kept("SCREEN") == bits(*SCREEN)


@root
def test_what_is_kept_for_the_process_alone_goes_to_no_child_and_can_be_given_up() -> None:
    program = (
        "import subprocess\n"
        "from slabtui.kernel.capabilities import *\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "keep(COUNTING, alone=FILES)\n"
        "print([line for line in status().splitlines() if line.startswith('CapEff')][0].split()[1])\n"
        "show = ['grep', '-E', '^Cap(Eff|Prm)', '/proc/self/status']\n"
        "print(*subprocess.run(show, capture_output=True, text=True).stdout.split()[1::2])\n"
        "keep(COUNTING)\n"
        "print(*[line.split()[1] for line in status().splitlines() if line.startswith(('CapEff', 'CapPrm'))])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    own, child, after = ([int(word, 16) for word in line.split()] for line in ended.stdout.splitlines())
    assert own == [bits(*COUNTING, Capability.DAC_OVERRIDE)]
    assert child == after == [bits(*COUNTING)] * 2


@root
def test_loading_programs_by_sys_admin_alone_stays_possible() -> None:
    assert kept("{Capability.SYSLOG}") == bits(Capability.SYSLOG, Capability.SYS_ADMIN)


DROP = """
import pathlib, subprocess, threading
from slabtui.kernel import capabilities

def sets(status):
    return [line.split()[1] for line in status.splitlines() if line.startswith(("CapEff:", "CapPrm:"))]

def run():
    capabilities.drop_all()
    print(sets(pathlib.Path("/proc/thread-self/status").read_text()))
    print(sets(subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout))

thread = threading.Thread(target=run)
thread.start()
thread.join()
print(sets(pathlib.Path("/proc/thread-self/status").read_text()) != ["0" * 16] * 2)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to drop")
def test_a_thread_and_what_it_executes_have_none_after_it_dropped_all() -> None:
    """A child of root would otherwise get back what is in the bounding set."""
    ran = subprocess.run([sys.executable, "-c", DROP], capture_output=True, text=True, check=False, timeout=30)
    assert ran.stdout.splitlines() == [str(["0" * 16] * 2)] * 2 + ["True"], ran.stderr
