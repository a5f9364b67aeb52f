"""The command line: two ways to give the interval and the count, groups in the help, examples that are right."""

import math
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from slabtui.cli import command_line
from slabtui.cli.arguments import Destination, Way
from slabtui.cli.options import Options
from slabtui.cli.parser import RUN, parser
from slabtui.columns import text
from slabtui.errors import SlabtuiError, Status
from slabtui.metrics.address import Address
from slabtui.model.inspection import InspectionKind
from slabtui.recording.limits import Limits
from slabtui.recording.moments import Ago, Clock

EXAMPLE = re.compile(r"^  (slabtui\b.*?)(?:  .*| > \S+)?$", re.MULTILINE)


def parse(*argv: str) -> Options:
    return command_line.parse(argv)


def refusal(*argv: str) -> str:
    with pytest.raises(SlabtuiError) as caught:
        parse(*argv)
    assert caught.value.status == Status.USAGE
    return str(caught.value)


@pytest.mark.parametrize(
    ("argv", "interval", "count"),
    [
        ([], 1.0, None),
        (["2"], 2.0, None),
        (["2", "3"], 2.0, 3),
        (["-d", "2"], 2.0, None),
        (["--interval", "0.5", "--count", "3"], 0.5, 3),
        (["-n", "3"], 1.0, 3),
        (["-n3", "2"], 2.0, 3),
        (["-b"], 1.0, 1),
        (["-b", "5"], 5.0, 1),
        (["--once", "-d", "5"], 5.0, 1),
    ],
)
def test_the_interval_and_the_count_are_options_or_arguments(
    argv: Sequence[str], interval: float, count: int | None
) -> None:
    found = parse(*argv)
    assert (found.interval, found.count) == (interval, count)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["-d", "1", "1"], "the interval is given twice, with -d and without: leave out one"),
        (["-n", "1", "1", "1"], "the count is given twice, with -n and without: leave out one"),
        (["-b", "1", "1"], "-b prints one interval: leave out -b or the count"),
        (["-b", "-n", "1"], "-b prints one interval: leave out -b or the count"),
    ],
)
def test_what_is_given_twice_is_wrong_usage(argv: Sequence[str], why: str) -> None:
    assert refusal(*argv) == why


def test_columns_are_names_with_commas_between_them() -> None:
    assert parse("-o", "mem,name, live,mem").columns == ("mem", "name", "live")
    assert parse().columns is None
    names = ", ".join(text.BY_ID)
    assert refusal("-o", "name,x") == f"argument -o/--columns: no column 'x': choose one of {names}: see slabtui --help"
    assert refusal("-s", "x") == f"argument -s/--sort: no column 'x': choose one of {names}: see slabtui --help"


@pytest.mark.parametrize(
    ("argv", "counted"),
    [([], False), (["--frees"], True), (["-s", "frees"], True), (["-o", "frees"], True), (["-o", "live"], False)],
)
def test_frees_are_counted_where_they_are_shown(argv: Sequence[str], counted: bool) -> None:
    assert parse(*argv).request.frees is counted


def test_every_option_is_in_a_group_with_a_name() -> None:
    groups = {group.title: group._group_actions for group in parser()._action_groups if group._group_actions}
    assert list(groups) == ["what to show", "what to count", "output", "recordings", "metrics", "other"]
    grouped = [action for actions in groups.values() for action in actions]
    assert len(grouped) == len(parser()._actions)
    assert all(action.help for action in grouped)


def test_the_examples_in_the_help_are_right() -> None:
    examples = EXAMPLE.findall(str(parser().epilog))
    assert len(examples) == 11
    found = [command_line.parse(shlex.split(example.replace("1234", "1"))[1:]) for example in examples]
    assert [one.output for one in found] == [*[None] * 7, "none", None, None, "folded"]
    assert found[1].pids == (1,)
    assert (found[1].sort, found[1].interval) == ("allocs", 0.5)
    assert (found[2].once, found[2].sort, found[2].columns) == (True, "live", ("name", "live", "mem"))
    assert found[3].leaks == RUN
    assert (str(found[4].report), found[4].leaks) == ("ticket.html", RUN)
    assert found[5].metrics == Address("127.0.0.1", 9811)
    assert found[6].record == Destination(Way.FILE, Path("night.jsonl.gz"))
    assert found[7].record == Destination(Way.DIRECTORY, Path("DIR"))
    assert (found[8].replay, found[8].begin) == ((Path("DIR"),), Clock(2, 30, 0))
    assert found[9].remote == ("web1",)
    inspection = found[10].request.inspection
    assert inspection is not None
    assert (inspection.kinds, found[10].count) == ((InspectionKind.STACKS,), 30)


