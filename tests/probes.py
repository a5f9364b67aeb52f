"""The probe at work on the running kernel, and how its counts are held against what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slabtui.detail import Watch
from slabtui.kernel import layout
from slabtui.kernel.bpf import features
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.probe import Probe
from slabtui.kernel.whose import Whose


@contextmanager
def probing(*pids: int, cgroup: Path | None = None) -> Iterator[Probe]:
    """Count what these processes and this control group allocate; without any, everybody."""
    probe = Probe(layout.read(), Whose(pids, cgroup))
    try:
        yield probe
    finally:
        probe.close()


def watch(probe: Probe, wanted: Watch) -> None:
    """Let a probe count what is wanted, and wait until it does."""
    probe.watch(wanted)
    probe.settle()


@contextmanager
def compiled(source: Path) -> Iterator[Module]:
    """Compile a source of the tests' own, with all macros of the kernel's layout."""
    compiler, where = Compiler(), layout.read()
    context = BuildContext(compiler, features.detect(0, 0), where.macros())
    module = Module(context, [str(source)])
    try:
        yield module
    finally:
        module.close()
        compiler.close()


def assert_exact(counted: int, happened: int, lost: int | None) -> None:
    """Check that every event is either counted or reported as lost, and none twice."""
    print(f"counted {counted} of {happened}, reported as lost {lost}")
    assert lost is not None
    assert counted <= happened <= counted + lost
