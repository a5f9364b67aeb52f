"""Makes options of a command line, and checks that they go together."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from slabtui.cli.arguments import Destination, Way
from slabtui.cli.options import DEMO, STANDARD_INPUT, Options
from slabtui.cli.parser import DEFAULT_RUN, INSPECTIONS, RUN, parser
from slabtui.columns import caches, text
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import INTERVAL, InspectionRequest, Request
from slabtui.recording.limits import Limits


def parse(argv: Sequence[str] | None, name: str = "slabtui") -> Options:
    """Parse the command line of the command with this name.

    Raises:
        SlabtuiError: a value is wrong, or options exclude each other.
        SystemExit: --help or a similar option was given; its output is printed.
    """
    found = parser(name).parse_args(_join_moments(sys.argv[1:] if argv is None else argv))
    named = ((kind, getattr(found, kind)) for kind in INSPECTIONS)
    inspection = next((InspectionRequest(cache, (kind,)) for kind, cache in named if cache is not None), None)
    _demand_one_way(found)
    run = _find_run(found)
    if run is not None:
        _demand_whole_run(found)
    sort = found.sort or caches.DEFAULT_SORT
    options = Options(
        sort=sort,
        columns=found.columns,
        filter=found.filter,
        pids=tuple(found.pid),
        cgroup=found.cgroup,
        request=Request(
            found.frees or text.counts_frees((sort, *(found.columns or ()))),
            inspection,
            suspects=None if run is None else (),
        ),
        leaks=run,
        report=found.report,
        all=found.all,
        noclear=found.noclear,
        once=found.once,
        maxrows=found.maxrows,
        output="none" if found.output is None and _is_standard_output(found.record) else found.output,
        record=found.record,
        limits=_limits(found),
        addresses=found.addresses,
        replay=(DEMO,) if found.demo else tuple(found.replay),
        begin=found.begin,
        end=found.end,
        remote=_remote(found),
        metrics=found.metrics,
        metrics_include=found.metrics_include,
        metrics_exclude=found.metrics_exclude,
        metrics_held=found.metrics_held,
        web_config=found.web_config,
        mouse=found.mouse,
        interval=found.every or found.interval or INTERVAL,
        sums=bool(found.every or found.interval),
        count=1 if found.once else found.number or found.count,
    )
    _demand_what_goes_together(options)
    _demand_what_goes_with_metrics(options, sorts=found.sort is not None)
    return options


def _find_run(found: argparse.Namespace) -> float | None:
    """Return for how long to look for leaks."""
    if found.seconds is not None and not found.report:
        raise SlabtuiError("--seconds is the length of the run of --report", "add --report FILE", Status.USAGE)
    given = found.seconds if found.report else found.leaks
    if found.report and given is None:
        given = DEFAULT_RUN
    if given is None or given != DEFAULT_RUN:
        return given  # type: ignore[no-any-return]
    return math.inf if found.replay or found.demo else RUN


def _join_moments(argv: Sequence[str]) -> list[str]:
    """Return the arguments with each moment such as -6h joined to its option: argparse takes it for an option."""
    joined: list[str] = []
    for position, argument in enumerate(argv):
        if joined and joined[-1] in ("--from", "--to") and argument[:1] == "-" and argument[1:2].isdigit():
            joined[-1] = f"{joined[-1]}={argument}"
        elif argument == "--ssh":  # what follows is for another host
            return [*joined, *argv[position:]]
        else:
            joined.append(argument)
    return joined


def _is_standard_output(record: Destination | None) -> bool:
    return record is not None and record.way is Way.STANDARD_OUTPUT


def _limits(found: argparse.Namespace) -> Limits:
    usual = Limits()
    given = [found.segment, found.keep, found.keep_size]
    if any(given) and (found.record is None or found.record.way is not Way.DIRECTORY):
        remedy = "add --record DIR/"
        raise SlabtuiError("--segment, --keep and --keep-size apply to a directory", remedy, Status.USAGE)
    return Limits(found.segment or usual.segment, found.keep or usual.keep, found.keep_size or usual.size)


def _remote(found: argparse.Namespace) -> tuple[str, ...]:
    if found.ssh is None:
        return ()
    if not found.ssh:
        raise SlabtuiError("--ssh needs a host", "name one, as in slabtui --ssh web1", Status.USAGE)
    of_counting = {"-p": found.pid, "--cgroup": found.cgroup, "--frees": found.frees}
    of_counting |= {f"--{kind}": getattr(found, kind) for kind in INSPECTIONS}
    if option := next((name for name, given in of_counting.items() if given), None):
        what = f"{option} says what is counted, which slabtui on the other host does"
        raise SlabtuiError(what, f"put {option} after the host", Status.USAGE)
    if found.record or any(argument.partition("=")[0] == "--record" for argument in found.ssh):
        raise SlabtuiError("--record does not go with --ssh", "run ssh HOST sudo slabtui --record -", Status.USAGE)
    return tuple(found.ssh)


def _demand_one_way(found: argparse.Namespace) -> None:
    """Demand that the interval and the count are given once."""
    for what, option, given, argument in (
        ("interval", "-d", found.every, found.interval),
        ("count", "-n", found.number, found.count),
    ):
        if given is not None and argument is not None:
            raise SlabtuiError(f"the {what} is given twice, with {option} and without", "leave out one", Status.USAGE)
    if found.once and (found.number or found.count):
        raise SlabtuiError("-b prints one interval", "leave out -b or the count", Status.USAGE)


def _demand_whole_run(found: argparse.Namespace) -> None:
    """Demand that nothing is given that --leaks or --report has no use for."""
    name = "--report" if found.report else "--leaks"
    if found.pid or found.cgroup:
        what = f"{name} compares what is held with the live objects, which the kernel counts for all processes together"
        raise SlabtuiError(what, "leave out -p and --cgroup, or use --held CACHE with them", Status.USAGE)
    of_intervals = {"an interval": found.every or found.interval, "a count": found.number or found.count}
    of_table = {"-s": found.sort, "-f": found.filter, "-o": found.columns, "-r": found.maxrows, "--all": found.all}
    for what, given in (of_intervals | {"-b": found.once} | of_table).items():
        if given:
            raise SlabtuiError(f"{name} makes one page, without {what}", f"leave out {what}", Status.USAGE)
    if found.report and found.output:
        raise SlabtuiError(
            "--report writes the format that its file's name ends in", "leave out --output", Status.USAGE
        )
    if found.report and _is_standard_output(found.record):
        raise SlabtuiError("--report does not go with --record -", "record to a file", Status.USAGE)
    if found.output not in (None, "text", "json") or _is_standard_output(found.record):
        remedy = "use --output json, and record to a file"
        raise SlabtuiError("--leaks prints text or JSON on standard output", remedy, Status.USAGE)
    if found.ssh or STANDARD_INPUT in found.replay:
        what = f"{name} asks a running kernel what is held, or reads a recording, but no stream"
        raise SlabtuiError(what, f"run it on that host: ssh HOST sudo slabtui {name}", Status.USAGE)


def _demand_what_goes_together(options: Options) -> None:
    kind = options.request.inspection and options.request.inspection.kinds[0]
    if not options.is_live and (options.scoped or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not apply to a recording", "leave them out", Status.USAGE)
    if len(options.replay) > 1 and STANDARD_INPUT in options.replay:
        raise SlabtuiError("--replay - reads one stream", "leave out the other recordings", Status.USAGE)
    if (options.begin or options.end) and options.is_streamed:
        raise SlabtuiError("--from and --to do not apply to a stream", "leave them out", Status.USAGE)
    if (options.begin or options.end) and options.is_live:
        raise SlabtuiError("--from and --to apply to a recording", "add --replay FILE", Status.USAGE)
    if options.output == "none" and options.record is None:
        raise SlabtuiError("--output none only records", "add --record", Status.USAGE)
    if _is_standard_output(options.record) and options.output != "none":
        remedy = "record to a file, or leave out --output"
        raise SlabtuiError("--record - has standard output to itself", remedy, Status.USAGE)
    if options.noclear and options.output not in (None, "text"):
        raise SlabtuiError(f"-C prints text, not {options.output}", "leave out -C or --output", Status.USAGE)
    if options.columns and options.output not in (None, "text"):
        raise SlabtuiError(f"-o chooses columns of text, not of {options.output}", "leave out -o", Status.USAGE)
    if options.columns and kind is not None:
        raise SlabtuiError(f"-o chooses columns of the table, not of --{kind}", "leave out -o", Status.USAGE)
    if options.output == "folded" and kind not in (InspectionKind.STACKS, InspectionKind.HELD):
        raise SlabtuiError("--output folded prints stacks", "add --stacks or --held CACHE", Status.USAGE)


def _demand_what_goes_with_metrics(options: Options, *, sorts: bool) -> None:
    if options.metrics is None:
        of_metrics = {
            "--metrics-include": options.metrics_include is not None,
            "--metrics-exclude": options.metrics_exclude is not None,
            "--metrics-held": options.metrics_held,
            "--web-config": options.web_config,
        }
        if found := next((name for name, given in of_metrics.items() if given), None):
            raise SlabtuiError(f"{found} applies to metrics", "add --metrics", Status.USAGE)
        return
    if options.metrics_held and options.scoped:
        what = "--metrics-held needs the live objects, which the kernel counts for all processes together"
        raise SlabtuiError(what, "leave out -p and --cgroup", Status.USAGE)
    if options.web_config and isinstance(options.metrics, Path):
        raise SlabtuiError("--web-config applies to a server, not to a file", "leave it out", Status.USAGE)
    if options.filter:
        raise SlabtuiError("-f chooses rows, not metrics", "use --metrics-include or --metrics-exclude", Status.USAGE)
    others = {
        "a recording or another host": not options.is_live,
        "an inspection, --leaks or --report": options.prints_one_thing,
        "-C, -b, -o or --output": options.noclear or options.once or options.columns or options.output,
        "-s or --all": sorts or options.all,
    }
    if found := next((name for name, given in others.items() if given), None):
        raise SlabtuiError(f"--metrics does not go with {found}", "leave one out", Status.USAGE)
