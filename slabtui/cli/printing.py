"""Prints snapshots on standard output, in the format that the command line asks for."""

import sys
from functools import partial

from slabtui.cli.job import Job
from slabtui.cli.options import Options
from slabtui.cli.parser import SEE_HELP
from slabtui.columns import query, text
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError, Status
from slabtui.outputs import formats
from slabtui.outputs.output import Output, explaining_failures
from slabtui.outputs.stream import Selection, stream
from slabtui.system.ending import PATIENCE


def print_snapshots(job: Job, *, clears: bool) -> None:
    """Print until the user or the producer ends it.

    Args:
        job: the choices of the user and the producer.
        clears: whether the terminal is cleared between intervals.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: standard output cannot be written.
    """
    options = job.options
    form = _format(options, clears)
    order = Order(options.sort, text.BY_ID[options.sort].descending)
    most = options.maxrows or form.most
    selection = Selection(order, options.filter, most, text.sort_value(options.sort))
    output = Output(1, sys.stdout.encoding, PATIENCE)
    try:
        with explaining_failures():
            stream(
                job.producer,
                output,
                form,
                selection,
                count=options.count,
                complain=job.complain,
                conceal=job.conceal,
                interrupted=output.interrupt,
                notes=job.notes,
            )
    except query.BadFilterError as error:
        raise SlabtuiError(f"the filter {options.filter} {error}", SEE_HELP, Status.USAGE) from error


def _format(options: Options, clears: bool) -> formats.Format:
    """Return the requested format."""
    inspection = options.request.inspection
    if options.output == "none":
        return formats.NONE
    if options.output == "json":
        form = formats.JSON
    elif options.output == "csv" and inspection:
        form = formats.inspection_csv(inspection, options.maxrows)
    elif options.output == "csv":
        form = formats.CSV
    elif options.output == "folded" and inspection:
        form = formats.folded(inspection)
    elif inspection:
        form = formats.inspection(inspection, options.maxrows)
    else:
        alias = partial(query.alias, matches=query.matcher(options.filter))
        interval = options.interval if options.is_live else None
        columns = formats.text_columns(options.columns, options.sort, options.request.frees)
        form = formats.slabratetop(interval, clears, alias, sort=options.sort, columns=columns)
    if options.once and options.output in (None, "text"):
        form = formats.once(form)
    return formats.with_idle(form) if options.all else form
