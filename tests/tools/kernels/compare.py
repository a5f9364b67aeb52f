"""Runs in the guest: compares slabtui's counts with the kernel's own and with what happened."""

import argparse
import contextlib
import platform
import socket
import subprocess
import time
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.kernel.scope import Scope
from slabtui.model.request import Request
from slabtui.model.snapshot import Snapshot
from tests.support import uring
from tests.support.probes import interval, read, request
from tests.support.workload import Workload, workload
from tests.tools.kernels import results, tracefs
from tests.tools.kernels.results import Comparison, Counts, Lookup

OPENS, STATS, SELECTS = 100_000, 20_000, 20_000
RINGS, SETTLED = 100, 0.5  # seconds until the kernel has done its delayed frees
ROUNDS, SOCKETS = 20, 100
MODULES = (  # name, its cache, and the socket that takes one object of that
    ("vsock", "AF_VSOCK", (socket.AF_VSOCK, socket.SOCK_STREAM, 0)),
    ("tipc", "TIPC", (socket.AF_TIPC, socket.SOCK_SEQPACKET, 0)),
)
_SELECTS_IN = "-512"  # how the name ends of the cache that serves a select(2) of the workload
_BY_CAST = "bpf_rdonly_cast"


def main() -> None:
    """Write the comparison to the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.kernels.compare")
    parser.add_argument("file", type=Path)
    capabilities.unlimit_locked_memory()  # as the program does
    results.write(compare(), parser.parse_args().file)


def compare() -> Comparison:
    """Count what one process opens, by slabtui and by the kernel at once."""
    release = platform.release()
    with workload("open", OPENS) as work:
        begin = time.perf_counter()
        try:
            probe = Probe(offsets.read(), Scope([work.pid]))
        except SlabtuiError as error:
            return Comparison(release, "unknown", refused=str(error))
        load_seconds = time.perf_counter() - begin
        try:
            counts, lookup = opens(probe, work, OPENS), probe.lookup
            return Comparison(
                release,
                probe.bcc,
                attachment="raw tracepoints",
                exact_kmalloc=yes(probe.exact_kmalloc),
                bulk=bulk(),
                modules=modules(),
                notes=probe.notes,
                load_seconds=load_seconds,
                counts=counts,
                frees=frees(),
                lookup=lookup,
                lookups=lookups(lookup),
            )
        finally:
            probe.close()


def opens(probe: Probe, work: Workload, number: int) -> Counts:
    """Count the files that a process opens, by a probe that counts this process and by the kernel at once."""
    with tracefs.counting_opens(work.pid) as seen_by_kernel:
        before = read(probe)
        work.run()
        between = interval(before, read(probe))
        counted = sum(row.allocs for row in between.rows if row.name == "filp")
        return Counts(number, seen_by_kernel(), counted, between.lost)


def frees() -> str:
    """Return how many frees slabtui counts of a process that frees a known number of buffers."""
    with workload("stat", STATS) as work:
        probe = Probe(offsets.read(), Scope([work.pid]))
        try:
            counts = freed(probe, work, STATS)
        finally:
            probe.close()
    lost = "?" if counts.lost is None else counts.lost
    return f"{counts.counted:,} of {STATS:,}, lost {lost}"


def freed(probe: Probe, work: Workload, number: int) -> Counts:
    """Count the buffers that a process frees, by a probe that counts this process."""
    request(probe, Request(frees=True))
    work.run()
    before = read(probe)
    work.run()
    between = interval(before, read(probe))
    counted = sum(row.frees or 0 for row in between.rows if row.name == "names_cache")
    return Counts(number, None, counted, between.lost)


def lookups(way: str) -> tuple[Lookup, ...]:
    """Count one load by each way of reading the cache of an object; nothing where the kernel has one way only."""
    if way != _BY_CAST:
        return ()
    with workload("select", SELECTS) as work, contextlib.ExitStack() as closing:
        probes = []
        for by_cast in (True, False):
            probe = Probe(offsets.read(), Scope([work.pid]), rdonly_cast=by_cast)
            closing.callback(probe.close)
            request(probe, Request(frees=True))
            probes.append(probe)
        work.run()
        before = [read(probe) for probe in probes]
        work.run()
        between = [interval(early, read(probe)) for early, probe in zip(before, probes, strict=True)]
    return tuple(
        Lookup(probe.lookup, *selected(snapshot, SELECTS)) for probe, snapshot in zip(probes, between, strict=True)
    )


def selected(between: Snapshot, number: int) -> tuple[Counts, Counts]:
    """Return what was counted of the kmalloc and of the kfree in each call of select(2)."""
    rows = [row for row in between.rows if row.name.endswith(_SELECTS_IN)]
    counted = sum(row.allocs for row in rows), sum(row.frees or 0 for row in rows)
    allocs, frees = (Counts(number, None, each, between.lost) for each in counted)
    return allocs, frees


def bulk() -> str:
    """Return whether bulk allocations are counted, and how many requests of io_uring rings were counted."""
    probe = Probe(offsets.read())
    try:
        probe.begin(lambda: None)
        request(probe, Request(frees=True))
        read(probe)
        before = read(probe)
        for _ in range(RINGS):
            uring.submit(uring.ENTRIES)
        time.sleep(SETTLED)
        between = interval(before, read(probe))
    finally:
        probe.close()
    row = next(row for row in between.rows if "io_kiocb" in (row.name, *row.aliases))
    return f"{row.name}: {row.allocs:,} allocated, {row.frees or 0:,} freed" if between.bulk else "no"


def modules() -> str:
    """Return how often the cache of a newly loaded module is counted exactly, under its name."""
    probe, right = Probe(offsets.read()), 0
    try:
        for number in range(ROUNDS):
            module, cache, kind = MODULES[number % len(MODULES)]
            subprocess.run(["modprobe", module], check=True)
            before = read(probe)
            for _ in range(SOCKETS):
                socket.socket(*kind).close()
            between = interval(before, read(probe))
            subprocess.run(["modprobe", "-r", module], check=True)
            counted = sum(row.allocs for row in between.rows if cache in (row.name, *row.aliases))
            right += counted == SOCKETS
    finally:
        probe.close()
    return f"{right} of {ROUNDS}"


def yes(known: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[known]


if __name__ == "__main__":
    main()
