"""Runs in the guest: what slabtui tells of this kernel, and its count of opened files beside the kernel's own."""

import argparse
import platform
import time
from pathlib import Path

from slabtui.detail import Watch
from slabtui.errors import SlabtuiError
from slabtui.kernel import layout
from slabtui.kernel.module import import_bcc
from slabtui.kernel.probe import Probe
from slabtui.kernel.whose import Whose
from slabtui.snapshot import difference
from tests.kernels import results, tracefs
from tests.kernels.results import Comparison, Counts
from tests.workload import workload

OPENS, STATS = 100_000, 20_000


def main() -> None:
    """Write the comparison to the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels.compare")
    parser.add_argument("file", type=Path)
    results.write(compare(), parser.parse_args().file)


def compare() -> Comparison:
    """Count what one process opens, by slabtui and by the kernel at once."""
    release, bcc = platform.release(), import_bcc().__version__
    with workload("open", OPENS) as work:
        begin = time.perf_counter()
        try:
            probe = Probe(layout.read(), Whose([work.pid]))
        except SlabtuiError as error:
            return Comparison(release, bcc, refused=str(error))
        load_seconds = time.perf_counter() - begin
        try:
            with tracefs.counting_opens(work.pid) as seen_by_kernel:
                before = probe.totals()
                work.run()
                between = difference(before, probe.totals())
                counted = sum(row.allocs for row in between.rows if row.name == "filp")
                counts = Counts(OPENS, seen_by_kernel(), counted, between.lost)
            probe.begin()
            return Comparison(
                release,
                bcc,
                attachment="raw tracepoints",
                exact_kmalloc=yes(probe.exact_kmalloc),
                bulk=yes(probe.totals().bulk),
                notes=probe.notes,
                load_seconds=load_seconds,
                counts=counts,
                frees=frees(),
            )
        finally:
            probe.close()


def frees() -> str:
    """Return how many frees slabtui counts of a process that frees a known number of buffers."""
    with workload("stat", STATS) as work:
        probe = Probe(layout.read(), Whose([work.pid]))
        try:
            probe.watch(Watch(frees=True))
            work.run()
            before = probe.totals()
            work.run()
            between = difference(before, probe.totals())
        finally:
            probe.close()
    counted = sum(row.frees or 0 for row in between.rows if row.name == "names_cache")
    return f"{counted:,} of {STATS:,}, lost {between.lost}"


def yes(told: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[told]


if __name__ == "__main__":
    main()
