"""The results of a guest: reads the files that it wrote, and finds the faults in them."""

import argparse
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.tools.kernels import guest
from tests.tools.kernels.choice import Kernel

LIVE, COMPARISON, SIDE_BY_SIDE, TRACKERS = "live", "compare", "oldtools", "trackers"  # a guest's steps
HIDDEN, JITLESS = "hidden", "jitless"  # and these
FILES = {  # the file that each of them writes
    LIVE: "live.xml",
    COMPARISON: "compare.json",
    SIDE_BY_SIDE: "oldtools.json",
    TRACKERS: "trackers.json",
    HIDDEN: "hidden.json",
    JITLESS: "jitless.json",
}

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class LiveTests:
    """The result of the live tests: how many passed, the names of those that failed, how many were skipped."""

    passed: int
    failed: tuple[str, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of events, as counted by each party.

    Attributes:
        happened: how many the workload caused.
        kernel: how many the kernel's own tracing counted; None: it was not used.
        counted: how many slabtui counted.
        lost: how many slabtui reports as lost; None: unknown.
    """

    happened: int
    kernel: int | None
    counted: int
    lost: int | None

    @property
    def agree(self) -> bool:
        """Whether every event is counted or reported as lost, and none is counted twice."""
        return self.counted <= self.happened <= self.counted + (self.lost or 0)


@dataclass(frozen=True, slots=True)
class Lookup:
    """One way of reading the cache of an object, and what slabtui counted with it of kmalloc and kfree."""

    way: str
    allocs: Counts
    frees: Counts


@dataclass(frozen=True, slots=True)
class Comparison:
    """What slabtui does on a kernel.

    Attributes:
        release: what `uname -r` says.
        bcc: the version of bcc.
        refused: the line with which slabtui refuses this kernel; the other attributes then have their defaults.
        attachment: the way in which it is attached.
        exact_kmalloc: whether kmalloc is counted in its real caches.
        frees: how many frees are counted.
        bulk: how many bulk allocations are counted.
        modules: how often the cache of a loaded and unloaded module was counted exactly.
        notes: those of slabtui.
        load_seconds: from reading BTF until counting starts.
        counts: of opened files, by each party.
        lookup: the way in which the programs read the cache of an object.
        lookups: the counts of each way under one load, where the kernel has two.
    """

    release: str
    bcc: str
    refused: str | None = None
    attachment: str = "-"
    exact_kmalloc: str = "-"
    frees: str = "-"
    bulk: str = "-"
    modules: str = "-"
    notes: tuple[str, ...] = ()
    load_seconds: float | None = None
    counts: Counts | None = None
    lookup: str = "-"
    lookups: tuple[Lookup, ...] = ()


@dataclass(frozen=True, slots=True)
class Hidden:
    """What slabtui does with kernel.kptr_restrict=2, which hides the addresses of the kernel's variables.

    Attributes:
        refused: the line with which slabtui refuses to count; the other attributes then have their defaults.
        exact_kmalloc: whether kmalloc is counted in its real caches.
        counts: of kmalloc, in any cache.
    """

    refused: str | None = None
    exact_kmalloc: bool = False
    counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class Jitless:
    """What slabtui does with net.core.bpf_jit_enable=0, where the kernel interprets its programs.

    Attributes:
        trouble: why slabtui refuses to count, or how the kernel crashed; the other attributes then have their defaults.
        always_on: whether the kernel refuses the setting (CONFIG_BPF_JIT_ALWAYS_ON); the others are then defaults.
        counts: of opened files, by each party.
        frees: of buffers.
        callers: the opened files that an inspection of callers found.
        stacks: the same by stacks: an estimate.
        bulk: how many bulk allocations are counted.
    """

    trouble: str | None = None
    always_on: bool = False
    counts: Counts | None = None
    frees: Counts | None = None
    callers: Counts | None = None
    stacks: Counts | None = None
    bulk: str = "-"

    @property
    def exact(self) -> tuple[Counts, ...]:
        """The counts that must be exact."""
        return tuple(filter(None, (self.counts, self.frees, self.callers)))


@dataclass(frozen=True, slots=True)
class Tool:
    """One of several tools that counted the same load.

    Attributes:
        name: what it is, with its version.
        first_table: seconds from its start to its first table.
        counted: the struct files in its tables since the start of the load.
        trouble: its error message, if it has no figures.
    """

    name: str
    first_table: float | None = None
    counted: int | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The tools under one load.

    Attributes:
        happened: how many files their load opened.
        others: how many files other processes opened in that time, by the kernel's own tracing.
        tools: the result of each, slabtui last.
    """

    happened: int
    others: int
    tools: tuple[Tool, ...]

    def missed(self, tool: Tool) -> tuple[int, int] | None:
        """Return how many files a tool missed at least, and at most; None if it counted none."""
        if tool.counted is None:
            return None
        return max(0, self.happened - tool.counted), self.happened + self.others - tool.counted


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tool that tracks what is held.

    Attributes:
        name: of the tool.
        seconds: the processor time of the load while it ran; None: it did not run.
        trouble: why it did not run, in its own words.
    """

    name: str
    seconds: float | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Trackers:
    """What tools that track what is held cost the same load.

    Attributes:
        opened: how many files the load opened and closed.
        alone: its processor time without any of them, in seconds.
        tools: the result of each, slabtui first.
    """

    opened: int
    alone: float
    tools: tuple[Tracker, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All results of one kernel.

    Attributes:
        kernel: which was booted.
        seconds: how long its guest took.
        troubles: why results are missing, in words.
        live: None if the tests left no result; the others likewise.
        first: what was wrong in a first guest, if this is the second.
    """

    kernel: Kernel
    seconds: float
    troubles: tuple[str, ...] = ()
    live: LiveTests | None = None
    comparison: Comparison | None = None
    side_by_side: SideBySide | None = None
    trackers: Trackers | None = None
    hidden: Hidden | None = None
    jitless: Jitless | None = None
    first: tuple[str, ...] = ()

    @property
    def refused(self) -> str | None:
        """The line with which slabtui refuses this kernel."""
        return self.comparison.refused if self.comparison else None


def read(kernel: Kernel, directory: Path, seconds: float, trouble: str | None) -> Result:
    """Read the results in a guest's shared directory; an interrupted guest may have left only some."""
    files = {step: directory / name for step, name in FILES.items()}
    unfinished = guest.unfinished(files, directory)
    troubles = [
        f"{step} left no result: it {guest.ending(step, directory)}"
        for step, path in files.items()
        if not path.exists() and (not trouble or guest.has_ended(step, directory))
    ]
    jitless = _read(files[JITLESS], _jitless)
    if trouble and unfinished == JITLESS:  # the last step: the others have their results
        jitless = Jitless(trouble)
    elif trouble:
        troubles.append(f"{trouble} during {unfinished}" if unfinished else trouble)
    return Result(
        kernel,
        seconds,
        tuple(troubles),
        live_tests(files[LIVE].read_text()) if files[LIVE].exists() else None,
        _read(files[COMPARISON], _comparison),
        _read(files[SIDE_BY_SIDE], _side_by_side),
        _read(files[TRACKERS], _trackers),
        _read(files[HIDDEN], _hidden),
        jitless,
    )


def write(record: Comparison | SideBySide | Trackers | Hidden | Jitless, path: Path) -> None:
    """Write a record for `read`; the file is complete or does not exist."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(record), indent=1))
    new.rename(path)


def run_step(name: str, measure: Callable[[Path], SideBySide | Trackers]) -> None:
    """Measure with tools of the distribution, and write the figures; both places are on the command line.

    Args:
        name: of the module that does it.
        measure: is given the directory in which the packages are unpacked.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.tools.kernels.{name}")
    parser.add_argument("tools", type=Path, help="where the packages are unpacked")
    parser.add_argument("file", type=Path, help="where the figures go")
    options = parser.parse_args()
    write(measure(options.tools), options.file)


def live_tests(junit: str) -> LiveTests:
    """Return the result of the live tests from pytest's junit XML."""
    cases = list(ET.fromstring(junit).iter("testcase"))
    failed = tuple(case.get("name", "?") for case in cases if {"failure", "error"} & {child.tag for child in case})
    skipped = sum(case.find("skipped") is not None for case in cases)
    return LiveTests(len(cases) - len(failed) - skipped, failed, skipped)


def faults(result: Result) -> list[str]:
    """Return the faults, one line each."""
    found = list(result.troubles)
    if result.refused:
        found.append(f"slabtui refuses this kernel: {result.refused}")
    if result.live:
        found += [f"failed: {name}" for name in result.live.failed]
        if not result.live.passed and not result.live.failed:
            found.append("no live test ran")
    if result.comparison:
        found += _comparison_faults(result.comparison)
    if result.side_by_side:
        least, most = result.side_by_side.missed(result.side_by_side.tools[-1]) or (0, -1)
        if least or most < 0:
            found.append("slabtui's count beside the older tools is wrong")
    if result.trackers and result.trackers.tools[0].seconds is None:
        found.append(f"slabtui does not track what is held: {result.trackers.tools[0].trouble}")
    if result.hidden:
        found += [f"with kernel.kptr_restrict=2: {fault}" for fault in _hidden_faults(result.hidden)]
    if result.jitless:
        found += [f"without JIT: {fault}" for fault in _jitless_faults(result.jitless)]
    return found


def crashed(result: Result) -> bool:
    """Return whether the kernel crashed in any step."""
    return any(guest.CRASHED in fault for fault in faults(result))


def _comparison_faults(comparison: Comparison) -> Iterator[str]:
    if comparison.bulk == "no":  # all of Debian's kernels have fentry
        yield "bulk allocations and frees are not counted"
    if comparison.counts and not comparison.counts.agree:
        yield "the counts compared do not agree"
    for lookup in comparison.lookups:
        if not (lookup.allocs.agree and lookup.frees.agree):
            yield f"the counts with {lookup.way} are wrong"


def _hidden_faults(hidden: Hidden) -> Iterator[str]:
    if hidden.refused:
        yield f"slabtui refuses to count: {hidden.refused}"
        return
    if not hidden.exact_kmalloc:
        yield "kmalloc is not counted in its real caches"
    if hidden.counts and not hidden.counts.agree:
        yield "the counts do not agree"


def _jitless_faults(jitless: Jitless) -> Iterator[str]:
    if jitless.trouble:
        yield jitless.trouble
    if not all(counts.agree for counts in jitless.exact):
        yield "the counts do not agree"
    if jitless.stacks and not jitless.stacks.counted:
        yield "no stack was taken"


def _read(path: Path, record: Callable[[dict[str, Any]], _Record]) -> _Record | None:
    return record(json.loads(path.read_text())) if path.exists() else None


def _comparison(fields: dict[str, Any]) -> Comparison:
    counts, notes, lookups = (fields.pop(name) for name in ("counts", "notes", "lookups"))
    ways = tuple(Lookup(way["way"], Counts(**way["allocs"]), Counts(**way["frees"])) for way in lookups)
    return Comparison(**fields, notes=tuple(notes), counts=_counts(counts), lookups=ways)


def _side_by_side(fields: dict[str, Any]) -> SideBySide:
    return SideBySide(fields["happened"], fields["others"], tuple(Tool(**tool) for tool in fields["tools"]))


def _trackers(fields: dict[str, Any]) -> Trackers:
    return Trackers(**fields | {"tools": tuple(Tracker(**tool) for tool in fields["tools"])})


def _hidden(fields: dict[str, Any]) -> Hidden:
    return Hidden(**fields | {"counts": _counts(fields["counts"])})


def _jitless(fields: dict[str, Any]) -> Jitless:
    return Jitless(**fields | {name: _counts(fields[name]) for name in ("counts", "frees", "callers", "stacks")})


def _counts(fields: dict[str, Any] | None) -> Counts | None:
    return Counts(**fields) if fields else None
