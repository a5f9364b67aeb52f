"""Runs in the guest: what slabtui tells of this kernel, and its count of opened files beside the kernel's own."""

import argparse
import platform
import time
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel import layout
from slabtui.kernel.probe import Probe
from slabtui.kernel.program import import_bcc
from slabtui.snapshot import difference
from tests.kernels import results, tracefs
from tests.kernels.results import Comparison, Counts
from tests.workload import workload

OPENS = 100_000


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
            probe = Probe(layout.read(), work.pid)
        except SlabtuiError as error:
            return Comparison(release, bcc, refused=str(error))
        load_seconds = time.perf_counter() - begin
        try:
            with tracefs.counting_opens(work.pid) as seen_by_kernel:
                before = probe.totals()
                work.run()
                rows, lost = difference(before, probe.totals())
                counted = sum(row.allocs for row in rows if row.name == "filp")
                counts = Counts(OPENS, seen_by_kernel(), counted, lost)
            return Comparison(
                release,
                bcc,
                attachment=told(probe, "attachment"),
                exact_kmalloc=told(probe, "exact_kmalloc"),
                frees=told(probe, "frees"),
                bulk=told(probe, "bulk"),
                notes=probe.notes,
                load_seconds=load_seconds,
                counts=counts,
            )
        finally:
            probe.close()


def told(probe: object, attribute: str) -> str:
    """Return what a probe tells of itself, in words; "-" if it has no such attribute."""
    value = getattr(probe, attribute, None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
