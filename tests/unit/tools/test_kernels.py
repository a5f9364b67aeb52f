"""The tests of other kernels, without a run: choice of kernels, results, the page, and failures of a guest."""

import ast
import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.kernels import __main__ as kernels
from tests.tools.kernels import choice, guest, oldtools, page, results, tracefs
from tests.tools.kernels.choice import Kernel
from tests.tools.kernels.guest import Step
from tests.tools.kernels.results import (
    Comparison,
    Counts,
    Hidden,
    Jitless,
    LiveTests,
    Lookup,
    Result,
    SideBySide,
    Tool,
    Tracker,
    Trackers,
)

KERNEL = Kernel("6.12.118-1", "6.12.118+deb13-amd64", headers=True)
COUNTS = Counts(happened=100_000, kernel=100_000, counted=99_990, lost=10)
ALL, TOO_FEW = Counts(2000, None, 2000, 0), Counts(2000, None, 1999, 0)
LOOKUPS = (Lookup("bpf_rdonly_cast", ALL, ALL), Lookup("bpf_probe_read_kernel", ALL, ALL))
GOOD = Result(
    KERNEL,
    seconds=200.0,
    live=LiveTests(48, (), 1),
    comparison=Comparison(
        KERNEL.release,
        "0.26.0",
        attachment="raw tracepoints",
        exact_kmalloc="yes",
        load_seconds=4.26,
        counts=COUNTS,
        lookup="bpf_rdonly_cast",
        lookups=LOOKUPS,
    ),
    side_by_side=SideBySide(5000, 3, (Tool("bpfcc-tools 0.26", trouble="no a|b"), Tool("slabtui", 7.0, 5001))),
    trackers=Trackers(1000, 0.01, (Tracker("slabtui --held filp", 0.015), Tracker("memleak", trouble="no b|c"))),
    hidden=Hidden(exact_kmalloc=True, counts=ALL),
    jitless=Jitless(counts=COUNTS, frees=ALL, callers=ALL, stacks=TOO_FEW, bulk="no"),
)
CONSOLE = """\
[    1.000000] nothing of note
[   23.363186] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   23.385302] Oops: Oops: 0010 [#1] PREEMPT SMP NOPTI
[   23.385845] RIP: 0010:0x0
[   23.386942] Call Trace:
[   23.387341]  <TASK>
[   23.387473]  ? bpf_trace_run5+0x95/0x120
[   23.387594]  ? shmem_alloc_inode+0x21/0x30
[   23.414535] Kernel panic - not syncing: Fatal exception
[   23.415231] Kernel Offset: 0x32400000 from 0xffffffff81000000
"""
CRASH = "BUG: kernel NULL pointer dereference, address: 0000000000000000 in bpf_trace_run5+0x95"


def compared(**changed: object) -> Result:
    """Return a good result but for what one comparison found."""
    assert GOOD.comparison
    return replace(GOOD, comparison=replace(GOOD.comparison, **changed))


def beside(counted: int | None) -> Result:
    """Return a good result but for what slabtui counted beside the others."""
    return replace(GOOD, side_by_side=SideBySide(5000, 3, (Tool("slabtui", 7.0, counted),)))


REFUSED = replace(
    GOOD, comparison=Comparison("5.10", "0.26.0", refused="too old: use 6.1"), live=LiveTests(0, ("a",), 0)
)
SYMBOLS = "ffffffff81000100 T alloc_empty_file\nffffffff81000180 t next\t[module]\nffffffff81000000 T __alloc_file\n"


# --- which kernels


def test_versions_are_in_the_order_that_debian_gives_them() -> None:
    ordered = [
        "5.10.9-1",
        "5.10.262-1",
        "6.12.117-1~deb12u1",
        "6.12.117-1",
        "6.12.117-1+b1",
        "6.12.118-1~bpo13+1",
        "7.2-1",
    ]
    assert sorted(sorted(ordered), key=choice.order) == ordered


