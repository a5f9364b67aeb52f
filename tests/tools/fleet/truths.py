"""Compares the answers with the plan of the fleet. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from tests.tools.fleet import plan
from tests.tools.fleet.plan import Plan
from tests.tools.fleet.questions import Answer

_BIN = timedelta(minutes=5)  # of outliers.sql


def find_errors(fleet: Plan, answers: dict[str, list[Answer]]) -> Iterator[str]:
    """Yield where the answers to the three questions are not what is planted."""
    leaking = {host.name for host in fleet.hosts if host.leaks}
    alone = {host.name: host.leaks_alone for host in fleet.hosts if host.leaks_alone}
    (leak,), (lone,) = plan.LEAKS, plan.LONE
    _, growing, _, of_hosts = answers["memory"]
    changed = sum(host.changes is not None for host in fleet.hosts)
    expected = {
        "the caches that grow": {(leak, len(leaking)), (lone, len(alone))},
        "the hosts on which they grow": {(host, leak) for host in leaking} | {(host, lone) for host in alone},
        "the caches that grow since the new kernel": {
            (plan.OLD, plan.NEW, leak, len(leaking), changed, 0, len(fleet.hosts) - changed)
        },
        "the outliers": {(host, lone) for host in alone},
    }
    columns = ("old_kernel", "new_kernel", "name", "hosts_growing", "hosts_changed")
    found = {
        "the caches that grow": growing.by("name", "hosts_growing"),
        "the hosts on which they grow": of_hosts.by("host", "name"),
        "the caches that grow since the new kernel": answers["kernels"][0].by(
            *columns, "unchanged_growing", "unchanged_hosts"
        ),
        "the outliers": answers["outliers"][0].by("host", "name"),
    }
    for what, rows in expected.items():
        if set(found[what]) != rows or len(found[what]) != len(rows):
            yield f"{what}: found {sorted(found[what])[:5]}, planted {sorted(rows)[:5]}"
    for host, begins in answers["outliers"][0].by("host", "begins"):
        if host in alone and (begins is None or abs(begins - alone[host]) > _BIN):
            yield f"the leak of {host} begins at {begins}, planted {alone[host]}"
