"""Runs in the guest: slabtui with hidden kernel addresses, and with the JIT compiler switched off, both by sysctl."""

import argparse
import contextlib
import errno
from collections.abc import Callable, Iterator
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.kernel.scope import Scope
from slabtui.model.inspection import ON_PAGE, InspectionKind
from tests.support.bpf import own_compiled_ids, own_program_ids
from tests.support.probes import inspecting, interval, read, request
from tests.support.workload import Workload, workload
from tests.tools.kernels import compare, results
from tests.tools.kernels.results import Counts, Hidden, Jitless

_SYSCTLS = Path("/proc/sys")
_OPENS, _STATS, _SELECTS = 20_000, 10_000, 20_000  # fewer than elsewhere: interpreted programs take longer


def main() -> None:
    """Run the step named on the command line and write its result to the file named there."""
    steps: dict[str, Callable[[], Hidden | Jitless]] = {
        results.HIDDEN: with_hidden_addresses,
        results.JITLESS: without_jit,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.tools.kernels.sysctls")
    parser.add_argument("step", choices=steps)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    capabilities.unlimit_locked_memory()  # as the program does
    results.write(steps[options.step](), options.file)


def with_hidden_addresses() -> Hidden:
    """Count kmalloc while /proc/kallsyms shows every address as 0, to root too."""
    with sysctl("kernel/kptr_restrict", "2"), workload("select", _SELECTS) as work:
        try:
            probe = Probe(offsets.read(), Scope([work.pid]))
        except SlabtuiError as error:
            return Hidden(refused=str(error))
        try:
            before = read(probe)
            work.run()
            allocs, _ = compare.selected(interval(before, read(probe)), _SELECTS)
            return Hidden(exact_kmalloc=probe.exact_kmalloc, counts=allocs)
        finally:
            probe.close()


def without_jit() -> Jitless:
    """Count opens, frees and bulk allocations, and inspect a cache, with programs that the kernel interprets."""
    with contextlib.ExitStack() as during:
        try:
            during.enter_context(sysctl("net/core/bpf_jit_enable", "0"))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return Jitless(always_on=True)
        opener = during.enter_context(workload("open", _OPENS))
        freer = during.enter_context(workload("stat", _STATS))
        _begin("load")
        try:
            probe = Probe(offsets.read(), Scope([opener.pid, freer.pid]))
        except SlabtuiError as error:
            return Jitless(f"slabtui refuses to count: {error}")
        during.callback(probe.close)
        assert own_program_ids()
        assert not own_compiled_ids(), "the kernel compiled programs despite the setting"
        _begin("opens")
        counts = compare.opens(probe, opener, _OPENS)
        found = inspected(probe, opener)
        _begin("frees")
        frees = compare.freed(probe, freer, _STATS)
        _begin("bulk")
        bulk = compare.bulk()
        return Jitless(
            counts=counts,
            frees=frees,
            callers=found[InspectionKind.CALLERS],
            stacks=found[InspectionKind.STACKS],
            bulk=bulk,
        )


def inspected(probe: Probe, work: Workload) -> dict[InspectionKind, Counts]:
    """Inspect the cache of open files in every way while a process opens some, and return how many each kind found."""
    _begin("inspection")
    request(probe, inspecting("filp", *ON_PAGE))
    work.run()
    inspections = read(probe).inspections
    assert len(inspections) == len(ON_PAGE), probe.notes
    return {
        found.kind: Counts(_OPENS, None, sum(row.total_allocs for row in found.rows), found.lost)
        for found in inspections
    }


@contextlib.contextmanager
def sysctl(name: str, value: str) -> Iterator[None]:
    """Change a setting of the kernel, and restore it afterwards.

    Raises:
        OSError: the kernel refuses the value.
    """
    path = _SYSCTLS / name
    before = path.read_text()
    path.write_text(value)
    try:
        yield
    finally:
        path.write_text(before)


def _begin(what: str) -> None:
    """Write what begins into the step's log, in case the kernel crashes."""
    print(what, flush=True)


if __name__ == "__main__":
    main()
