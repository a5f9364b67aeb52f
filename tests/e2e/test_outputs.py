"""The program without its screen: its output, its recordings, and an output that is not read."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from slabtui.cli.options import DEMO
from slabtui.columns import text
from slabtui.recording import codec
from slabtui.recording.reader import read
from tests.support.bpf import gone, program_ids
from tests.support.interpreters import naming, with_package
from tests.support.terminal import Terminal
from tests.support.unprivileged import unprivileged

SLABTUI = [sys.executable, "-m", "slabtui"]
SLABRATETOP = [sys.executable, "-c", "import sys; from slabtui.cli.main import slabratetop; sys.exit(slabratetop())"]
BLOCK = re.compile(
    r"\n\d\d:\d\d:\d\d loadavg: \d+\.\d+ \d+\.\d+ \d+\.\d+ \d+/\d+ \d+\n\n"
    r"CACHE                            ALLOCS      BYTES\n"
    r"((?:\S.{31,} {1,6}\d+ {1,10}\d+\n)+)"
)


def run(*arguments: str, command: list[str] = SLABTUI, **more: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.mark.live
@pytest.mark.parametrize("arguments", [("-C", "0.3", "3"), ("0.3", "3")])
def test_a_pipe_gets_the_text_of_slabratetop(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout.startswith("Tracing... Output every 0.3 secs. Hit Ctrl-C to end\n\n")
    assert ended.stdout.endswith("\nDetaching...\n")
    blocks = BLOCK.findall(ended.stdout)
    assert len(blocks) == 3
    for rows in blocks:
        sizes = [int(row.split()[-1]) for row in rows.splitlines()]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) <= 20


@pytest.mark.live
def test_rows_sort_and_filter_work_for_text_too() -> None:
    (rows,) = BLOCK.findall(run("-C", "-r", "2", "-s", "name", "-f", "~^[a-z]", "0.3", "1").stdout)
    names = [row.split()[0] for row in rows.splitlines()]
    assert len(names) == 2
    assert names == sorted(names)


@pytest.mark.live
@pytest.mark.parametrize("option", [["--frees"], ["-s", "frees"]])
def test_frees_are_counted_in_every_output_from_the_first_interval_on(option: list[str], tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    lines = run(*option, "--output", "json", "--record", str(path), "0.5", "2").stdout.splitlines()
    assert len(lines) == 2
    for rows in [json.loads(line)["caches"] for line in lines]:
        assert all(row["frees"] is not None for row in rows if not row["approximate"])
        assert sum(row["frees"] or 0 for row in rows) > 0
    assert all(sum(row.frees or 0 for row in one.rows) > 0 for one in read(path))
    heading, *cells = (line.split(",") for line in run(*option, "--output", "csv", "0.5", "1").stdout.splitlines())
    assert sum(int(row[heading.index("frees")] or 0) for row in cells) > 0
    printed = run(*option, "-C", "0.5", "1").stdout.splitlines()
    assert printed[4].split() == ["CACHE", "ALLOCS", "BYTES", "FREES"]
    assert sum(int(line.split()[-1].strip("!")) for line in printed[5:-1] if not line.endswith("-")) > 0


@pytest.mark.live
@pytest.mark.parametrize("option", [["--frees"], ["-s", "frees"]])
def test_the_screen_opens_with_frees_counted(option: list[str]) -> None:
    with Terminal([*SLABTUI, *option, "--all", "0.2"], size=(120, 40)) as terminal:
        terminal.wait_for(lambda: "FREES/s" in terminal.text)
        heading = next(line for line in terminal.lines if "FREES/s" in line)
        top, at = terminal.lines.index(heading), heading.index("FREES/s")
        terminal.wait_for(lambda: any(re.search("[1-9]", line[at - 3 : at + 5]) for line in terminal.lines[top + 1 :]))
        # The idle ones too: as many as there are.
        terminal.wait_for(lambda: re.search(r"\b(\d+)(?: of |/)\1\b", terminal.text) is not None)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.live
def test_objects_that_are_only_held_are_in_every_output() -> None:
    """Most caches are idle during such a short interval; slabinfo has them anyway."""
    known = run("--output", "json", "--all", "0.2", "1").stdout
    rows = {row["name"]: row for row in json.loads(known)["caches"]}
    idle = {name for name, row in rows.items() if not row["allocs"] and row["live"]}
    assert len(idle) > 20
    assert idle - {row["name"] for row in json.loads(run("--output", "json", "0.2", "1").stdout)["caches"]}
    csv = {line.split(",")[2] for line in run("--output", "csv", "--all", "0.2", "1").stdout.splitlines()}
    table = {line.split(" ")[0] for line in run("-C", "--all", "0.2", "1").stdout.splitlines()}
    for printed in (csv, table):
        assert len(idle - printed) < 3  # created or destroyed meanwhile, or with a comma in its name
    lines = run("-C", "-s", "live", "0.2", "1").stdout.splitlines()
    assert lines[4].split() == ["CACHE", "ALLOCS", "BYTES", "LIVE"]
    live = [int(line.split()[-1]) for line in lines[5:-1]]
    assert len(live) == 20
    assert live == sorted(live, reverse=True)
    assert live[-1] >= sorted((row["live"] or 0 for row in rows.values()), reverse=True)[25]


@pytest.mark.live
def test_slabratetop_clears_a_terminal_unless_an_option_forbids_it() -> None:
    with Terminal([*SLABRATETOP, "0.2", "2"]) as terminal:
        assert terminal.wait_for_exit() == 0
        assert terminal.output.count(b"\x1b[2J") == 2
        assert "Detaching..." in terminal.text
    with Terminal([*SLABRATETOP, "-C", "0.2", "2"]) as terminal:
        assert terminal.wait_for_exit() == 0
        assert b"\x1b" not in terminal.output


@pytest.mark.live
def test_ctrl_c_prints_the_interval_so_far_and_detaches() -> None:
    before = program_ids()
    with subprocess.Popen([*SLABTUI, "-C", "3600"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Tracing...")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert len(BLOCK.findall(rest)) == 1
    assert rest.endswith("Detaching...\n")
    assert gone(before)


@pytest.mark.live
def test_json_lines_come_one_by_one_and_are_whole() -> None:
    with subprocess.Popen([*SLABTUI, "--output", "json", "0.2"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    for line in lines:
        assert line["schema"] == codec.NAME
        assert line["source"] == "live"
        assert line["host"] == os.uname().nodename
        assert 0.1 < line["elapsed_s"] < 2
        assert line["caches"]
        assert all(row["bytes"] == row["allocs"] * row["size"] for row in line["caches"] if row["size"])


@pytest.mark.live
def test_two_at_once_count_the_same() -> None:
    """Both see the same events of this process; other processes do not matter."""
    command = [*SLABTUI, "--output", "json", "-f", "filp", "-p", str(os.getpid())]
    with (
        subprocess.Popen([*command, "0.5"], stdout=subprocess.PIPE, text=True) as outer,
        subprocess.Popen([*command, "0.1"], stdout=subprocess.PIPE, text=True) as inner,
    ):
        both = [(process, process.stdout) for process in (outer, inner) if process.stdout]
        for _, stream in both:
            stream.readline()
        for _ in range(20_000):
            os.close(os.open("/dev/null", os.O_RDONLY))
        for process, _ in both:  # not after a number of intervals: a slow machine needs more of them
            process.send_signal(signal.SIGINT)
        sums = [sum(row["allocs"] for line in stream for row in json.loads(line)["caches"]) for _, stream in both]
    assert len(sums) == 2
    assert all(20_000 <= total < 21_000 for total in sums), sums


@pytest.mark.live
def test_a_reader_that_is_gone_ends_it_quietly_and_detached() -> None:
    before = program_ids()
    script = f"{' '.join(SLABTUI)} -C 0.1 | head -3 >/dev/null; exit ${{PIPESTATUS[0]}}"
    ended = run("-c", script, command=["bash"])
    assert ended.returncode == 128 + signal.SIGPIPE
    assert ended.stderr == ""
    assert gone(before)


@pytest.mark.live
@pytest.mark.parametrize(
    ("redirection", "line"),
    [(">/dev/full", "cannot write to standard output (No space left on device)"), (">&-", "standard output is closed")],
)
def test_an_output_that_takes_nothing_is_one_line(redirection: str, line: str) -> None:
    ended = run("-c", f"{' '.join(SLABTUI)} -C 0.1 3 {redirection}", command=["bash"])
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"slabtui: {line}")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.live
def test_a_slow_reader_gets_longer_intervals_and_every_count() -> None:
    with subprocess.Popen([*SLABTUI, "--output", "json", "0.1"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        json.loads(process.stdout.readline())
        for _ in range(300):  # until the pipe is full, and a while longer
            os.close(os.open("/dev/null", os.O_RDONLY))
            time.sleep(0.02)
        began = time.monotonic()
        lines = []
        while time.monotonic() - began < 1:
            lines.append(json.loads(process.stdout.readline()))
        process.terminate()
        process.stdout.read()
    opened = sum(row["allocs"] for line in lines for row in line["caches"] if row["name"] == "filp")
    assert opened >= 300


@pytest.mark.live
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_recording_replays_as_the_same_lines(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"night.jsonl{suffix}"
    live = run("--output", "json", "--record", str(path), "0.2", "5")
    replayed = run("--replay", str(path), "--output", "json")
    assert live.returncode == replayed.returncode == 0
    assert replayed.stdout == live.stdout.replace('"source":"live"', '"source":"replay"')
    assert len(replayed.stdout.splitlines()) == 5


@pytest.mark.live
def test_the_printer_and_the_recorder_of_one_run_have_the_same_sums(tmp_path: Path) -> None:
    """The pipe is not read for a while: the printer has fewer and longer intervals than the recorder."""
    path = tmp_path / "night.jsonl"
    command = [*SLABTUI, "--output", "json", "--record", str(path), "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        lines += process.stdout.read().splitlines()
    printed = [json.loads(line) for line in lines]
    recorded = list(read(path))
    assert len(recorded) > len(printed)
    assert sum(one["elapsed_s"] for one in printed) == pytest.approx(sum(one.elapsed for one in recorded), abs=1e-3)
    counts: Counter[str] = Counter()
    for one in printed:
        counts.update({row["cache"]: row["allocs"] for row in one["caches"]})
    for one in recorded:
        counts.subtract({str(row.cache): row.allocs for row in one.rows})
    assert not any(counts.values())
    totals = {row["cache"]: row["total_allocs"] for row in printed[-1]["caches"]}
    last = {str(row.cache): row.total_allocs for row in recorded[-1].rows}
    assert totals.items() <= last.items()


@pytest.mark.live
@pytest.mark.parametrize("count", [1, 5])
def test_with_a_count_as_many_intervals_are_recorded_as_printed(tmp_path: Path, count: int) -> None:
    path = tmp_path / "night.jsonl"
    assert len(run("--output", "json", "--record", str(path), "0.3", str(count)).stdout.splitlines()) == count
    assert len(list(read(path))) == count


@pytest.mark.live
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_recording_whose_recorder_was_killed_can_be_replayed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"night.jsonl{suffix}"
    command = [*SLABTUI, "--output", "json", "--record", str(path), "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = [process.stdout.readline() for _ in range(8)]
        process.kill()
    times = [json.loads(line)["time"] for line in printed]
    recorded = [codec.iso(snapshot.time) for snapshot in read(path)]  # by another thread, which may be behind
    assert len(recorded) >= 5
    assert all(one == other for one, other in zip(recorded, times, strict=False))


@pytest.mark.live
def test_the_screen_is_recorded_too(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    with Terminal([*SLABTUI, "--record", str(path), "0.1", "5"]) as terminal:
        assert terminal.wait_for_exit() == 0
    assert len(list(read(path))) == 5


def test_a_full_disk_stops_the_recording_and_not_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    limited = [
        "bash",
        "-c",
        f"ulimit -f 1024; trap '' XFSZ; exec {sys.executable} -m tests.support.faulty many --record {path} 0.1",
    ]
    with Terminal(limited, size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "recording stopped: File too large" in terminal.text)
        clock = terminal.text
        terminal.wait_for(lambda: terminal.text != clock)
        terminal.type("q")
        assert terminal.wait_for_exit() == 1
        assert b"slabtui: recording stopped: File too large" in terminal.output
    whole = list(read(path))
    assert whole
    assert whole[-1].notes == ("the recording is cut short here",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(("suffix", "kib", "count"), [("", 256, 20), (".gz", 16, 20), (".zst", 4, 80)])
def test_a_recording_to_a_full_file_system_stops_with_one_line(suffix: str, kib: int, count: int) -> None:
    """Errors at the end of a file object are shown in Python's development mode, and by Python 3.13 in any."""
    python = f"{sys.executable} -X dev -W ignore -m"
    script = (
        f"mount -t tmpfs -o size={kib}k none /mnt\n"
        f"{python} tests.support.faulty many --output json --record /mnt/a{suffix} 0.1 {count} >/dev/null"
        " || echo status $?\n"
        f"{python} slabtui --replay /mnt/a{suffix} --output json | wc -l"
    )
    ended = run("--mount", "sh", "-c", script, command=["unshare"])
    stopped = "slabtui: recording stopped: No space left on device"
    note, error, *replayed = ended.stderr.splitlines()
    assert (note, error) == (stopped, f"{stopped}: the intervals in /mnt/a{suffix} can be replayed")
    assert replayed in ([], ["slabtui: the recording is cut short here"])
    status, lines = ended.stdout.splitlines()
    assert status == "status 1"
    assert int(lines) > 0


