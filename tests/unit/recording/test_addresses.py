"""No output or recording contains a kernel address without `--addresses`; one number stands for one address."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from slabtui.model.beside import KernelSite
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import Snapshot
from slabtui.recording import codec
from slabtui.recording.addresses import AddressHider
from slabtui.recording.reader import read
from tests.support.fakes import cache, snapshot
from tests.support.recordings import first_version
from tests.support.terminal import Terminal
from tests.unit.recording.test_codec import SNAPSHOTS

SLABTUI = [sys.executable, "-m", "slabtui"]
ADDRESS = re.compile("0x[89a-f][0-9a-f]{15}")  # of the upper half, where the kernel is
SITE = "0xffffffff81234567"
NAMELESS = CacheKey(KeyKind.CACHE, "0xffff888100000100")
INSPECTION = Inspection(
    NAMELESS,
    InspectionKind.STACKS,
    rows=(InspectionRow(frames=(SITE, "getname_flags+0x2a", SITE, "0xffffffffc0001000"), total_allocs=1),),
)


def with_addresses() -> Snapshot:
    return snapshot(
        replace(cache(1, "dentry", allocs=1), address=0xFFFF888100000200),
        replace(cache(2, allocs=1), cache=NAMELESS, name=NAMELESS.name, address=0xFFFF888100000100),
        cache(3, "idle"),
        inspections=(INSPECTION,),
        notes=("refused: R1=0xffff888100000300", "kmalloc by size class (~)"),
        error="at 0xffff888100000300",
    )


def test_no_address_is_left_and_everything_else_stays() -> None:
    whole = with_addresses()
    hidden = AddressHider()(whole)
    assert not ADDRESS.search(codec.dumps(hidden, hidden.rows))
    dentry, nameless, idle = hidden.rows
    assert dentry == replace(whole.rows[0], address=None)
    assert idle == whole.rows[2]
    (inspection,) = hidden.inspections
    assert nameless.name == nameless.cache.name == inspection.cache.name
    first, second, third, fourth = inspection.rows[0].frames
    assert first == third != fourth
    assert second == "getname_flags+0x2a"
    assert re.fullmatch("hidden-[0-9a-f]{16}", first)
    assert hidden.notes[1] == whole.notes[1]


def test_a_number_stays_for_as_long_as_a_run_and_another_run_has_others() -> None:
    hide = AddressHider()
    assert hide(with_addresses()) == hide(with_addresses())
    assert AddressHider()(with_addresses()).rows[1].name != hide(with_addresses()).rows[1].name


def test_the_name_of_a_cache_without_a_name_is_hidden_where_another_one_grows_with_it() -> None:
    leak = replace(cache(1, "filp"), grows_with=(NAMELESS.name, "kmalloc-64"))
    nameless = replace(cache(2), cache=NAMELESS, name=NAMELESS.name)
    found, hidden = AddressHider()(snapshot(leak, nameless)).rows
    assert found == replace(leak, grows_with=(hidden.name, "kmalloc-64"))
    assert hidden.name.startswith("hidden-")


def test_a_function_without_a_name_that_the_kernel_knows_is_hidden() -> None:
    site = KernelSite("slab_debug", 3, 192, ("d_alloc", SITE), "fs/dcache.c:3")
    about = About(sites=(site,), live=5)
    whole = snapshot(inspections=(Inspection(NAMELESS, InspectionKind.ABOUT, about=about),))
    hidden = AddressHider()(whole).inspections[0].about
    assert hidden is not None
    assert hidden.sites[0].frames[1].startswith("hidden-")
    assert replace(hidden, sites=(replace(hidden.sites[0], frames=site.frames),)) == about


def test_a_command_line_stays_as_its_user_wrote_it() -> None:
    """It has what a user typed, which is no secret of the kernel: hiding it would hide what the process does."""
    row = InspectionRow(pid=7, comm="dd", cmdline=f"dd skip={SITE}", total_allocs=1)
    whole = snapshot(inspections=(Inspection(NAMELESS, InspectionKind.PROCESSES, rows=(row,)),))
    assert AddressHider()(whole).inspections[0].rows == (row,)


def called_from(sites: Iterable[int]) -> Snapshot:
    """Return an inspection of call sites that have no names."""
    rows = tuple(InspectionRow(frames=(f"{site:#x}",), total_allocs=1) for site in sites)
    return snapshot(inspections=(Inspection(NAMELESS, InspectionKind.CALLERS, rows=rows),))


def test_different_addresses_have_different_numbers_in_every_thread() -> None:
    hide = AddressHider()
    whole = called_from(range(1 << 40, (1 << 40) + 5000))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(hide, [whole] * 8))
    assert len({row.frames for row in found[0].inspections[0].rows}) == 5000
    assert all(one == found[0] for one in found)


def test_a_recording_that_was_made_up_takes_no_memory_without_bound() -> None:
    hide = AddressHider()
    for start in range(1 << 40, (1 << 40) + 200_000, 10_000):
        hide(called_from(range(start, start + 10_000)))
    assert len(hide._hidden) <= 1 << 16


@given(SNAPSHOTS)
def test_what_was_hidden_stays_as_it_is_in_another_run(whole: Snapshot) -> None:
    hidden = AddressHider()(whole)
    assert AddressHider()(hidden) == hidden
    assert hidden.rows == tuple(replace(row, address=None) for row in whole.rows)


def test_an_older_recording_is_replayed_without_its_addresses_or_with_them(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    whole = replace(with_addresses(), error=None, notes=())
    numbers = [row.address or 0x100000005 for row in whole.rows]
    path.write_text(json.dumps(first_version(codec.dumps(whole, whole.rows), numbers)) + "\n")
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
    (inspection,) = last["inspections"]
    assert inspection["rows"]
    assert all(row["frames"][0].startswith("hidden-") is hidden_names for row in inspection["rows"])
    assert not ADDRESS.search(ended.stdout)
    assert not ADDRESS.search(path.read_text())
    assert [row["cache"] for row in last["caches"] if row["name"] == "filp"] == ["filp"]
    assert list(read(path))[-1].row(CacheKey.parse("filp")) is not None
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
            # The table of the screen has no column for addresses, and its CSV has what the table has.
            assert bool(ADDRESS.search((tmp_path / name).read_text())) is (found and name == "a.json")
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
