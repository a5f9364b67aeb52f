"""Counts what a process in a nested PID namespace allocates: `python -m tests.support.nested HOW NUMBER`.

Started by test_namespaces.py. HOW is

- `pid`: only that process; prints its PID here and how many of its NUMBER files were counted;
- `processes`: all processes that look up paths; prints `ready`, waits for a line, and prints the inspection's rows.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from slabtui.model.inspection import InspectionKind
from tests.support import probes
from tests.support.probes import inspecting, read
from tests.support.workload import workload

NEST = ("unshare", "--pid", "--fork", "--mount-proc")  # the command that it runs is number 1 there


def main(how: str, number: int) -> None:
    if how == "pid":
        with workload("eventfd", number, NEST) as work:
            pid = only_child(work.pid)
            with probes.probing(pid) as probe:
                work.run()
                rows = read(probe).rows
        print(pid, sum(row.total_allocs for row in rows if row.name == "filp"))
        return
    with workload("stat", number, NEST) as work, probes.probing() as probe:
        os.stat("/")
        read(probe)
        probes.request(probe, inspecting("names_cache", InspectionKind.PROCESSES))
        print("ready", only_child(work.pid), flush=True)
        sys.stdin.readline()
        work.run()
        inspection = probes.find(read(probe))
        print(json.dumps([asdict(row) for row in inspection.rows]), flush=True)


def only_child(parent: int) -> int:
    """Return the PID of the one process that another has started; the fourth field of proc_pid_stat(5)."""
    (child,) = (
        int(path.name)
        for path in Path("/proc").glob("[1-9]*")
        if int((path / "stat").read_text().rpartition(")")[2].split()[1]) == parent
    )
    return child


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
