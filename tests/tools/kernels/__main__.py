"""The command line: gets the kernels, boots two at a time, writes the page, and reports faults."""

import argparse
import asyncio
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from slabtui.errors import SlabtuiError
from tests import ROOT
from tests.tools.kernels import choice, debian, guest, initramfs, oldtools, page, results
from tests.tools.kernels.choice import Kernel
from tests.tools.kernels.debian import Archive
from tests.tools.kernels.guest import OUT, Step
from tests.tools.kernels.results import Result

_PAGE = ROOT / "docs" / "kernels.md"
_CACHE = "KERNEL_TEST_CACHE"  # in the environment
_AT_ONCE = 2
KERNEL_TESTS = (
    "tests/live/test_counting.py",
    "tests/live/test_frees.py",
    "tests/live/test_held.py",
    "tests/live/test_held_bulk.py",
    "tests/live/test_inspect.py",
    "tests/live/test_handover.py::test_events_of_processes_that_compete_for_a_cpu_are_counted",
    "tests/live/test_handover.py::test_the_base_of_the_pages_is_found_while_processes_compete_for_a_cpu",
    "tests/live/test_namespaces.py",
)  # tests that depend on the kernel
LEFT_OUT = (  # tests that do not depend on the kernel, or depend on time; a compilation takes 10 s in a guest
    "a_hostile_name_of_a_process",
    "a_leak_has_its_rate",
    "a_late_row_of_an_earlier_inspection",
    "a_process_has_its_command_line",
    "classic_tracepoints_take_over_without_a_gap",
    "a_stack_whose_processes_have_no_room",
    "aliases_are_those_that_share_a_directory",
    "beginning_and_ending_inspections_leaves_nothing_behind",
    "objects_of_other_caches_are_found",
    "of_many_objects_a_sample",
    "second_close",
    "stacks_of_a_rare_allocation",
    "switched_off_and_on_within_an_interval",
    "the_caches_are_listed_once",
    "the_share_of_a_stack_is_right",
    "taking_stacks_stays_within_its_share_of_a_cpu",
    "what_one_inspection_owes",
    "what_the_kernel_says_of_a_cache_is_shown",
)
_BOOT = 60  # seconds; it takes some ten


