"""In a PID namespace of its own, as in a container: nested processes are counted, all others are one row."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.nested import NEST
from tests.support.workload import workload

pytestmark = pytest.mark.live

CALLS = 5000
OTHERS = "other namespaces"


def command(how: str, depth: int = 1) -> list[str]:
    """Return the command that runs slabtui at this depth below the first namespace."""
    return [*NEST * depth, sys.executable, "-m", "tests.support.nested", how, str(CALLS)]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_process_of_a_nested_namespace_is_counted_by_its_number_here(depth: int) -> None:
    found = subprocess.run(command("pid", depth), capture_output=True, text=True, check=True, timeout=120)
    pid, counted = map(int, found.stdout.split())
    assert 1 < pid < 100  # its number here; there it is 1
    assert counted == CALLS


def test_processes_of_other_namespaces_are_one_row_with_a_name_of_its_own() -> None:
    nested, rows = inspected()
    numbered = [row for row in rows if row["pid"]]
    assert {row["pid"]: row["total_allocs"] for row in numbered}[nested] >= CALLS
    assert all(row["context"] == "process" and row["pid"] < 100 for row in numbered)
    (others,) = [row for row in rows if not row["pid"] and row["context"] == "process"]
    assert (others["comm"], others["cgroup"]) == (OTHERS, "")
    assert others["total_allocs"] >= CALLS
    assert all(row["comm"] == "kernel threads" for row in rows if row["context"] == "kernel thread")


def inspected() -> tuple[int, list[dict[str, Any]]]:
    """Return the number that the nested process has above, and what was found while one of this namespace ran too."""
    with (
        workload("stat", CALLS) as here,
        subprocess.Popen(command("processes"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdin
        assert process.stdout
        ready, nested = process.stdout.readline().split()
        assert ready == "ready"
        here.run()
        process.stdin.write("\n")
        process.stdin.close()
        return int(nested), json.loads(process.stdout.readline())
