"""The pages for users say what the program does: they are made from it, or run."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import jq
import pytest
import shtab

from slabtui.cli import DEMO
from slabtui.model.inspection import About, Inspection, InspectionRow, Kind
from slabtui.model.snapshot import Snapshot
from slabtui.options import parser
from slabtui.recording import codec
from slabtui.recording.recording import read
from slabtui.views import keymap
from tests import ROOT
from tests.support.fakes import cache, snapshot
from tests.tools import manual

DOCS = ROOT / "docs"
README = DOCS.parent / "README.md"


def test_the_manual_page_is_the_one_that_the_options_and_keys_make() -> None:
    assert (DOCS / "slabtui.8").read_text() == manual.page(), "run make docs"


def test_the_manual_page_does_not_depend_on_the_version_of_shtab(monkeypatch: pytest.MonkeyPatch) -> None:
    page = manual.page()
    monkeypatch.setattr(shtab, "SUPPORTED_SHELLS", ["bash"])
    assert manual.page() == page


def test_the_readme_names_every_option() -> None:
    text = README.read_text()
    for action in parser()._actions:
        assert any(name in text for name in action.option_strings or [action.dest]), action.option_strings


def test_the_readme_names_the_first_key_of_every_action_in_the_footer() -> None:
    text = README.read_text()
    for action in keymap.ACTIONS:
        assert not action.label or f"`{keymap.shown(action.keys[0])}`" in text, action.name


def test_every_field_of_the_schema_is_defined() -> None:
    page = (DOCS / "output.md").read_text()
    defined = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    looks = [
        Inspection("dentry", kind, entries=(InspectionRow(1, 1, 1, 1),)) for kind in Kind if kind is not Kind.ABOUT
    ]
    looks.append(Inspection("dentry", Kind.ABOUT, about=About()))
    lines = [codec.dumps(snapshot(cache(1), detail=look), [cache(1)]) for look in looks]
    written = set(re.findall(r'"(\w+)":', "".join(lines)))
    assert defined == written


@pytest.fixture
def jsonl(tmp_path: Path) -> tuple[Path, list[Snapshot]]:
    snapshots = list(read(DEMO))
    path = tmp_path / "slab.jsonl"
    path.write_text("".join(codec.dumps(one, [row for row in one.rows if row.allocs]) + "\n" for one in snapshots))
    return path, snapshots


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)\n```", (DOCS / "output.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def mean_rates(snapshots: list[Snapshot]) -> dict[str, float]:
    """Return the mean rate of every cache over the intervals in which it allocated."""
    rates: dict[str, list[float]] = {}
    for one in snapshots:
        for row in one.rows:
            if row.allocs:
                rates.setdefault(row.name, []).append(row.bytes / one.elapsed)
    return {name: sum(all_) / len(all_) for name, all_ in rates.items()}


def test_the_jq_line_works(jsonl: tuple[Path, list[Snapshot]]) -> None:
    path, snapshots = jsonl
    program = re.fullmatch(r"jq -r '(.*)' slab\.jsonl", example("sh"))
    assert program
    lines = jq.compile(program[1]).input_text(path.read_text()).all()
    assert len(lines) == len(snapshots)
    busiest = max(snapshots[-1].rows, key=lambda row: row.bytes)
    assert lines[-1].split()[2] == str(busiest.bytes)


def test_the_pandas_line_works(jsonl: tuple[Path, list[Snapshot]]) -> None:
    path, snapshots = jsonl
    made = subprocess.run(
        [sys.executable, "-c", example("python")], cwd=path.parent, capture_output=True, text=True, check=True
    )
    expected = mean_rates(snapshots)
    name, rate = made.stdout.splitlines()[-2].split()
    assert name == max(expected, key=lambda name: expected[name])
    assert float(rate) == pytest.approx(expected[name], rel=1e-3)


def test_the_duckdb_line_works(jsonl: tuple[Path, list[Snapshot]], monkeypatch: pytest.MonkeyPatch) -> None:
    path, snapshots = jsonl
    monkeypatch.chdir(path.parent)
    rows = duckdb.sql(example("sql").rstrip(";")).fetchall()
    assert dict(rows) == pytest.approx(mean_rates(snapshots))