def test_the_newest_of_a_series_is_chosen_and_no_other_series_that_begins_alike() -> None:
    kernels = choice.parse("6.1.9-1 a h\n6.1.10-1 b -\n6.12.1-1 c h\n7.2.9-1 d h\n7.10.1-1~bpo13+1 e -\n")
    assert choice.newest(kernels, "6.1") == Kernel("6.1.10-1", "b", headers=False)
    newest = choice.newest(kernels, "7")
    assert newest
    assert newest.release == "e"
    assert choice.newest(kernels, "5.10") is None
    assert choice.parse(choice.written(kernels)) == kernels


def test_a_kernel_whose_modules_are_gone_is_not_offered() -> None:
    names = {"linux-modules-7.3.4+deb13-amd64", "linux-headers-6.1.0-56-amd64"}
    stanzas = "\n\n".join(
        f"Package: linux-image-{name}\nVersion: {version}\nDepends: kmod, linux-modules-{needs}"
        for name, version, needs in (
            ("7.3.4+deb13-amd64", "7.3.4-1", "7.3.4+deb13-amd64 (= 7.3.4-1)"),
            ("7.2.1+deb13-amd64", "7.2.1-1", "7.2.1+deb13-amd64 (= 7.2.1-1)"),
            ("7.3.4+deb13-rt-amd64", "7.3.4-1", "7.3.4+deb13-amd64"),
            ("amd64", "7.3.4-1", "7.3.4+deb13-amd64"),
        )
    )
    stanzas += "\n\nPackage: linux-image-6.1.0-56-amd64\nVersion: 6.1.192-2\nDepends: kmod\n"
    assert choice.published(names, stanzas) == [
        Kernel("6.1.192-2", "6.1.0-56-amd64", headers=True),
        Kernel("7.3.4-1", "7.3.4+deb13-amd64", headers=False),
    ]


# --- the files of a guest


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert GOOD.comparison
    assert GOOD.side_by_side
    results.write(GOOD.comparison, tmp_path / results.FILES[results.COMPARISON])
    assert GOOD.hidden
    assert GOOD.jitless
    results.write(GOOD.side_by_side, tmp_path / results.FILES[results.SIDE_BY_SIDE])
    assert GOOD.trackers
    results.write(GOOD.trackers, tmp_path / results.FILES[results.TRACKERS])
    results.write(GOOD.hidden, tmp_path / results.FILES[results.HIDDEN])
    results.write(GOOD.jitless, tmp_path / results.FILES[results.JITLESS])
    (tmp_path / results.FILES[results.LIVE]).write_text(
        "<testsuites><testsuite>"
        + "<testcase name='good'/>" * 48
        + "<testcase name='skipped'><skipped/></testcase></testsuite></testsuites>"
    )
    assert results.read(KERNEL, tmp_path, 200.0, None) == GOOD


def test_what_an_interrupted_guest_has_left_is_kept(tmp_path: Path) -> None:
    assert GOOD.comparison
    results.write(GOOD.comparison, tmp_path / results.FILES[results.COMPARISON])
    result = results.read(KERNEL, tmp_path, 3.0, "time ran out after 600 s")
    assert result.comparison == GOOD.comparison
    assert results.faults(result) == ["time ran out after 600 s"]
    assert "does not work: time ran out after 600 s" in rendered(result)
    assert "| no result |" in rendered(result)


def test_a_crash_in_the_last_step_is_that_of_its_column_and_nothing_else_is_lost(tmp_path: Path) -> None:
    assert GOOD.comparison
    results.write(GOOD.comparison, tmp_path / results.FILES[results.COMPARISON])
    for step in (results.LIVE, results.COMPARISON, results.SIDE_BY_SIDE, results.HIDDEN):
        (tmp_path / f"{step}.log").touch()
        (tmp_path / f"{step}.status").write_text("0\n")
    (tmp_path / "oldtools.status").write_text("1\n")
    for step in (results.LIVE, results.HIDDEN):
        (tmp_path / results.FILES[step]).write_text(
            "<a><testcase/></a>" if step == results.LIVE else '{"counts": null}'
        )
    (tmp_path / "jitless.log").write_text("load\n")
    result = results.read(KERNEL, tmp_path, 3.0, f"the kernel crashed ({CRASH})")
    assert result.comparison == GOOD.comparison
    assert result.troubles == ("oldtools left no result: it ended with status 1",)
    assert results.crashed(result)
    assert f"without JIT: the kernel crashed ({CRASH})" in results.faults(result)
    assert f"| no: the kernel crashed ({CRASH}) | - | - | - | - | - |" in rendered(result)


