"""Looks for leaks for some time, and writes a report about the run to a file, for a ticket."""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from slabtui import __version__
from slabtui.analysis.report import RunSummary
from slabtui.cli.job import Job
from slabtui.cli.leaks import explain, watch_run
from slabtui.cli.options import Options
from slabtui.columns import leak_page
from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.procfs import machine
from slabtui.outputs.report import formats
from slabtui.recording.moments import spell
from slabtui.system import files, streams


def write_report(job: Job) -> Status:
    """Write the report, print its verdict, and return the exit status; SIGINT ends the run, as its length does.

    Raises:
        SlabtuiError: the file cannot be written, or no time has passed.
    """
    options = job.options
    assert options.report is not None
    summary = RunSummary()
    watch = watch_run(job, seen=summary.add)
    leaks = watch.report()
    unknown = "" if leaks else str(explain(options, watch))
    report = summary.report(leaks, unknown)
    if report is None:
        raise SlabtuiError("no time has passed", "let it run for longer")
    report = replace(
        report,
        notes=tuple(dict.fromkeys((*report.notes, *job.notes()))),
        machine=None if options.replay else machine.read(),
        command=shlex.join(_list_command(options)),
        version=__version__,
    )
    text = formats.write(report, options.report)
    try:
        files.replace(options.report, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise files.unwritable(options.report, error, Status.FAILED) from error
    verdict = leak_page.conclude(leaks)[0] if leaks else f"whether anything leaks is not known: {unknown}"
    streams.print_whole(f"{options.report}: {verdict}\n")
    if leaks is None:
        return Status.FAILED
    return Status.GROWS if leaks.leaks else Status.OK


def _list_command(options: Options) -> Iterator[str]:
    """Yield the words of the command that makes such a report."""
    yield from ("slabtui",) if options.replay else ("sudo", "slabtui")
    yield from ("--report", str(options.report))
    if options.demo:
        yield "--demo"
    else:
        for path in options.replay:
            yield from ("--replay", str(path))
    for option, moment in (("--from", options.begin), ("--to", options.end)):
        if moment is not None:
            yield f"{option}={spell(moment)}"
    if options.leaks is not None and options.leaks != float("inf"):
        yield from ("--seconds", f"{options.leaks:g}")
    if options.addresses:
        yield "--addresses"
