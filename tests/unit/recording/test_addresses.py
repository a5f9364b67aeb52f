"""No address of the kernel is in what is written, unless it is asked for; one number stands for one address."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import Inspection, InspectionRow, Kind
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec
from slabtui.recording.addresses import AddressHider, show_all
from slabtui.recording.recording import Recorder, read
from tests.support.fakes import cache, snapshot
from tests.support.terminal import Terminal
from tests.unit.recording.test_codec import SNAPSHOTS

SLABTUI = [sys.executable, "-m", "slabtui"]
ADDRESS = re.compile("0x[89a-f][0-9a-f]{15}")  # of the upper half, where the kernel is
SITE = "0xffffffff81234567"
LOOK = Inspection(
    "0xffff888100000100",
    Kind.STACKS,
    entries=(InspectionRow(1, 64, 1, 64, frames=(SITE, "getname_flags+0x2a", SITE, "0xffffffffc0001000")),),
)


def looked() -> Snapshot:
    return snapshot(
        cache(1, "dentry", allocs=1),
        cache(1, "0xffff888100000100", allocs=1),
        replace(cache(2, "kmalloc-large", allocs=1), cache=1),
        replace(cache(3, "idle"), cache=(1 << 32) + 7),
        detail=LOOK,
        notes=("refused: R1=0xffff888100000300", "kmalloc by size class (~)"),
        error="at 0xffff888100000300",
    )


def test_addresses_become_numbers_and_everything_else_stays() -> None:
    whole = looked()
    hidden = AddressHider()(whole)
    assert not ADDRESS.search(codec.dumps(hidden, hidden.rows))
    dentry, nameless, large, idle = hidden.rows
    assert dentry == replace(whole.rows[0], cache=dentry.cache)
    assert dentry.cache == nameless.cache
    assert dentry.cache >> 62 == 1
    assert nameless.name == f"hidden-{nameless.cache:x}" == hidden.detail.cache
    assert (large, idle) == whole.rows[2:]
    first, second, third, fourth = hidden.detail.entries[0].frames
    assert first == third != fourth
    assert second == "getname_flags+0x2a"
    assert re.fullmatch("hidden-[4-7][0-9a-f]{15}", first)
    assert hidden.notes[1] == whole.notes[1]


def test_a_number_stays_for_as_long_as_a_run_and_another_run_has_others() -> None:
    hide = AddressHider()
    assert hide(looked()) == hide(looked())
    assert AddressHider()(looked()).rows[0].cache != hide(looked()).rows[0].cache


def test_different_caches_have_different_numbers() -> None:
    hidden = AddressHider()(snapshot(*(cache(number) for number in range(5000))))
    assert len({row.cache for row in hidden.rows}) == 5000


def test_a_recording_that_was_made_up_takes_no_memory_without_bound() -> None:
    hide = AddressHider()
    for start in range(0, 200_000, 10_000):
        hidden = hide(snapshot(*(cache(start + number) for number in range(10_000))))
        assert len({row.cache for row in hidden.rows}) == 10_000
    assert len(hide._numbers) <= 1 << 16


def test_numbers_take_little_room_in_a_compressed_recording() -> None:
    rows = tuple(cache(number) for number in range(500))
    hidden = AddressHider()(snapshot(*rows))
    plain, concealed = (len(gzip.compress(codec.dumps(one, one.rows).encode())) for one in (snapshot(*rows), hidden))
    assert concealed < plain + 500


@given(SNAPSHOTS)
def test_what_was_hidden_stays_as_it_is_in_another_run(whole: Snapshot) -> None:
    hidden = AddressHider()(whole)
    assert AddressHider()(hidden) == hidden
    assert [replace(row, cache=0, name="") for row in hidden.rows] == [
        replace(row, cache=0, name="") for row in whole.rows
    ]


@given(st.integers(0, 2**64 - 1))
def test_numbers_of_slabtui_stay_and_addresses_of_no_size_do(number: int) -> None:
    (row,) = AddressHider()(snapshot(CacheRow(number, "x", 1, 1, 0, 0))).rows
    assert (row.cache == number) is (number < 1 << 33 or 1 << 62 <= number < 1 << 63)


def test_an_older_recording_is_replayed_without_its_addresses_or_with_them(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    recorder = Recorder(path, show_all)
    recorder.write(replace(looked(), error=None, notes=()))
    recorder.close()
    assert ADDRESS.search(path.read_text())
    for options, found in (([], False), (["--addresses"], True)):
        for output in ("json", "csv"):
            command = [*SLABTUI, "--replay", str(path), "--output", output, *options]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            assert bool(ADDRESS.search(ended.stdout)) is found


def test_the_help_says_what_addresses_give_away() -> None:
    ended = subprocess.run([*SLABTUI, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "KASLR" in ended.stdout


@pytest.mark.live
@pytest.mark.parametrize("hidden_names", [False, True])
def test_nothing_that_is_printed_or_recorded_has_an_address_in_it(hidden_names: bool, tmp_path: Path) -> None:
    """Also where the kernel hides the names of functions, for which call sites then stand as addresses."""
    path = tmp_path / "night.jsonl"
    hide = ["unshare", "--mount", "sh", "-ec", 'mount --bind /dev/null /proc/kallsyms; exec "$@"', "sh"]
    command = [*(hide if hidden_names else []), *SLABTUI, "--callers", "filp", "--output", "json"]
    opens = "while :; do : </dev/null; done"
    with subprocess.Popen(["bash", "-c", opens]) as work:
        try:
            ended = subprocess.run(
                [*command, "--record", str(path), "0.5", "4"], capture_output=True, text=True, timeout=60, check=True
            )
            given_away = subprocess.run(
                [*command, "--addresses", "0.5", "4"], capture_output=True, text=True, timeout=60, check=True
            )
        finally:
            work.kill()
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["detail"]["entries"]
    assert all(entry["frames"][0].startswith("hidden-") is hidden_names for entry in last["detail"]["entries"])
    assert not ADDRESS.search(ended.stdout)
    assert not ADDRESS.search(path.read_text())
    assert [row["cache"] for row in last["caches"] if row["name"] == "filp"] == [
        f"{row.cache:#x}" for row in list(read(path))[-1].rows if row.name == "filp"
    ]
    assert ADDRESS.search(given_away.stdout)


@pytest.mark.live
@pytest.mark.parametrize(("options", "found"), [([], False), (["--addresses"], True)])
def test_an_export_of_the_screen_has_addresses_only_if_they_are_asked_for(
    options: list[str], found: bool, tmp_path: Path
) -> None:
    with Terminal([*SLABTUI, *options, "0.2"], size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        for name in ("a.csv", "a.json"):
            terminal.type("e")
            terminal.wait_for(lambda: "Write to" in terminal.text)
            terminal.type("\x7f" * 40 + f"{tmp_path}/{name}\r")
            terminal.wait_for(lambda name=name: f"written to {tmp_path}/{name}" in terminal.text)
            assert bool(ADDRESS.search((tmp_path / name).read_text())) is found
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