def test_a_crash_in_another_step_names_it(tmp_path: Path) -> None:
    (tmp_path / "live.log").touch()
    result = results.read(KERNEL, tmp_path, 3.0, "the kernel crashed (BUG: b)")
    assert results.faults(result) == ["the kernel crashed (BUG: b) during live"]
    assert results.crashed(result)


def test_a_step_that_left_no_result_is_reported_with_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / "live.status").write_text("124\n")
    (tmp_path / "compare.status").write_text("1\n")
    faults = results.faults(results.read(KERNEL, tmp_path, 3.0, None))
    assert faults == [
        "live left no result: it took too long",
        "compare left no result: it ended with status 1",
        "oldtools left no result: it did not end",
        "trackers left no result: it did not end",
        "hidden left no result: it did not end",
        "jitless left no result: it did not end",
    ]


def test_failures_and_errors_both_count_as_failed() -> None:
    cases = "<testcase name='a'><failure/></testcase><testcase name='b'><error/></testcase><testcase name='c'/>"
    assert results.live_tests(f"<testsuite>{cases}</testsuite>") == LiveTests(1, ("a", "b"), 0)


def test_a_good_result_has_no_fault() -> None:
    assert results.faults(GOOD) == []
    assert not results.crashed(GOOD)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (replace(GOOD, live=LiveTests(48, ("test_x",), 0)), "failed: test_x"),
        (replace(GOOD, live=LiveTests(0, (), 49)), "no live test ran"),
        (replace(GOOD, troubles=("time ran out",), live=None), "time ran out"),
        (
            replace(GOOD, comparison=Comparison("", "", counts=replace(COUNTS, lost=9))),
            "the counts compared do not agree",
        ),
        (
            replace(GOOD, comparison=Comparison("", "", counts=replace(COUNTS, counted=100_001))),
            "the counts compared do not agree",
        ),
        (
            compared(lookups=(replace(LOOKUPS[0], frees=TOO_FEW), LOOKUPS[1])),
            "the counts with bpf_rdonly_cast are wrong",
        ),
        (
            replace(GOOD, hidden=Hidden(exact_kmalloc=False, counts=ALL)),
            "with kernel.kptr_restrict=2: kmalloc is not counted in its real caches",
        ),
        (
            replace(GOOD, hidden=Hidden(exact_kmalloc=True, counts=TOO_FEW)),
            "with kernel.kptr_restrict=2: the counts do not agree",
        ),
        (
            replace(GOOD, hidden=Hidden(refused="no: use 6.1")),
            "with kernel.kptr_restrict=2: slabtui refuses to count: no: use 6.1",
        ),
        (replace(GOOD, jitless=Jitless(counts=ALL, frees=TOO_FEW)), "without JIT: the counts do not agree"),
        (replace(GOOD, jitless=Jitless(counts=ALL, callers=TOO_FEW)), "without JIT: the counts do not agree"),
        (replace(GOOD, jitless=Jitless(stacks=Counts(2000, None, 0, 0))), "without JIT: no stack was taken"),
        (beside(4999), "slabtui's count beside the older tools is wrong"),
        (beside(5004), "slabtui's count beside the older tools is wrong"),
        (beside(None), "slabtui's count beside the older tools is wrong"),
    ],
)
def test_each_fault_is_reported(result: Result, fault: str) -> None:
    assert results.faults(result) == [fault]


def test_bulk_that_is_not_counted_is_a_fault() -> None:
    result = replace(GOOD, comparison=Comparison("", "", bulk="no", counts=COUNTS))
    assert results.faults(result) == ["bulk allocations and frees are not counted"]


def test_a_refusal_is_a_fault() -> None:
    assert "slabtui refuses this kernel: too old: use 6.1" in results.faults(REFUSED)


# --- the page


def rendered(*found: Result) -> str:
    return page.render(found, date="2026-01-31", command="make it", machine="bcc 0.26")


