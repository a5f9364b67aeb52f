"""Makes 1,000 hosts x 1 day in a directory, asks the three questions, and writes docs/fleet/analysis.md.

Needs 1.3 GB of disk and a quarter of an hour: python -m tests.tools.fleet DIRECTORY [--hosts 1000]. What it has made
stays in the directory for the next time. With another number of hosts, it prints what it would write.
"""

import argparse
import os
import resource
import sys
import time
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tests.tools.fleet import large, page, plan, questions, shape, small, truths
from tests.tools.fleet.page import Cost
from tests.tools.fleet.plan import Plan
from tests.tools.fleet.questions import Answer

HOSTS, HOURS, SECONDS, SEED = 1000, 24, 60, 1
BEGIN = datetime(2026, 11, 26, tzinfo=UTC)
MEMORY = "4GB"  # for DuckDB
LOADED = 4  # hosts; recording them takes a minute


def main() -> int:
    """Run it, and return the exit status: 1 if an answer is not what is planted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    options = parser.parse_args()
    fleet = plan.make(options.hosts, BEGIN, HOURS, SECONDS, SEED)
    options.directory.mkdir(exist_ok=True)
    with chdir(options.directory):
        for done in large.generate(fleet, SEED):
            print(f"{done} hosts", file=sys.stderr)
        answers, costs = ask()
        figures = measure(fleet)
    with TemporaryDirectory(dir=options.directory) as directory, chdir(directory):
        recorded, loading = load()
    errors = list(truths.find_errors(fleet, answers))
    parts = {"figures": page.write_figures([*figures, recorded], {"load": loading} | costs)}
    parts |= {
        f"{name} {number}": page.write_answer(answer)
        for name, found in answers.items()
        for number, answer in enumerate(found, 1)
    }
    if errors or options.hosts != HOSTS:
        print(*errors, *parts.values(), sep="\n")
    else:
        page.PAGE.write_text(page.fill(page.PAGE.read_text(), parts))
    return bool(errors)


def load() -> tuple[tuple[str, str], Cost]:
    """Record a day of a few hosts, load it, and return the size of the recordings and what loading costs, by host."""
    small.record(plan.make(LOADED, BEGIN, HOURS, SECONDS, SEED), SEED)
    size = sum(path.stat().st_size for path in Path("recordings").rglob("*.zst"))
    before, cpu = time.monotonic(), time.process_time()
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        questions.run(connection, "load")
    cost = Cost((time.monotonic() - before) / LOADED, (time.process_time() - cpu) / LOADED)
    return ("recordings of a host and a day, of which it loaded a few", f"{size / LOADED / 1e6:.1f} MB"), cost


def ask() -> tuple[dict[str, list[Answer]], dict[str, Cost]]:
    """Run all files but load.sql, and return what they answer and cost."""
    answers, costs = {}, {}
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        for name in ("growth", *questions.QUESTIONS):
            before, cpu = time.monotonic(), time.process_time()
            found = questions.run(connection, name)
            costs[name] = Cost(time.monotonic() - before, time.process_time() - cpu)
            if found:
                answers[name] = found
    return answers, costs


def measure(fleet: Plan) -> list[tuple[str, str]]:
    """Return how large it all is."""
    size = sum(path.stat().st_size for path in Path("fleet").rglob("*.parquet"))
    caches = len(shape.load())
    rows = len(fleet.hosts) * fleet.intervals * caches
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return [
        ("hosts", f"{len(fleet.hosts):,}"),
        ("intervals of each host", f"{fleet.intervals:,} of {fleet.seconds} s"),
        ("caches of each host", f"{caches}"),
        ("rows", f"{rows / 1e6:,.0f} million"),
        (
            "Parquet",
            f"{size / 1e9:.2f} GB, {size / rows:.1f} bytes a row, {size / len(fleet.hosts) / 1e6:.1f} MB a host",
        ),
        ("processors", f"{os.cpu_count()}, shared with other programs: the second column of times is what it costs"),
        ("most memory of the process", f"{peak / 1e9:.1f} GB; DuckDB may use {MEMORY}"),
        ("DuckDB", duckdb.__version__),
    ]


if __name__ == "__main__":
    sys.exit(main())
