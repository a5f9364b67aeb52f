"""The probe at work on the running kernel, and how its counts are held against what happened."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from slabtui.kernel.abi import offsets
from slabtui.kernel.abi.btf import BTF
from slabtui.kernel.abi.offsets import Offsets
from slabtui.kernel.bpf import features, trace_events
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Way
from slabtui.kernel.probe import Probe
from slabtui.kernel.scope import Scope
from slabtui.model.inspection import Request


@contextmanager
def probing(*pids: int, cgroup: Path | None = None) -> Iterator[Probe]:
    """Count what these processes and this control group allocate; without any, everybody."""
    probe = Probe(offsets.read(), Scope(pids, cgroup))
    try:
        yield probe
    finally:
        probe.close()


def watch(probe: Probe, wanted: Request) -> None:
    """Let a probe count what is wanted, and wait until it does."""
    probe.watch(wanted)
    probe.settle()


def as_preemptible() -> Offsets:
    """Return the layout that slabtui would have if this kernel preempted the programs of raw tracepoints."""
    btf = BTF(offsets.read_whole(offsets.VMLINUX))
    record, registers = btf.struct("trace_event_raw_kmalloc").offsets, btf.struct("pt_regs").offsets
    names = ("call_site", "ptr", "bytes_req", "bytes_alloc")
    members = {f"record_{name}": record[name] for name in names}
    return replace(offsets.read(), preemptible=1, registers_sp=registers["sp"], **members)


@contextmanager
def tracefs() -> Iterator[None]:
    """Mount tracefs where slabtui finds it, and nowhere else."""
    before = trace_events.TRACEFS
    with TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tracefs", "tracefs", directory], check=True)
        trace_events.TRACEFS = (Path(directory),)
        try:
            yield
        finally:
            trace_events.TRACEFS = before
            subprocess.run(["umount", directory], check=True)


def hand_over(probe: Probe) -> None:
    """Let classic tracepoints take over, as if raw ones missed events."""
    probe._handover._begin(probe._tracers())
    while probe.way not in (Way.RAW, Way.CLASSIC):
        probe.totals()


@contextmanager
def compiled(source: Path) -> Iterator[Module]:
    """Compile a source of the tests' own, with all macros of the kernel's layout."""
    compiler, where = Compiler(), offsets.read()
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