def test_the_page_has_the_figures_of_the_run_and_nothing_else() -> None:
    text = rendered(GOOD)
    assert "Written on 2026-01-31 by `make it`, with the results of that run; bcc 0.26." in text
    counts = "100,000 opened; kernel 100,000; slabtui 99,990, lost 10"
    each = "allocated 2,000 of 2,000, lost 0, freed 2,000 of 2,000, lost 0"
    lookups = f"bpf_rdonly_cast | bpf_rdonly_cast: {each}; bpf_probe_read_kernel: {each}"
    assert (
        f"| {KERNEL.release} | raw tracepoints | yes | {lookups} | - | - | - | 48 / 0 / 1 | {counts} | 4.3 s | - |"
        in text.splitlines()
    )
    jitless = f"yes | {counts} | 2,000 of 2,000, lost 0 | 2,000 of 2,000, lost 0 | about 1,999 of 2,000 | no"
    assert f"| {KERNEL.release} | yes: 2,000 of 2,000, lost 0 | {jitless} |" in text.splitlines()
    assert f"| {KERNEL.release} | slabtui | 5,000 | 3 | 5,001 | 0 to 2 | 7.0 s | - |" in text.splitlines()
    assert (
        f"| {KERNEL.release} | bpfcc-tools 0.26 | 5,000 | 3 | - | - | - | does not run: no a\\|b |" in text.splitlines()
    )


def test_the_page_has_what_tracking_costs_and_why_a_tool_does_not_run() -> None:
    lines = rendered(GOOD).splitlines()
    assert f"| {KERNEL.release} | slabtui --held filp | 10.0 us | 15.0 us, x 1.5 | - |" in lines
    assert f"| {KERNEL.release} | memleak | 10.0 us | - | does not run: no b\\|c |" in lines
    refused = Trackers(1000, 0.01, (Tracker("slabtui --held filp", trouble="no x"),))
    assert results.faults(replace(GOOD, trackers=refused)) == ["slabtui does not track what is held: no x"]


def test_a_kernel_that_always_compiles_programs_has_no_fault() -> None:
    result = replace(GOOD, jitless=Jitless(always_on=True))
    assert results.faults(result) == []
    assert "| always on | - | - | - | - | - |" in rendered(result)


def test_a_kernel_that_hides_its_addresses_from_slabtui_is_reported() -> None:
    refused, by_size = Hidden(refused="too old: use 6.1"), Hidden(exact_kmalloc=False, counts=ALL)
    assert "| no: slabtui refuses to count (too old: use 6.1) |" in rendered(replace(GOOD, hidden=refused))
    assert "| no: 2,000 of 2,000, lost 0 |" in rendered(replace(GOOD, hidden=by_size))


def test_what_was_wrong_in_a_first_guest_is_reported() -> None:
    result = replace(GOOD, first=("failed: test_x", "time ran out"))
    assert rendered(result).count("| in a first guest: failed: test_x; in a first guest: time ran out |") == 1
    assert results.faults(result) == []


def test_a_kernel_that_is_refused_is_in_the_table_with_the_reason() -> None:
    why = "does not work: slabtui refuses it (too old: use 6.1)"
    assert (
        f"| {KERNEL.release} | - | - | - | - | - | - | - | 0 / 1 / 0 | - | - | {why} |"
        in rendered(REFUSED).splitlines()
    )


def test_a_guest_that_left_nothing_is_in_all_tables() -> None:
    text = rendered(Result(KERNEL, 9.0, ("the guest ended without a result (Kernel panic)",)))
    assert text.count(f"| {KERNEL.release} |") == 4
    assert "does not work: the guest ended without a result (Kernel panic)" in text
    assert "no result |" in text.splitlines()[-1]


# --- in the guest


def test_the_kernel_s_trace_is_filtered_by_thread_and_caller() -> None:
    ranges = tracefs.functions(SYMBOLS, {"alloc_empty_file", "__alloc_file", "missing"})
    assert ranges == [(0xFFFFFFFF81000000, 0xFFFFFFFF81000100), (0xFFFFFFFF81000100, 0xFFFFFFFF81000180)]
    assert tracefs.event_filter([7, 8], ranges[:1]) == (
        "(common_pid == 7 || common_pid == 8) && ((call_site >= 0xffffffff81000000 && call_site < 0xffffffff81000100))"
    )
    assert tracefs.event_filter([7, 8], ranges[:1], others=True).startswith("(common_pid != 7 && common_pid != 8) && (")


