"""The benchmark without its measurements: how it writes figures on the terminal and on the page."""

import time

from slabtui.kernel import counters
from slabtui.kernel.procfs.slabinfo import Parser
from tests.tools.bench import bpftrace, held, made, page, scale, stepped
from tests.tools.bench.extras import Runs
from tests.tools.bench.piped import complaint
from tests.tools.bench.report import Figure, Heading, Report, Table, Text, printed, spread, times

TABLE = Table(("way", "ns", "x"), [("empty", "12.0", ""), ("a|b", "100.0", "8.3x")])


def rendered(report: Report) -> str:
    return page.render(
        report,
        title="What slabtui costs",
        date="2026-11-24",
        command="sudo make bench",
        machine=("Linux 6.18", "CPUs: 2"),
    )


def test_a_table_is_aligned_on_the_terminal_with_the_same_cells() -> None:
    assert printed(TABLE) == "way       ns     x\nempty   12.0\na|b    100.0  8.3x"


def test_a_table_is_markdown_on_the_page_and_a_cell_cannot_break_it() -> None:
    report = Report()
    report.table(TABLE.titles, TABLE.rows)
    assert "| way | ns | x |\n| --- | ---: | ---: |\n| empty | 12.0 | - |\n| a\\|b | 100.0 | 8.3x |" in rendered(report)


def test_the_page_says_first_when_and_where_then_what_is_learned_then_the_rest() -> None:
    report = Report()
    report.heading("Start")
    report.text("As seen from outside.")
    report.learn("It starts.")
    report.learn("It ends.")
    assert rendered(report) == (
        "# What slabtui costs\n\n"
        "Written on 2026-11-24 by `sudo make bench`, with the figures of that run. Linux 6.18; CPUs: 2.\n\n"
        "- It starts.\n- It ends.\n\n"
        "## Start\n\nAs seen from outside.\n"
    )


def test_figures_that_follow_each_other_are_one_table_with_goals_where_there_are_any() -> None:
    report = Report()
    report.figure("start", "0.4 s", "at most 0.5 s")
    report.figure("  of which import", "0.1 s")
    report.text("Then:")
    report.figure("memory", "90 MiB")
    text = rendered(report)
    assert "| figure | measured | goal |\n| --- | ---: | ---: |\n| start | 0.4 s | at most 0.5 s |\n" in text
    assert (
        "| of which import | 0.1 s | - |\n\nThen:\n\n| figure | measured |\n| --- | ---: |\n| memory | 90 MiB |" in text
    )


def test_whatever_is_reported_is_printed_and_kept(capsys) -> None:
    report = Report()
    report.heading("Start")
    report.figure("first frame", "0.4 s", "at most 0.5 s")
    assert report.blocks == [Heading("Start"), Figure("first frame", "0.4 s", "at most 0.5 s")]
    assert capsys.readouterr().out == "".join(f"{printed(block)}\n" for block in report.blocks)


def test_prose_is_wrapped_but_nothing_in_it_is_torn() -> None:
    line = " ".join(["word"] * 40 + ["tracepoint:kmem:kmem_cache_alloc-" * 5])
    lines = printed(Text(line)).splitlines()
    assert " ".join(lines) == line
    assert max(map(len, lines[:-1])) <= 120


def test_spread_and_ratio() -> None:
    assert spread([]) == "?"
    assert spread([1.26]) == "1.3"
    assert spread([3.0, 1.0, 2.0], 0) == "2 (1 to 3)"
    assert times(3.0, 2.0) == "1.5x"
    assert times(3.0, 0.0) == "?"


def test_a_program_that_ends_is_quoted_with_its_last_error() -> None:
    assert complaint("Attaching 1 probe...\nERROR: one\nstdin:1: ERROR: two\n~~~~\n") == "stdin:1: ERROR: two"
    assert complaint("usage: it\n") == "usage: it"
    assert complaint("\n") == "it says nothing"


def test_the_numbers_in_fdinfo() -> None:
    assert bpftrace.numbers("prog_type:\t5\nprog_tag:\t26aa09\nrun_time_ns:\t423\n") == {
        "prog_type": 5,
        "run_time_ns": 423,
    }


def test_the_runs_between_two_readings() -> None:
    before, after = {"run_cnt": 10, "run_time_ns": 100}, {"run_cnt": 30, "run_time_ns": 500}
    assert Runs.between(before, after) == Runs(20, 20.0)
    assert Runs.between(before, before) == Runs(0, 0.0)


def test_made_up_maps_are_read_as_the_kernels() -> None:
    maps = made.Maps(cpus=3, caches=10)
    maps.grow()
    maps.grow()
    found = counters.Table(maps.slots, maps.caches).read()
    assert [cache.name for cache in found.caches.values()] == maps.names
    assert [number % 3 for number in found.sums.values()] == [0] * 10
    assert list(found.sums.values())[1] == 2 * 3 * (1 + 7919 % 1000)


def test_made_up_slabinfo_is_read_as_the_kernels() -> None:
    first, second = (Parser().parse(made.slabinfo(["a", "b"], reading)) for reading in (0, 1))
    assert [first[name].live for name in "ab"] == [1000, 1000]
    assert [second[name].live for name in "ab"] == [1000, 1001]


def test_every_part_of_an_interval_is_measured() -> None:
    clock = scale.measured(cpus=2, caches=5, ticks=1)
    assert all(len(taken) == 2 for taken in clock.taken.values())
    assert clock.median(*clock.taken) > 0


def test_every_step_that_is_timed_is_a_function_of_the_program() -> None:
    for where in stepped.STEPS:
        owner, name = stepped.find(where)
        assert callable(getattr(owner, name))


def test_a_step_inside_another_is_counted_once() -> None:
    clock = stepped.Clock()
    inner = clock.time("inner", lambda: sum(range(200_000)))
    outer = clock.time("outer", lambda: (inner(), inner()))
    begun = time.thread_time_ns()
    outer()
    taken = time.thread_time_ns() - begun
    assert 0 < clock.spent["outer"] < clock.spent["inner"]
    assert clock.spent.total() <= taken


def test_events_of_other_caches_are_subtracted_from_the_cost_of_those_of_one_cache() -> None:
    """Of 30 events that take 20 ns on average, 10 are of the cache; the others take 5 ns each."""
    assert held.of_cache(held.Events(number=30, of_cache=10, each=20.0), other=5.0) == 50.0
    assert held.of_cache(held.Events(number=10, of_cache=10, each=20.0), other=5.0) == 20.0