def main() -> int:
    """Test all kernels or those named, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.kernels",
        description="Test slabtui on other kernels, in an emulator; write docs/kernels.md.",
    )
    parser.add_argument(
        "series", nargs="*", help="only the newest kernel of each of these, such as 6.1; print the page"
    )
    series: Sequence[str] = parser.parse_args().series
    try:
        _demand_root()
        return asyncio.run(_test(series or choice.SERIES, _PAGE if not series else None))
    except SlabtuiError as error:
        print(f"kernels: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


def _demand_root() -> None:
    if os.geteuid():
        raise SlabtuiError("the guests read all of this machine's files", "run it as root: sudo make test-kernels")


async def _test(series: Sequence[str], target: Path | None) -> int:
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    state = Path(os.environ.get(_CACHE) or Path.home() / ".cache" / "kernel-test").resolve()
    begin, today = time.monotonic(), date.today().isoformat()
    debian.install(debian.NEEDED)
    for package in oldtools.PACKAGES:
        debian.unpacked(package, state / "tools")
    kernels = _choose(debian.Archive(state), series)
    run = Path(tempfile.mkdtemp(prefix="kernels-"))
    try:
        found = await _boot_all(kernels, _steps(state / "tools"), run)
    except BaseException:  # an interrupt too; a partial page is useless
        shutil.rmtree(run)
        raise
    text = page.render(found, date=today, command="sudo make test-kernels", machine=_machine(found))
    if target:
        target.write_text(text)
    else:
        print(text)
    wrong = [f"{result.kernel.release}: {fault}" for result in found for fault in results.faults(result)]
    print(f"{len(found)} kernels in {time.monotonic() - begin:.0f} s", *wrong, sep="\n")
    if wrong:
        print(f"the files of the guests are in {run}")
        return 1
    shutil.rmtree(run)
    return 0


def _choose(archive: Archive, series: Sequence[str]) -> dict[Kernel, Path]:
    """Return the newest kernel of each series, and where it is unpacked."""
    published = archive.kernels()
    chosen: dict[Kernel, Path] = {}
    for name in series:
        kernel = choice.newest(published, name)
        if kernel is None:
            raise SlabtuiError(f"Debian publishes no kernel {name}", "name another series, such as 6.12")
        chosen[kernel] = archive.kernel(kernel)
    return chosen


def _steps(tools: Path) -> list[Step]:
    files = {step: str(OUT / name) for step, name in results.FILES.items()}
    python = ("env", "PYTHONDONTWRITEBYTECODE=1", "SLABTUI_LIVE=required", sys.executable, "-m")
    live = (
        "pytest",
        "-q",
        *KERNEL_TESTS,
        "-k",
        " and ".join(f"not {name}" for name in LEFT_OUT),
        "-p",
        "no:cacheprovider",
        f"--junitxml={files[results.LIVE]}",
    )
    beside = ("tests.tools.kernels.oldtools", str(tools), files[results.SIDE_BY_SIDE])
    trackers = ("tests.tools.kernels.trackers", str(tools), files[results.TRACKERS])
    return [
        Step(results.LIVE, (*python, *live), 2400),
        Step(results.COMPARISON, (*python, "tests.tools.kernels.compare", files[results.COMPARISON]), 240),
        Step(results.SIDE_BY_SIDE, (*python, *beside), 300),
        Step(results.TRACKERS, (*python, *trackers), 300),
        *(
            Step(step, (*python, "tests.tools.kernels.sysctls", step, files[step]), 240)
            for step in (results.HIDDEN, results.JITLESS)  # JITLESS is the last: a kernel may crash in it
        ),
    ]


async def _boot_all(kernels: dict[Kernel, Path], steps: Sequence[Step], run: Path) -> list[Result]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(kernel: Kernel, unpacked: Path) -> Result:
        async with places:
            first = await _boot(kernel, unpacked, steps, run / kernel.release)
            wrong = results.faults(first)
            if not wrong or results.crashed(first):  # a crash is a fault even if the next guest does not crash
                return first
            # Some tests have time limits that an emulator on a busy machine can miss. The page shows what was wrong.
            second = await _boot(kernel, unpacked, steps, run / f"{kernel.release}-again")
            return replace(second, first=tuple(wrong))

    async with asyncio.TaskGroup() as group:  # the newest first: they take longest, and the last should be the shortest
        tasks = {kernel: group.create_task(in_turn(kernel, kernels[kernel])) for kernel in reversed(kernels)}
    return [tasks[kernel].result() for kernel in kernels]


async def _boot(kernel: Kernel, unpacked: Path, steps: Sequence[Step], shared: Path) -> Result:
    print(f"{kernel.release}: booting", flush=True)
    begin = time.monotonic()
    shared.mkdir()
    archive = shared.with_name(f"{shared.name}.initramfs")
    initramfs.build(unpacked, archive)
    (shared / "command").write_text(guest.script(steps, ROOT))
    limit = _BOOT + sum(step.seconds for step in steps)
    trouble = await guest.run(guest.emulator(unpacked, archive, shared), shared, limit)
    result = results.read(kernel, shared, time.monotonic() - begin, trouble)
    print(f"{kernel.release}: {page.summary(result)}", flush=True)
    return result


def _machine(found: Sequence[Result]) -> str:
    """Return what all guests share, in words."""
    bcc = next((result.comparison.bcc for result in found if result.comparison), "unknown")
    qemu = subprocess.run([guest.EMULATOR, "--version"], capture_output=True, text=True, check=True).stdout
    number = next(iter(re.findall(r"version (\S+)", qemu)), "unknown")
    return f"Python {platform.python_version()}, bcc {bcc}, qemu {number}"


if __name__ == "__main__":
    sys.exit(main())
