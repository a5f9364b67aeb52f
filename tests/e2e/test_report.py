"""A report on a host on which a process keeps files, and on recordings, as the program writes it."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import pytest

from slabtui.cli.options import DEMO
from slabtui.errors import Status
from slabtui.recording import codec
from slabtui.recording.reader import read
from tests.e2e.test_leaks import EVENTFD, RATE, SECONDS, blamed
from tests.support.keeper import keeping
from tests.support.unprivileged import OTHER_USER, unprivileged
from tests.unit.outputs.report.test_html import demand_harmless

SLABTUI = (sys.executable, "-m", "slabtui", "--report")


def report(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SLABTUI, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.live
def test_the_report_names_the_process_that_keeps_files_and_its_stack(tmp_path: Path) -> None:
    """As JSON, which replaces an older file, and as HTML from the recording of the same run."""
    path, record, page = tmp_path / "a.json", tmp_path / "a.jsonl.gz", tmp_path / "a.html"
    path.write_text("old")
    with keeping() as keeper:
        keeper.do("rate", RATE)
        ended = report(path, "--seconds", str(SECONDS), "--record", record)
    assert (ended.returncode, ended.stderr) == (Status.GROWS, "")
    assert ended.stdout.startswith(f"{path}: ")
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads(path.read_text())
    assert EVENTFD & blamed(found["leaks"])[keeper.pid]
    assert found["machine"]["cpus"] > 0
    assert found["run"]["elapsed_s"] == pytest.approx(SECONDS, abs=1)
    (row,) = (row for row in found["run"]["caches"] if row["name"] == "filp")
    assert row["allocs"] > SECONDS * RATE * 0.8
    assert found["slab"][-1]["slab"] > 0
    assert found["command"] == f"sudo slabtui --report {path} --seconds {SECONDS}"
    assert "0xffff" not in path.read_text()
    replayed = report(page, "--replay", record, "--seconds", str(SECONDS))
    assert (replayed.returncode, replayed.stderr) == (Status.GROWS, "")
    text = demand_harmless(page.read_text()).text
    for part in ("do_eventfd", "tests.support.keeper", str(keeper.pid), "not recorded", "a recording"):
        assert part in text


def test_a_report_on_a_recording_needs_no_root_and_no_kernel() -> None:
    """Growth is not known after 20 intervals: the report says so, and has the rest."""
    lines = "".join(codec.dumps(one, one.rows) + "\n" for one in islice(read(DEMO), 20))
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, OTHER_USER, OTHER_USER)
        recording, page = Path(directory, "short.jsonl"), Path(directory, "a.md")
        recording.write_text(lines)
        command = [*unprivileged(), *SLABTUI, str(page), "--replay", str(recording)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (Status.FAILED, "")
        why = "the recording has 20 s, and growth is known after 40 s: name its length, as in --seconds 20"
        assert ended.stdout == f"{page}: whether anything leaks is not known: {why}\n"
        assert f"**Whether anything leaks is not known: {why}.**" in page.read_text()
        assert "`ext4_inode_cache`" in page.read_text()


def test_the_command_in_a_report_on_several_recordings_makes_the_same_report(tmp_path: Path) -> None:
    lines = [codec.dumps(one, one.rows) + "\n" for one in islice(read(DEMO), 20)]
    first, second, page = tmp_path / "a.jsonl", tmp_path / "b b.jsonl", tmp_path / "a.json"
    first.write_text("".join(lines[:10]))
    second.write_text("".join(lines[10:]))
    report(page, "--replay", first, "--replay", second, "--from", "-8s")
    written = json.loads(page.read_text())
    assert written["run"]["elapsed_s"] == pytest.approx(8, abs=1.1)
    subprocess.run([sys.executable, "-m", *shlex.split(written["command"])], check=False, capture_output=True)
    assert json.loads(page.read_text()) == written
