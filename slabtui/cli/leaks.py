"""Looks for leaks for some time, and prints one page about them: text or JSON."""

import math
import shutil
import sys
from collections.abc import Callable

from slabtui.analysis.leaks import LeakWatch, find_width
from slabtui.cli.job import Job
from slabtui.cli.options import Options
from slabtui.columns import leak_page
from slabtui.errors import SlabtuiError, Status
from slabtui.model.leaks import LeakReport
from slabtui.model.snapshot import Snapshot
from slabtui.outputs import leaks
from slabtui.outputs.output import Output, explaining_failures
from slabtui.system.ending import PATIENCE

_WIDTH = 80  # columns, where there is no terminal
_CLEAR = "\r\x1b[K"  # begin of the line, erase to its end (ECMA-48)


def print_report(job: Job) -> Status:
    """Print the page and return the exit status; SIGINT ends the run, and what is known then is printed.

    Raises:
        SlabtuiError: nothing is known of any cache, as after a moment.
        OSError: standard output cannot be written.
    """
    output = Output(1, sys.stdout.encoding, PATIENCE)
    watch = watch_run(job, interrupted=output.interrupt)
    report = watch.report()
    if report is None:
        raise explain(job.options, watch)
    with explaining_failures():
        output.write(_write(job.options, report))
        output.flush()
    return Status.GROWS if report.leaks else Status.OK


def watch_run(
    job: Job,
    *,
    interrupted: Callable[[], None] = lambda: None,
    seen: Callable[[Snapshot], None] = lambda snapshot: None,
) -> LeakWatch:
    """Follow a run to its end, show on a terminal how far it is, and return what it knows.

    Args:
        job: the choices of the user and the producer.
        interrupted: called by the handler of SIGINT, which ends the run.
        seen: is given each snapshot, too.
    """
    seconds = job.options.leaks
    assert seconds is not None
    watch = LeakWatch(seconds)
    progress = _show_progress if sys.stderr.isatty() else None
    try:
        said = leaks.follow(
            job.producer,
            watch,
            seconds,
            tracks=job.options.is_live,
            conceal=job.conceal,
            progress=progress,
            interrupted=interrupted,
            seen=seen,
        )
    finally:
        if progress:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
    for note in dict.fromkeys((*said, *job.notes())):
        job.complain(note)
    return watch


def explain(options: Options, watch: LeakWatch) -> SlabtuiError:
    """Return why there is no report."""
    assert options.leaks is not None
    name = "--report" if options.report else "--leaks"
    if options.is_live:
        needed = math.ceil(max(options.leaks * 2 / 3, watch.find_shortest()))
        return SlabtuiError("no growth is known yet", f"let {name} run for {needed} s at least")
    if not watch.knows_live:
        return SlabtuiError(
            "the recording has no live objects, from which growth is found", "record without -p and --cgroup"
        )
    seconds, least = watch.elapsed, find_width(options.leaks) * 8
    option = "--seconds" if options.report else name
    remedy = f"name its length, as in {option} {seconds:.0f}" if math.isinf(options.leaks) else "record for longer"
    return SlabtuiError(f"the recording has {seconds:.0f} s, and growth is known after {least:.0f} s", remedy)


def _write(options: Options, report: LeakReport) -> str:
    if options.output == "json":
        return leaks.dumps(report) + "\n"
    width = shutil.get_terminal_size((_WIDTH, 0)).columns if sys.stdout.isatty() else _WIDTH
    return leak_page.write(report, width)


def _show_progress(text: str) -> None:
    """Write over the line before, on standard error."""
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    sys.stderr.write(_CLEAR + text[: width - 1])
    sys.stderr.flush()
