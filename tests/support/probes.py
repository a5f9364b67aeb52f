"""Runs the probe on the running kernel, and compares its counts with the number of events."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from slabtui.kernel import inspect
from slabtui.kernel.abi import offsets
from slabtui.kernel.abi.btf import BTF
from slabtui.kernel.abi.offsets import Offsets
from slabtui.kernel.bpf import features, trace_events
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Way
from slabtui.kernel.probe import Probe
from slabtui.kernel.scope import Scope
from slabtui.kernel.tracers import Tracers
from slabtui.model.inspection import InspectionKind, InspectionReading
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import Reading, Snapshot
from tests.support.fakes import difference


def counting_notes(probe: Probe) -> tuple[str, ...]:
    """Return the notes of a probe, but for that on the slab memory of a control group: not every machine has it."""
    return tuple(note for note in probe.notes if not note.startswith("no slab figures of the cgroup"))


@contextmanager
def probing(*pids: int, cgroup: Path | None = None) -> Iterator[Probe]:
    """Count what these processes and this control group allocate; without any, all processes."""
    probe = Probe(offsets.read(), Scope(pids, cgroup))
    try:
        yield probe
    finally:
        probe.close()


def request(probe: Probe, wanted: Request) -> None:
    """Pass a request to a probe, and wait until it counts accordingly."""
    probe.request(wanted)
    probe.settle()


def inspecting(cache: str, *kinds: InspectionKind, frees: bool = False) -> Request:
    """Return the request for an inspection of these kinds, and for frees if they are to be counted too."""
    return Request(frees, InspectionRequest(cache, kinds))


def find(reading: Reading, kind: InspectionKind | None = None) -> InspectionReading:
    """Return what a reading says of an inspection; without a kind, of the only one that was requested."""
    (found,) = [one for one in reading.inspections if kind in (None, one.kind)]
    return found


def read(probe: Probe) -> Reading:
    """Read a probe and begin its next interval, as the collector does."""
    reading = probe.read()
    probe.end_interval(reading)
    return reading


def interval(before: Reading, after: Reading) -> Snapshot:
    """Return the difference of two readings, as an interval of one second."""
    return difference(before, after, Snapshot(time=0.0, elapsed=1.0, loadavg=""))


def program_descriptors(probe: Probe) -> dict[str, int]:
    """Return the file descriptor of each program that counts, by its tracepoint: `kmalloc`, `inspection: kmalloc`.

    The programs that track what is held begin with `held: `.
    """
    before = {probe.inspections.part: "inspection: ", probe.holdings.part: "held: "}
    return {
        f"{before.get(part, '')}{tracepoint}": program
        for part in probe.parts
        if part.tracers
        for tracepoint, program in part.tracers.descriptors.items()
    }


def as_preemptible() -> Offsets:
    """Return the offsets that slabtui would use if this kernel preempted the programs of raw tracepoints."""
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
    probe.handover._begin(attached_tracers(probe))
    while probe.way not in (Way.RAW, Way.CLASSIC):
        read(probe)


def nanoseconds_of_stacks(probe: Probe) -> int:
    """Return the nanoseconds that all inspections so far have spent on taking stacks."""
    assert probe.inspections.part.part is not None
    return probe.inspections.part.part._tallies.totals()[inspect._STACKS_NS]


def attached_tracers(probe: Probe) -> list[Tracers]:
    """Return the tracers that count, first those of allocations."""
    return [part.tracers for part in probe.parts if part.attached and part.tracers]


@contextmanager
def compiled(source: Path) -> Iterator[Module]:
    """Compile a source of a test, with all macros for the kernel's offsets."""
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
