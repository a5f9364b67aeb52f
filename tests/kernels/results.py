"""What comes back from a guest: the files it wrote, read as records, and what of that is wrong."""

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.kernels import guest
from tests.kernels.choice import Kernel

LIVE, COMPARISON, SIDE_BY_SIDE = "live", "compare", "oldtools"  # the steps of a guest
FILES = {LIVE: "live.xml", COMPARISON: "compare.json", SIDE_BY_SIDE: "oldtools.json"}  # what each of them leaves


@dataclass(frozen=True, slots=True)
class LiveTests:
    """What became of the live tests: how many passed, the names of those that failed, how many were skipped."""

    passed: int
    failed: tuple[str, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class Counts:
    """One number of opened files, as each party has it.

    Attributes:
        happened: how many the workload opened.
        kernel: how many the kernel's own tracing saw.
        counted: how many slabtui counted.
        lost: what slabtui says that it may have lost; None: the kernel does not tell.
    """

    happened: int
    kernel: int
    counted: int
    lost: int | None

    @property
    def agree(self) -> bool:
        """Whether every event is counted or reported as lost, and none twice."""
        return self.counted <= self.happened <= self.counted + (self.lost or 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What slabtui does on a kernel.

    Attributes:
        release: what `uname -r` says.
        bcc: the version of bcc.
        refused: the one line with which slabtui refuses this kernel; then the rest stays as it is here.
        attachment: the way in which it is attached.
        exact_kmalloc: whether kmalloc is counted in its real caches.
        frees: what of the frees is counted.
        bulk: what of the bulk allocations is counted.
        modules: how often the cache of a module that came and went was counted right.
        notes: what slabtui itself says that it cannot tell.
        load_seconds: from reading the kernel's description of itself to counting.
        counts: what was counted, by whom.
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


@dataclass(frozen=True, slots=True)
class Tool:
    """One of several tools that watched the same load.

    Attributes:
        name: what it is, with its version.
        first_table: seconds from its start to its first table.
        counted: the struct files in its tables from the load's begin on.
        trouble: why it has no figures, in its own words.
    """

    name: str
    first_table: float | None = None
    counted: int | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The tools beside each other.

    Attributes:
        happened: how many files their load opened.
        others: how many files everybody else opened meanwhile, by the kernel's own tracing.
        tools: what became of each, slabtui as the last.
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
class Result:
    """All that is known of one kernel.

    Attributes:
        kernel: which was booted.
        seconds: how long its guest took.
        troubles: why there is less than there should be, in words.
        live: None if the tests left no result; so the others.
        first: what was wrong in a first guest, if this is the second.
    """

    kernel: Kernel
    seconds: float
    troubles: tuple[str, ...] = ()
    live: LiveTests | None = None
    comparison: Comparison | None = None
    side_by_side: SideBySide | None = None
    first: tuple[str, ...] = ()

    @property
    def refused(self) -> str | None:
        """The line with which slabtui refuses this kernel."""
        return self.comparison.refused if self.comparison else None


def read(kernel: Kernel, directory: Path, seconds: float, trouble: str | None) -> Result:
    """Read what a guest has left in its shared directory; an interrupted one may have left a part."""
    files = {step: directory / name for step, name in FILES.items()}
    missing = (
        f"{step} left no result: it {guest.ending(step, directory)}" for step in files if not files[step].exists()
    )
    live, comparison, beside = files.values()
    return Result(
        kernel,
        seconds,
        (trouble,) if trouble else tuple(missing),
        live_tests(live.read_text()) if live.exists() else None,
        _comparison(json.loads(comparison.read_text())) if comparison.exists() else None,
        _side_by_side(json.loads(beside.read_text())) if beside.exists() else None,
    )


def write(record: Comparison | SideBySide, path: Path) -> None:
    """Write a record for `read`, so that the file is whole or not there at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(record), indent=1))
    new.rename(path)


def live_tests(junit: str) -> LiveTests:
    """Count what pytest wrote as junit XML."""
    cases = list(ET.fromstring(junit).iter("testcase"))
    failed = tuple(case.get("name", "?") for case in cases if {"failure", "error"} & {child.tag for child in case})
    skipped = sum(case.find("skipped") is not None for case in cases)
    return LiveTests(len(cases) - len(failed) - skipped, failed, skipped)


def faults(result: Result) -> list[str]:
    """Return what is wrong, a line each."""
    found = list(result.troubles)
    if result.refused:
        found.append(f"slabtui refuses this kernel: {result.refused}")
    if result.live:
        found += [f"failed: {name}" for name in result.live.failed]
        if not result.live.passed and not result.live.failed:
            found.append("no live test ran")
    if result.comparison and result.comparison.counts and not result.comparison.counts.agree:
        found.append("the counts compared do not agree")
    if result.side_by_side:
        least, most = result.side_by_side.missed(result.side_by_side.tools[-1]) or (0, -1)
        if least or most < 0:
            found.append("slabtui's count beside the older tools is not what happened")
    return found


def _comparison(fields: dict[str, Any]) -> Comparison:
    counts, notes = fields.pop("counts"), tuple(fields.pop("notes"))
    return Comparison(**fields, notes=notes, counts=Counts(**counts) if counts else None)


def _side_by_side(fields: dict[str, Any]) -> SideBySide:
    return SideBySide(fields["happened"], fields["others"], tuple(Tool(**tool) for tool in fields["tools"]))
