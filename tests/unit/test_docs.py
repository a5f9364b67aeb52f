"""The pages for users agree with the program: options, keys, examples and links are checked."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import jq
import pytest
import shtab

from slabtui.cli.options import DEMO
from slabtui.cli.parser import parser
from slabtui.model.snapshot import Snapshot
from slabtui.recording import codec
from slabtui.recording.reader import read
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


@pytest.mark.parametrize(
    "page", [README, ROOT / "CHANGELOG.md", *sorted(DOCS.glob("**/*.md"))], ids=lambda page: page.name
)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(page))
    for file, _, heading in (link.partition("#") for link in links if "://" not in link):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not heading or heading in anchors(target), f"{file}#{heading}"


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the names by which links refer to the headings of a page, as GitHub gives them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def jsonl(tmp_path: Path) -> tuple[Path, list[Snapshot]]:
    snapshots = list(read(DEMO))
    path = tmp_path / "slab.jsonl"
    path.write_text("".join(codec.dumps(one, [row for row in one.rows if row.allocs]) + "\n" for one in snapshots))
    return path, snapshots


def example(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)\n```", (DOCS / "output.md").read_text(), re.DOTALL)[number]


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


def test_the_jq_line_that_finds_leaks_works() -> None:
    leak = replace(cache(1, "filp"), growing=True, growth_bytes_h=1.5)
    rows = (leak, replace(cache(2), growing=False, growth_bytes_h=2.5), cache(3))
    program = re.fullmatch(r"jq -r '(.*)' slab\.jsonl", example("sh", 1))
    assert program
    line = codec.dumps(snapshot(*rows, time=1.7e9), rows)
    assert jq.compile(program[1]).input_text(line).all() == ["2023-11-14T22:13:20.000Z filp 1.5"]


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
