"""The definition of the command line: every option, its value and its help."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from slabtui import __version__, arguments
from slabtui.columns import caches
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import Kind
from slabtui.outputs import formats

SEE_HELP = "see slabtui --help"
LOOKS = {  # what is printed of one cache -> in words
    Kind.CALLERS: "the call sites that allocate, and how much,",
    Kind.STACKS: "the kernel stacks that led to the allocations",
    Kind.PROCESSES: "the processes that allocate, and how much,",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, instead of the usage text and a line."""
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
        from slabtui import completion  # only here: it takes longer to import than all the rest of the command line

        try:
            print(completion.script(parser, str(values)))
        except NotImplementedError:
            parser.error(f"no completion script for {values}")
        parser.exit()


def parser(name: str = "slabtui") -> argparse.ArgumentParser:
    """Return the definition of the command line, for the command of that name."""
    options = _Parser(
        prog=name,
        description="Show the rate of allocations from the kernel's slab caches, live.",
        epilog="Keys: ? shows them all. Needs root, and bcc from the distribution, except with --replay and --demo.",
    )
    add = options.add_argument
    add("-V", "--version", action="version", version=f"slabtui {__version__}")
    add(
        "-s",
        "--sort",
        metavar="COLUMN",
        type=arguments.column,
        default=caches.DEFAULT_SORT,
        help=f"sort by {', '.join(caches.SORTS)} (default: {caches.DEFAULT_SORT})",
    )
    add(
        "-f",
        "--filter",
        metavar="FILTER",
        type=arguments.pattern,
        default="",
        help="show only caches whose name contains FILTER, or matches the regular expression after a leading ~",
    )
    add(
        "-p",
        "--pid",
        metavar="PID",
        type=arguments.pid,
        action="append",
        default=[],
        help="count only what this process allocates; may be given more than once",
    )
    add(
        "--cgroup",
        metavar="PATH",
        type=arguments.path,
        help="count only what this control group and those below it allocate; as in /proc/PID/cgroup, or its directory",
    )
    add("--frees", action="store_true", help="count frees too, as the key f does; implied by -s frees")
    add(
        "--all",
        action="store_true",
        help="include the caches in which nothing happened, as the key z does; as text all rows, unless -r limits them",
    )
    look = options.add_mutually_exclusive_group()
    for kind, what in LOOKS.items():
        look.add_argument(f"--{kind}", metavar="CACHE", help=f"print {what} of this cache instead of the table")
    add(
        "-C",
        "--noclear",
        action="store_true",
        help="print text as slabratetop does, one interval below the other; the default without a terminal",
    )
    add(
        "-r",
        "--maxrows",
        metavar="MAXROWS",
        type=partial(arguments.positive, what="number of rows"),
        help=f"print at most so many rows (default: {formats.MAXROWS} as text without --all, else all)",
    )
    add(
        "--output",
        choices=("text", "json", "csv", "folded"),
        help="print in this format instead of opening the screen; folded: the stacks, once, for flame graph tools",
    )
    add("--record", metavar="FILE", type=Path, help="write every snapshot to a new file too; compressed if .gz or .zst")
    add(
        "--addresses",
        action="store_true",
        help="write the kernel addresses of caches and of call sites without a name, not numbers in their place: "
        "they give away where the kernel lies in memory, which KASLR hides from attackers",
    )
    origin = options.add_mutually_exclusive_group()
    origin.add_argument(
        "--replay", metavar="FILE", type=Path, help="show a recording instead of the running kernel; needs no root"
    )
    origin.add_argument("--demo", action="store_true", help="show the recording that comes with slabtui")
    add(
        "--print-completion",
        metavar="SHELL",
        action=_PrintCompletion,
        help="print a completion script for this shell, such as bash or zsh",
    )
    add(
        "interval",
        nargs="?",
        type=arguments.interval,
        default=1.0,
        help=f"seconds between snapshots, {arguments.SHORTEST:g} to {arguments.LONGEST:g} (default: 1)",
    )
    add("count", nargs="?", type=partial(arguments.positive, what="count"), help="end after so many snapshots")
    return options
