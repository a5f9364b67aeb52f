"""The command line of the benchmark."""

import argparse
import os
import platform
import signal
import sys
from pathlib import Path

import urwid

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.module import import_bcc
from tests.bench import events, program, screen

CPUS = 2  # that the load is put on, where there are as many


def main() -> int:
    """Measure everything, print it, and return the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that every `finally` is carried out
    try:
        capabilities.demand()
        _measure(options)
    except SlabtuiError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _measure(options: argparse.Namespace) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    print(f"Linux {platform.release()} {platform.machine()}, {_processor()}, CPUs: {len(cpus)}")
    print(f"Python {platform.python_version()}, urwid {urwid.__version__}, bcc {import_bcc().__version__}")
    print(f"load average before: {os.getloadavg()[0]:.2f}")
    for race in (events.ALLOC, events.KMALLOC):
        events.show(race, options.opens, options.rounds, cpus[:CPUS])
    program.show(starts=3 if options.quick else 7, seconds=3.0 if options.quick else 10.0)
    screen.show_keys(times=5 if options.quick else 50)
    screen.show_ticks(ticks=3 if options.quick else 10)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Print what slabtui costs, from one run."
    )
    parser.add_argument("--opens", type=_positive, metavar="N", help="calls of each load process (default: 300000)")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="rounds of each load (default: 3)")
    parser.add_argument("--quick", action="store_true", help="much less of everything: to see that it works")
    options = parser.parse_args()
    options.opens = options.opens or (30_000 if options.quick else 300_000)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return number


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unnamed")


if __name__ == "__main__":
    sys.exit(main())