@pytest.mark.parametrize("front", [["--output", "json"], ["-C"], ["--output", "csv"], []])
@pytest.mark.parametrize("record", [False, True])
def test_a_count_ends_with_one_line_though_the_counters_cannot_be_read(
    front: list[str], record: bool, tmp_path: Path
) -> None:
    """The second reading and all that follow fail; each failed interval is complained about, but the last."""
    recorded = ["--record", str(tmp_path / "night.jsonl")] if record else []
    command = [sys.executable, "-m", "tests.support.faulty", "failing", *front, *recorded, "0.1", "3"]
    last = "slabtui: cannot read the counters: the map is gone: start slabtui again"
    with Terminal(command, size=(120, 24)) as terminal:
        assert terminal.wait_for_exit(30) == 1
        assert terminal.output.count(last.encode()) == 1
        assert b"Traceback" not in terminal.output
    if record:
        assert [bool(one.error) for one in read(tmp_path / "night.jsonl")] == [False, True, True]


@pytest.fixture
def without_bcc(tmp_path: Path) -> dict[str, str]:
    return naming(with_package(tmp_path, "raise ImportError('not here')"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_demo_needs_no_root_and_no_bcc(without_bcc: dict[str, str]) -> None:
    assert shutil.which("setpriv")
    command = [*unprivileged(), *SLABTUI, "--demo"]
    with Terminal(command, env=without_bcc) as terminal:
        terminal.wait_for(lambda: "names_cache" in terminal.text)
        assert "REPLAY x1" in terminal.lines[0]
        terminal.type("+++++")
        terminal.wait_for(lambda: "REPLAY x32" in terminal.lines[0])
        terminal.type("p")
        terminal.wait_for(lambda: "PAUSED" in terminal.lines[0])
        moment = terminal.lines[0]
        terminal.type("]")
        terminal.wait_for(lambda: terminal.lines[0] != moment)
        assert "PAUSED" in terminal.lines[0]
        terminal.type("p")
        ended = max(one.time for one in read(DEMO))
        again = time.strftime("%H:%M", time.localtime(ended + 60))  # only a second round has this minute
        terminal.wait_for(lambda: again in terminal.lines[0])
        assert "REPLAY x32" in terminal.lines[0]
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_demo_that_is_printed_ends() -> None:
    lines = run("--demo", "--output", "json").stdout.splitlines()
    assert len(lines) == len(list(read(DEMO)))


@pytest.mark.parametrize("command", [SLABTUI, SLABRATETOP], ids=["slabtui", "slabratetop"])
def test_once_prints_one_table_and_nothing_around_it(command: list[str]) -> None:
    whole = run("--demo", "-C", "-n", "1", command=command).stdout
    ended = run("--demo", "--once", command=command)
    assert ended.stdout == whole.removeprefix("\n").removesuffix("Detaching...\n")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(run("--demo", "-b", "--output", "json", command=command).stdout.splitlines()) == 1
    assert len({line.split(",")[0] for line in run("--demo", "-b", "--output", "csv").stdout.splitlines()}) == 2


@pytest.mark.parametrize("command", [SLABTUI, SLABRATETOP], ids=["slabtui", "slabratetop"])
def test_once_prints_text_on_a_terminal_too(command: list[str]) -> None:
    with Terminal([*command, "--demo", "-b", "-o", "name,mem", "-s", "mem", "-r", "3"]) as terminal:
        assert terminal.wait_for_exit() == 0
        assert b"\x1b" not in terminal.output
        assert len(terminal.output.splitlines()) == 6


def test_text_has_the_columns_that_are_named_and_the_one_that_rows_are_sorted_by() -> None:
    mem = run("--demo", "-C", "-s", "mem", "-n", "1").stdout.splitlines()
    assert mem[3].split() == ["CACHE", "ALLOCS", "BYTES", "MEM"]
    held = [int(line.split()[-1]) for line in mem[4:-1]]
    assert held == sorted(held, reverse=True)
    assert held[0] > 0
    chosen = run("--demo", "-C", "-s", "mem", "-n", "1", "-o", "live,name").stdout.splitlines()
    assert [line.split()[-1] for line in chosen[4:-1]] == [line.split()[0] for line in mem[4:-1]]
    assert chosen[3].split() == ["LIVE", "CACHE"]


def test_the_help_of_columns_has_each_of_them() -> None:
    ended = run("-o", "help")
    assert (ended.returncode, ended.stderr) == (0, "")
    listed = [line.split()[0] for line in ended.stdout.splitlines() if not line.startswith(" ")]
    assert listed == list(text.BY_ID)
    assert max(map(len, ended.stdout.splitlines())) < 80


@pytest.mark.parametrize("option", [["-o", "name"], ["-r", "5"]])
def test_what_applies_to_printed_output_is_refused_on_the_screen(option: list[str]) -> None:
    with Terminal([*SLABTUI, "--demo", *option], size=(120, 24)) as terminal:
        assert terminal.wait_for_exit() == 2
        assert f"slabtui: {option[0]} applies to printed output only: add -C, -b or --output" in terminal.text


def test_the_demo_is_text_in_a_pipe() -> None:
    ended = run("--demo", "-C", "1", "3")
    assert len(BLOCK.findall(ended.stdout)) == 3
    assert ended.returncode == 0


@pytest.mark.parametrize("front", [["-C"], ["--output", "json"]])
def test_a_broken_recording_is_one_line_that_names_its_line(tmp_path: Path, front: list[str]) -> None:
    path = tmp_path / "night.jsonl"
    line = run("--demo", "--output", "json").stdout.splitlines(keepends=True)[0]
    path.write_text(line + "{broken\n" + line)
    ended = run("--replay", str(path), *front)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"slabtui: {path}, line 2: not JSON")
    assert len(ended.stderr.splitlines()) == 1
    with Terminal([*SLABTUI, "--replay", str(path)]) as terminal:
        assert terminal.wait_for_exit() == 1
        assert b", line 2: not JSON" in terminal.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--record", "x", "--demo"],
        ["-p", "1", "--demo"],
        ["--cgroup", "/", "--demo"],
        ["--demo", "--replay", "x"],
    ],
)
def test_what_does_not_go_with_a_recording_is_wrong_usage(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--output", "folded"], "--output folded prints stacks: add --stacks or --held CACHE"),
        (
            ["--output", "folded", "--callers", "dentry"],
            "--output folded prints stacks: add --stacks or --held CACHE",
        ),
        (["--output", "json", "-C"], "-C prints text, not json: leave out -C or --output"),
        (["--output", "json", "-o", "name"], "-o chooses columns of text, not of json: leave out -o"),
        (["--output", "csv", "-o", "name"], "-o chooses columns of text, not of csv: leave out -o"),
        (["--callers", "filp", "-o", "name"], "-o chooses columns of the table, not of --callers: leave out -o"),
    ],
)
def test_what_does_not_go_with_a_format_is_wrong_usage(arguments: list[str], line: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stderr == f"slabtui: {line}\n"
    assert ended.stdout == ""


@pytest.mark.skipif(
    not Path("/sys/kernel/slab").is_dir(), reason="any cache may exist where the kernel does not list them"
)
@pytest.mark.parametrize("kind", ["--callers", "--stacks", "--processes", "--held"])
@pytest.mark.parametrize("name", ["no such cache", "", "\x1b[2J"])
def test_a_cache_that_does_not_exist_is_wrong_usage(kind: str, name: str) -> None:
    ended = run(kind, name)
    assert ended.returncode == 2
    assert ended.stderr.startswith("slabtui: no cache named ")
    assert ended.stderr.endswith(": see ls /sys/kernel/slab\n")
    assert ended.stderr[:-1].isprintable()
    assert ended.stdout == ""


def test_an_existing_file_is_not_recorded_over(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    path.write_text("precious")
    ended = run("-C", "--record", str(path))
    assert ended.returncode == 2
    assert ended.stderr == f"slabtui: cannot record to {path} (File exists): name a new file\n"
    assert path.read_text() == "precious"


def test_csv_adds_up_to_json() -> None:
    lines = run("--demo", "--output", "csv").stdout.splitlines()
    heading = lines[0].split(",")
    by_name: Counter[str] = Counter()
    for line in lines[1:]:
        cells = dict(zip(heading, line.split(","), strict=True))
        by_name[cells["name"]] += int(cells["bytes"])
    expected: Counter[str] = Counter()
    for line in run("--demo", "--output", "json").stdout.splitlines():
        expected.update({row["name"]: row["bytes"] for row in json.loads(line)["caches"]})
    assert by_name == expected


def test_an_interrupt_leaves_every_line_whole() -> None:
    command = [sys.executable, "-m", "tests.support.faulty", "many", "--output", "json", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        time.sleep(2)  # until the pipe is full and the program waits in a write
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert all(json.loads(line)["schema"] == codec.NAME for line in lines)
    assert sum(row["allocs"] for line in lines for row in json.loads(line)["caches"]) % 500 == 0


@pytest.mark.live
def test_hangups_are_ignored_under_nohup() -> None:
    command = ["nohup", *SLABTUI, "--output", "json", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        for _ in range(3):
            assert json.loads(process.stdout.readline())
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("end", ["q", "\x03"])
def test_an_interval_that_is_cut_short_is_recorded(tmp_path: Path, end: str) -> None:
    path = tmp_path / "night.jsonl"
    command = [sys.executable, "-m", "tests.support.faulty", "many", "--record", str(path), "3600"]
    with Terminal(command) as terminal:
        terminal.wait_for(lambda: "The first interval takes 3600 s." in terminal.text)
        terminal.type(end)
        assert terminal.wait_for_exit() == 0
    (only,) = read(path)
    assert only.elapsed < 60


def test_a_start_that_fails_leaves_no_recording(without_bcc: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    assert run("-C", "--record", str(path), env={**os.environ, **without_bcc}).returncode == 1
    assert not path.exists()


@pytest.mark.live
def test_the_end_of_the_process_is_reported_once() -> None:
    with subprocess.Popen(["sleep", "1"]) as watched:
        ended = run("-p", str(watched.pid), "-C", "0.3", "8")
    assert ended.stderr == f"slabtui: process {watched.pid} has ended\n"
    assert ended.returncode == 0


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_descriptors_do_no_harm(closed: str) -> None:
    ended = run("-c", f"{' '.join(SLABTUI)} --demo --output csv 1 2 {closed}", command=["bash"])
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout.startswith("time,elapsed_s,name,cache,")


def test_names_need_not_fit_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "wide.jsonl"
    line = run("--demo", "--output", "json", "1", "1").stdout
    path.write_text(line.replace("names_cache", "\u540d\u524d"))
    ended = run("--replay", str(path), "-C", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert ended.returncode == 0
    assert r"\u540d\u524d" in ended.stdout


def test_file_names_reach_the_terminal_as_text() -> None:
    ended = run("--replay", "\x1b[31mred", "-C")
    assert ended.returncode == 2
    assert ended.stderr.startswith(r"slabtui: cannot read \x1b[31mred (")


@pytest.mark.parametrize("arguments", [["-C", "--output", "json"], ["-p", "9" * 5000], ["1", "9" * 5000]])
def test_more_wrong_usage_is_one_line(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "functools" not in ended.stderr
