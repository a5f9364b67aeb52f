"""The definition of the command line: its options in groups, their values and their help."""

import argparse
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from slabtui import __version__
from slabtui.cli import arguments
from slabtui.columns import caches, text
from slabtui.errors import SlabtuiError, Status
from slabtui.metrics.listing import MOST
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import INTERVAL, LONGEST, SHORTEST

_EPILOG = """\
examples:
  slabtui                              the live table; ? shows all keys
  slabtui -p 1234 -s allocs -d 0.5     what a process allocates, twice a second
  slabtui -b -s live -o name,live,mem  one table of what is held, for a script
  slabtui --leaks                      after a minute: what grows, who keeps it
  slabtui --report ticket.html         the same with charts, for a ticket
  slabtui --metrics 9811               127.0.0.1:9811/metrics, for Prometheus
  slabtui --record night.jsonl.gz      show the screen, and record it
  slabtui --record DIR/ --output none -d 10
                                       a flight recorder: the last 7 days
  slabtui --replay DIR/ --from 02:30   look back
  slabtui --ssh web1                   the screen of another host
  slabtui --stacks dentry --output folded -n 30 > dentry.folded
                                       30 s of stacks, for a flame graph

exit status:
  0  success; nothing grows             1        something is missing or failed
  2  wrong usage                        128 + N  ended by signal N
  3  --leaks, --report: something grows

Needs root, and bcc from the distribution, except with --replay and --demo.
"""
SEE_HELP = "see slabtui --help"
RUN = 60.0  # seconds: on a busy host a leak of 20 objects/s is judged as one in this time
DEFAULT_RUN = 0.0  # stands for RUN; of a recording, for all of it
INSPECTIONS = {  # kind -> what is printed, in the help
    InspectionKind.CALLERS: "the call sites that allocate from CACHE",
    InspectionKind.STACKS: "the kernel stacks that allocate from CACHE",
    InspectionKind.PROCESSES: "the processes that allocate from CACHE",
    InspectionKind.HELD: "what is allocated from now on and not freed, by stack and process",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, without the usage text of argparse."""
        raise SlabtuiError(message, SEE_HELP, Status.USAGE)


class _PrintCompletion(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the completion script for a shell, and end the program."""
        from slabtui.cli import completion  # imported here, because it takes longer than the rest of the command line

        try:
            print(completion.script(parser, str(values)))
        except NotImplementedError:
            parser.error(f"no completion script for {values}")
        parser.exit()


class _ListColumns(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Take the columns of text; or print what each of them means, and end the program."""
        if values == "help":
            for column in text.COLUMNS:
                print(textwrap.fill(f"{column.id:9}{column.title:10}{column.help}", 79, subsequent_indent=" " * 19))
            parser.exit()
        try:
            namespace.columns = arguments.columns(str(values))
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentError(self, str(error)) from error


def parser(name: str = "slabtui") -> argparse.ArgumentParser:
    """Return the definition of the command line of the command with this name."""
    options = _Parser(
        prog=name,
        usage=f"{name} [options] [interval [count]]",
        description="Show the rate of allocations from the kernel's slab caches, live.",
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=26),
        add_help=False,
    )
    _add_what_to_show(options.add_argument_group("what to show"))
    _add_what_to_count(options.add_argument_group("what to count"))
    _add_output(
        options.add_argument_group(
            "output",
            "Without these options, slabtui opens its screen; it prints text where standard\noutput is not a terminal.",
        )
    )
    _add_recordings(options.add_argument_group("recordings"))
    _add_metrics(options.add_argument_group("metrics"))
    other = options.add_argument_group("other")
    other.add_argument("-h", "--help", action="help", help="show this help and exit")
    other.add_argument("-V", "--version", action="version", version=f"slabtui {__version__}", help="show the version")
    other.add_argument("--no-mouse", action="store_false", dest="mouse", help="leave the mouse to the terminal")
    other.add_argument(
        "--print-completion",
        metavar="SHELL",
        action=_PrintCompletion,
        help="print a completion script for this shell, such as bash or zsh",
    )
    return options


def _add_what_to_show(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-s",
        "--sort",
        metavar="COLUMN",
        type=arguments.column,
        help=f"sort by {', '.join(text.BY_ID)} (default: {caches.DEFAULT_SORT}); growth: leaks first, in the leak view",
    )
    group.add_argument(
        "-f",
        "--filter",
        metavar="FILTER",
        type=arguments.pattern,
        default="",
        help="show only caches whose name or alias contains FILTER; ~ before FILTER makes it a regular expression",
    )
    group.add_argument(
        "--all",
        action="store_true",
        help="include idle caches, as the key z does; text then has all rows, unless -r limits them",
    )
    inspection = group.add_mutually_exclusive_group()
    for kind, what in INSPECTIONS.items():
        inspection.add_argument(f"--{kind}", metavar="CACHE", help=f"print {what}, instead of the table")
    inspection.add_argument(
        "--leaks",
        metavar="SECONDS",
        nargs="?",
        const=DEFAULT_RUN,
        type=arguments.run_length,
        help=f"look for leaks for this time (default: {RUN:g}), and print one page: the caches that grow, which stacks"
        " and processes keep their objects, and when memory is full; exit status 3 if something grows",
    )
    inspection.add_argument(
        "--report",
        metavar="FILE",
        type=arguments.report_file,
        help="look for leaks as --leaks does, and write a page for a ticket to FILE: the host, its slab memory with"
        " charts, the largest caches, what grows and who keeps it; HTML, Markdown or JSON, by the ending .html, .md"
        " or .json; FILE is replaced if it exists",
    )
    group.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=arguments.run_length,
        help=f"how long --report looks (default: {RUN:g}, or all of a recording)",
    )


def _add_what_to_count(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-p",
        "--pid",
        metavar="PID",
        type=arguments.pid,
        action="append",
        default=[],
        help="count only what this process allocates; may be given more than once",
    )
    group.add_argument(
        "--cgroup",
        metavar="PATH",
        type=arguments.path,
        help="count only what this control group and those below it allocate; as in /proc/PID/cgroup, or its directory",
    )
    group.add_argument(
        "--frees", action="store_true", help="count frees too, as the key f does; implied by -s frees and -o frees"
    )
    seconds = f"seconds between snapshots, {SHORTEST:g} to {LONGEST:g} (default: {INTERVAL:g})"
    number = partial(arguments.positive, what="count")
    group.add_argument("-d", "--interval", metavar="SECONDS", dest="every", type=arguments.interval, help=seconds)
    group.add_argument("-n", "--count", metavar="N", dest="number", type=number, help="end after this many snapshots")
    group.add_argument("interval", nargs="?", type=arguments.interval, help="the same as -d")
    group.add_argument("count", nargs="?", type=number, help="the same as -n")


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-C",
        "--noclear",
        action="store_true",
        help="print text as slabratetop does, one interval below the other; the default without a terminal",
    )
    group.add_argument("-b", "--once", action="store_true", help="print one interval and end; text has the table only")
    group.add_argument(
        "-o",
        "--columns",
        metavar="COLUMNS",
        action=_ListColumns,
        help="the columns of text, separated by commas: those that -s accepts; -o help explains them",
    )
    group.add_argument(
        "-r",
        "--maxrows",
        metavar="N",
        type=partial(arguments.positive, what="number of rows"),
        help=f"print at most N rows (default: {text.MAXROWS} as text without --all, else all); see also --metrics",
    )
    group.add_argument(
        "--output",
        choices=("text", "json", "csv", "folded", "none"),
        help="print in this format; folded: the stacks of --stacks or --held, once, for flame graph tools; none: only "
        "record",
    )
    group.add_argument(
        "--addresses",
        action="store_true",
        help="write the kernel addresses of caches and of call sites without a name, which are hidden otherwise: "
        "they show where the kernel is in memory, which KASLR hides from attackers",
    )


def _add_recordings(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--record",
        metavar="FILE",
        type=arguments.destination,
        help="also write every snapshot to a new file, compressed if .gz or .zst; DIR/: to segments in a directory, of "
        "which the oldest are dropped; -: to standard output",
    )
    group.add_argument(
        "--segment", metavar="TIME", type=arguments.duration, help="with DIR/: time of a segment, as 15m (default: 1h)"
    )
    group.add_argument(
        "--keep", metavar="TIME", type=arguments.duration, help="with DIR/: drop what is older, as 12h (default: 7d)"
    )
    group.add_argument(
        "--keep-size",
        metavar="SIZE",
        type=arguments.size,
        help="with DIR/: drop the oldest beyond this size, as 500M (default: 1G)",
    )
    origin = group.add_mutually_exclusive_group()
    origin.add_argument(
        "--replay",
        metavar="FILE",
        type=arguments.path,
        action="append",
        default=[],
        help="show a recording instead of the running kernel, a directory of segments, or with - a stream; needs no "
        "root; may be given more than once; an interval adds intervals up",
    )
    origin.add_argument("--demo", action="store_true", help="show the recording that comes with slabtui, in a loop")
    origin.add_argument(
        "--ssh",
        metavar=("HOST", "OPTIONS"),
        nargs=argparse.REMAINDER,
        help="show another host, by slabtui there, which is given the options after HOST",
    )
    moment = partial(group.add_argument, metavar="WHEN", type=arguments.moment)
    moment("--from", dest="begin", help="begin there: 02:30, -6h (before the end) or ISO 8601, in the local time zone")
    moment("--to", dest="end", help="end there")


def _add_metrics(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--metrics",
        metavar="WHERE",
        type=arguments.metrics,
        help="instead of a screen, serve metrics for Prometheus at [ADDRESS:]PORT (default address: 127.0.0.1), or "
        f"write them to a file whose name ends in {arguments.METRICS_SUFFIX}; the largest and the busiest caches, -r N "
        f"of each (default: {MOST}), have series of their own",
    )
    group.add_argument(
        "--metrics-include",
        metavar="FILTER",
        type=arguments.pattern,
        help="the caches that FILTER finds always have series of their own; as in -f",
    )
    group.add_argument(
        "--metrics-exclude",
        metavar="FILTER",
        type=arguments.pattern,
        help="the caches that FILTER finds never have: they are counted in the series named other",
    )
    group.add_argument(
        "--metrics-held",
        action="store_true",
        help="also expose who keeps the objects of caches that grow as leaks do: the stacks that hold most, with the "
        "name of a process and its container or unit; costs more while a cache grows",
    )
    group.add_argument(
        "--web-config",
        metavar="FILE",
        type=arguments.path,
        help="serve with the TLS certificate and for the users of this file, as Prometheus' exporters do",
    )