def test_events_that_were_overwritten_count_too() -> None:
    assert tracefs.recorded(["entries: 5\noverrun: 3\ncommit overrun: 9\n", "entries: 1\noverrun: 0\n"]) == 9


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.h:1:2: warning: w\n  a.h:3:4: error: e\nException: x\n", "a.h:3:4: error: e"),
        ("usage\n\nlast\n", "last"),
        ("Unable to find kernel headers.\nTraceback\nException: x\n", "Unable to find kernel headers."),
        ("", ""),
    ],
)
def test_a_tool_s_complaint_is_found(text: str, found: str) -> None:
    assert oldtools.complaint(text) == found


# --- the guest itself; a shell plays the emulator


def boot(shared: Path, command: str, seconds: int = 10) -> str | None:
    return asyncio.run(guest.run(["sh", "-c", command], shared, seconds))


def test_a_guest_that_ran_to_its_end_has_no_trouble(tmp_path: Path) -> None:
    assert boot(tmp_path, f"echo 0 >{tmp_path}/status") is None


def test_a_guest_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "console").write_text("booting\nreboot: Power down\n\n")
    assert boot(tmp_path, "exit 0") == "the guest ended without a result (reboot: Power down)"


def test_a_guest_whose_kernel_crashed_is_reported_with_what_crashed(tmp_path: Path) -> None:
    (tmp_path / "console").write_text(CONSOLE)
    assert boot(tmp_path, "exit 0") == f"the kernel crashed ({CRASH})"


def test_a_crashed_kernel_that_hangs_is_reported_as_crashed(tmp_path: Path) -> None:
    (tmp_path / "console").write_text(CONSOLE)
    assert boot(tmp_path, "sleep 60", seconds=1) == f"the kernel crashed ({CRASH})"


def test_the_function_that_crashed_is_the_innermost() -> None:
    assert guest.crash("RIP: 0010:no_crash+0x1/0x2\n") is None
    assert guest.crash("Oops: a\nRIP: 0010:inner+0x1/0x2\n outer+0x3/0x4\n") == "Oops: a in inner+0x1"
    assert guest.crash("general protection fault, x\n") == "general protection fault, x"


def test_an_emulator_that_does_not_start_is_reported(tmp_path: Path) -> None:
    assert boot(tmp_path, "echo bad option >&2; exit 1") == "the guest ended without a result (bad option)"
    assert boot(tmp_path, "") == "the guest ended without a result (it said nothing)"


def test_a_guest_that_hangs_is_ended_in_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    assert boot(tmp_path, "sleep 60", seconds=1) == "time ran out after 1 s"
    assert time.monotonic() - begin < 10


def test_an_interrupted_run_leaves_no_guest_behind(tmp_path: Path) -> None:
    ended = tmp_path / "ended"

    async def interrupted() -> None:
        command = [
            "sh",
            "-c",
            f"trap 'touch {ended}; exit' TERM; touch {tmp_path}/started; while :; do sleep 0.01; done",
        ]
        running = asyncio.create_task(guest.run(command, tmp_path, 60))
        while not (tmp_path / "started").exists():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupted())
    assert ended.exists()


def test_every_test_that_a_guest_runs_or_leaves_out_exists() -> None:
    functions: dict[str, set[str]] = {}
    for test in kernels.KERNEL_TESTS:
        file = test.partition("::")[0]
        nodes = ast.walk(ast.parse(Path(file).read_text()))
        functions[file] = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert all(test.partition("::")[2] in {"", *functions[test.partition("::")[0]]} for test in kernels.KERNEL_TESTS)
    every = set().union(*functions.values())
    assert [name for name in kernels.LEFT_OUT if not any(name in function for function in every)] == []


def test_every_step_has_its_own_time_and_log() -> None:
    steps = [Step("one", ("prog", "a b"), 5), Step("two", ("other",), 7)]
    assert guest.script(steps, Path("/some where")).splitlines() == [
        "cd '/some where' || exit",
        "timeout -k 5 5 prog 'a b' >/out/one.log 2>&1; echo $? >/out/one.status",
        "timeout -k 5 7 other >/out/two.log 2>&1; echo $? >/out/two.status",
        "exit 0",
    ]