@pytest.mark.parametrize(
    ("argv", "seconds"),
    [
        ([], None),
        (["--leaks"], RUN),
        (["--leaks", "15"], 15.0),
        (["--leaks", "15", "--demo"], 15.0),
        (["--leaks", "--demo"], math.inf),
        (["--leaks", "--replay", "a.jsonl"], math.inf),
        (["--report", "a.html"], RUN),
        (["--report", "a.md", "--seconds", "15"], 15.0),
        (["--report", "a.json", "--replay", "a.jsonl"], math.inf),
        (["--report", "a.json", "--demo", "--seconds", "60"], 60.0),
    ],
)
def test_a_run_has_its_length_or_that_of_a_recording(argv: Sequence[str], seconds: float | None) -> None:
    assert parse(*argv).leaks == seconds


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["--leaks", "9"], "'9' is not a number of seconds from 10 to 604800"),
        (["--leaks", "soon"], "'soon' is not a number of seconds"),
        (["--leaks", "-p", "1"], "use --held CACHE with them"),
        (["--leaks", "--cgroup", "/a"], "use --held CACHE with them"),
        (["--leaks", "60", "5"], "without an interval"),
        (["--leaks", "-n", "5"], "without a count"),
        (["--leaks", "-f", "a"], "without -f"),
        (["--leaks", "-s", "bytes"], "without -s"),
        (["--leaks", "--output", "csv"], "--leaks prints text or JSON"),
        (["--leaks", "--record", "-"], "--leaks prints text or JSON"),
        (["--leaks", "--replay", "-"], "run it on that host"),
        (["--leaks", "--ssh", "web1"], "run it on that host"),
        (["--leaks", "--held", "filp"], "not allowed with"),
        (["--report", "a.html", "--leaks"], "not allowed with"),
        (["--report", "a.html", "--record", "-"], "--report does not go with --record -: record to a file"),
        (["--record", "a.jsonl.xz"], "'a.jsonl.xz' ends in .xz; recordings are compressed as .gz or .zst"),
        (["--report", "a.html", "--seconds", "9"], "'9' is not a number of seconds from 10 to 604800"),
        (["--report", "a.html", "-p", "1"], "--report compares what is held"),
        (["--report", "a.html", "-r", "5"], "--report makes one page, without -r"),
        (["--report", "a.html", "--output", "json"], "leave out --output"),
        (["--report", "a.pdf"], "'a.pdf' does not end in .html, .md or .json"),
        (["--report", ""], "'' does not end in .html, .md or .json"),
        (["--seconds", "60"], "add --report FILE"),
        (["--leaks", "--seconds", "60"], "add --report FILE"),
    ],
)
def test_what_does_not_apply_to_leaks_and_reports_is_refused(argv: Sequence[str], why: str) -> None:
    assert why in refusal(*argv)


def test_the_help_names_every_status() -> None:
    assert re.findall(r"^  (\d) ", str(parser().epilog), re.MULTILINE) == [
        f"{status}" for status in Status if status is not Status.FAILED
    ]
    assert all(f"{status:d}  " in str(parser().epilog) for status in Status)


@pytest.mark.parametrize(
    ("given", "destination"),
    [
        ("a", Destination(Way.FILE, Path("a"))),
        ("a/", Destination(Way.DIRECTORY, Path("a"))),
        ("/tmp", Destination(Way.DIRECTORY, Path("/tmp"))),
        ("-", Destination(Way.STANDARD_OUTPUT, Path("-"))),
    ],
)
def test_where_to_record_to_is_a_file_a_directory_or_standard_output(given: str, destination: Destination) -> None:
    assert parse("--record", given).record == destination


def test_the_limits_of_a_directory() -> None:
    assert parse("--record", "a/").limits == Limits(3600, 7 * 86400, 1 << 30)
    given = ("--segment", "90s", "--keep", "2w", "--keep-size", "500M")
    assert parse("--record", "a/", *given).limits == Limits(90, 14 * 86400, 500 << 20)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["--record", "a/", "--segment", "1.5h"], "'1.5h' is not a duration, as 90s, 15m, 1h, 7d or 2w"),
        (["--record", "a/", "--keep", "0d"], "'0d' is not a duration"),
        (["--record", "a/", "--keep", "999999999w"], "'999999999w' is not a duration"),
        (["--record", "a/", "--keep-size", "1000"], "'1000' is not a size, as 100M or 1G"),
        (["--record", "a", "--keep", "1d"], "--segment, --keep and --keep-size apply to a directory"),
        (["--output", "none"], "--output none only records"),
        (["--record", "-", "--output", "json"], "--record - has standard output to itself"),
        (["--record", ""], "the path is empty"),
        (["--replay", ""], "the path is empty"),
        (["--replay", "-", "--replay", "a"], "--replay - reads one stream"),
        (["--from", "02:30"], "--from and --to apply to a recording"),
        (["--replay", "-", "--to", "02:30"], "--from and --to do not apply to a stream"),
        (["--replay", "a", "--from", "24:00"], "'24:00' is not a moment, as 02:30, -6h or 2026-11-26T02:30"),
        (["--replay", "a", "--from", "-6"], "'-6' is not a moment"),
        (["--ssh"], "--ssh needs a host"),
        (["-p", "1", "--ssh", "web1"], "-p says what is counted, which slabtui on the other host does: put -p after"),
        (["--frees", "--ssh", "web1"], "put --frees after the host"),
        (["--held", "filp", "--ssh", "web1"], "put --held after the host"),
        (["--record", "a", "--ssh", "web1"], "--record does not go with --ssh"),
        (["--ssh", "web1", "--record=a"], "--record does not go with --ssh"),
    ],
)
def test_what_is_wrong_with_a_recording_is_one_line(argv: list[str], why: str) -> None:
    assert why in refusal(*argv)


def test_a_moment_before_the_end_is_no_option() -> None:
    found = parse("--replay", "a", "--from", "-6h", "--to", "-90s", "60")
    assert (found.begin, found.end, found.interval) == (Ago(6 * 3600), Ago(90), 60.0)


def test_what_follows_the_host_is_for_slabtui_there() -> None:
    found = parse("-s", "live", "--ssh", "web1", "-p", "1", "--from", "-6h")
    assert (found.sort, found.remote, found.pids) == ("live", ("web1", "-p", "1", "--from", "-6h"), ())
