"""The command line: options to a source and a front end; every error that a user sees ends here, as one line."""

import argparse
import importlib
import math
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from slabtui import __version__, columns, query
from slabtui.collector import Collector, CollectorDiedError, Source
from slabtui.diversion import diverted
from slabtui.errors import SlabtuiError, Status

SHORTEST, LONGEST = 0.1, 3600.0  # seconds


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, instead of the usage text and a line."""
        raise SlabtuiError(message, "see slabtui --help", Status.USAGE)


def parser() -> argparse.ArgumentParser:
    """Return the definition of the command line."""
    options = _Parser(
        prog="slabtui",
        description="Show the rate of allocations from the kernel's slab caches, live.",
        epilog="Keys: ? shows them all. Needs root, and bcc from the distribution.",
    )
    options.add_argument("-V", "--version", action="version", version=f"slabtui {__version__}")
    options.add_argument(
        "-s",
        "--sort",
        metavar="COLUMN",
        type=_column,
        default=columns.DEFAULT_SORT,
        help=f"sort by {', '.join(columns.BY_ID)} (default: {columns.DEFAULT_SORT})",
    )
    options.add_argument(
        "-f",
        "--filter",
        metavar="FILTER",
        type=_filter,
        default="",
        help="show only caches whose name contains FILTER, or matches the regular expression after a leading ~",
    )
    options.add_argument("-p", "--pid", metavar="PID", type=_pid, help="count only what this process allocates")
    options.add_argument(
        "interval",
        nargs="?",
        type=_interval,
        default=1.0,
        help=f"seconds between snapshots, {SHORTEST:g} to {LONGEST:g} (default: 1)",
    )
    options.add_argument("count", nargs="?", type=_count, help="end after so many snapshots")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit status.

    SIGTERM and SIGHUP raise SystemExit with 128 and the signal's number, so that every `finally` is carried out;
    SIGINT ends the program like the key q.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        _run(parser().parse_args(arguments))
    except SlabtuiError as error:
        print(f"slabtui: {error}", file=sys.stderr)
        return error.status
    except CollectorDiedError as error:
        print(f"slabtui: {error}: please report this, with `uname -r`", file=sys.stderr)
        return Status.FAILED
    except KeyboardInterrupt:
        pass
    return Status.OK


def _run(options: argparse.Namespace) -> None:
    _demand_terminal()
    source = open_kernel(options.pid)
    try:
        from slabtui.views.app import App
        from slabtui.views.state import State

        state = State(options.interval, query.Order.by(options.sort), options.filter)
        with diverted(2) as log:  # whatever native code prints while the screen is open
            try:
                App(state, options.count).run(lambda notify: Collector(source, options.interval, notify))
            finally:
                log.seek(0)
                printed = log.read()
        sys.stderr.buffer.write(printed)
    finally:
        source.close()


def open_kernel(pid: int | None) -> Source:
    """Return the running kernel as a source; see Probe for the errors."""
    from slabtui.kernel import layout  # only here: a recording is to be looked at without bcc
    from slabtui.kernel.probe import Probe

    where = layout.read()
    # The compiler inside bcc takes most of the start and does not hold Python's lock: load urwid beside it.
    threading.Thread(target=importlib.import_module, args=("slabtui.views.app",)).start()
    return Probe(where, pid)


def _demand_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SlabtuiError("standard input and output are not a terminal", "run slabtui in one, over ssh with ssh -t")
    if os.environ.get("TERM") in (None, "", "dumb"):
        raise SlabtuiError("TERM names no terminal with a screen", "set it, as in TERM=xterm slabtui")


def _end(number: int, frame: FrameType | None) -> NoReturn:
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)  # the way out is short, and must be gone to its end
    raise SystemExit(128 + number)


def _column(text: str) -> str:
    if text not in columns.BY_ID:
        raise argparse.ArgumentTypeError(f"no column {text!r}, but {', '.join(columns.BY_ID)}")
    return text


def _filter(text: str) -> str:
    try:
        query.matcher(text)
    except query.BadFilterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _pid(text: str) -> int:
    pid = _positive(text, "PID")
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"no process {pid}") from error
    leader = int(next(line.split()[1] for line in status.splitlines() if line.startswith("Tgid:")))
    if leader != pid:
        raise argparse.ArgumentTypeError(f"{pid} is a thread of process {leader}")
    return pid


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from {SHORTEST:g} to {LONGEST:g}")
    return seconds


def _count(text: str) -> int:
    return _positive(text, "count")


def _positive(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a {what}, which is a whole number from 1")
    return int(text)
