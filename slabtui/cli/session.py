"""One run of the program: checks what the user asks for, opens the kernel, and hands over to the consumers."""

import importlib
import os
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from slabtui.cli.options import STANDARD_INPUT, Options
from slabtui.errors import SlabtuiError, Status
from slabtui.system import files
from slabtui.system.ending import Ending

if TYPE_CHECKING:
    from slabtui.collector import Source

SLABRATETOP = "slabratetop"  # the name under which the program prints text, and clears the screen between intervals


def run(options: Options, name: str, ending: Ending, complain: Callable[[str], None]) -> Status:
    """Count or replay, and show, print or only record, until the user or the producer ends it; return the exit status.

    Args:
        options: what the user asks for.
        name: of the command.
        ending: limits the time of the cleanup.
        complain: prints a line on standard error.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: standard output cannot be written, or the system refuses something.
    """
    if options.metrics is not None:
        _export(options, ending, complain)
        return Status.OK
    prints = options.noclear or options.once or options.prints_one_thing or name == SLABRATETOP
    is_screen = options.output is None and not prints and sys.stdout.isatty()
    if is_screen:
        for option, given in (("-r", options.maxrows), ("-o", options.columns)):
            if given:
                raise SlabtuiError(f"{option} applies to printed output only", "add -C, -b or --output", Status.USAGE)
        _demand_terminal(options)
    if options.report:
        _demand_writable(options.report)
    source = open_kernel(options, is_screen) if options.is_live else None
    from slabtui.cli import consumers

    if is_screen:
        consumers.show(options, source, ending)
    elif options.leaks:
        return consumers.report_leaks(options, source, ending, complain)
    else:
        clears = name == SLABRATETOP and not (options.noclear or options.once) and sys.stdout.isatty()
        consumers.print_out(options, source, ending, complain, clears=clears)
    return Status.OK


def _export(options: Options, ending: Ending, complain: Callable[[str], None]) -> None:
    """Serve or write metrics. Whatever prevents that is reported before the start, which takes seconds."""
    from slabtui.cli.exporting import Exporter

    with closing(Exporter(options)) as exporter:
        source = open_kernel(options, is_screen=False)
        from slabtui.cli import consumers

        consumers.export(options, source, ending, complain, exporter)


def open_kernel(options: Options, is_screen: bool) -> "Source":
    """Return the running kernel as a source, and drop the privileges that it does not need.

    Raises:
        SlabtuiError: the probe cannot start, or no cache has the requested name.
    """
    from slabtui.kernel import capabilities, opening  # a recording needs none of these

    inspection = options.request.inspection
    opening.demand(None if inspection is None else str(inspection.cache))
    capabilities.unlimit_locked_memory()
    capabilities.raise_open_files()
    kept = capabilities.SCREEN if is_screen else capabilities.COUNTING
    capabilities.keep(kept, alone=capabilities.FILES if options.record or options.writes_late else ())
    needed = "slabtui.views.app" if is_screen else f"slabtui.cli.{_find_consumer(options)}"
    meanwhile = partial(_import_all, "slabtui.cli.consumers", needed)
    return opening.open_probe(options.pids, options.cgroup, meanwhile)


def _find_consumer(options: Options) -> str:
    """Return the name of the module that works without a screen."""
    asked = {"exporting": options.metrics, "report": options.report, "leaks": options.leaks}
    return next((name for name, given in asked.items() if given), "printing")


def _import_all(*modules: str) -> None:
    for module in modules:
        importlib.import_module(module)


def _demand_writable(path: Path) -> None:
    try:
        files.demand_replaceable(path)
    except OSError as error:
        raise files.unwritable(path, error, Status.USAGE) from error


def _demand_terminal(options: Options) -> None:
    if not sys.stdin.isatty() and options.replay != (STANDARD_INPUT,):  # that leaves the keys to the terminal
        raise SlabtuiError("standard input is not a terminal", "run slabtui in one (over ssh: ssh -t), or use -C")
    if os.environ.get("TERM") in (None, "", "dumb"):
        raise SlabtuiError("TERM does not name a terminal with a screen", "set it, as in TERM=xterm slabtui, or use -C")
