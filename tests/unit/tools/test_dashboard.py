"""The dashboard is the one that the definitions make; rules and dashboard name no metric that does not exist."""

import json
import re

from slabtui.metrics.families import INFOS, OF_CACHES, OF_HOST, OF_KEEPERS
from tests.tools import dashboard

KNOWN = {one.series for one in (*OF_CACHES, *OF_HOST, *OF_KEEPERS)} | {f"slabtui_{name}_info" for name in INFOS}
OF_PROCESS = re.compile(r"slabtui_process_\w*")  # prometheus_client's


def named(text: str) -> set[str]:
    return {name for name in re.findall(r"(?<![\w:])slabtui_\w+", text) if not OF_PROCESS.fullmatch(name)}


def test_the_page_is_the_one_that_the_definitions_make() -> None:
    assert json.loads(dashboard.PAGE.read_text()) == dashboard.dashboard(), "run make docs"


def test_every_metric_of_a_cache_has_a_panel() -> None:
    shown = named(dashboard.PAGE.read_text())
    assert {one.series for one in OF_CACHES} - shown == {"slabtui_cache_reclaimable"}
    assert shown <= KNOWN


def test_rules_and_pages_name_metrics_that_exist() -> None:
    directory = dashboard.PAGE.parent
    assert named((directory / "rules.yml").read_text()) <= KNOWN
    page = (directory / "metrics.md").read_text()
    assert named(page) >= KNOWN
    assert named(page) <= KNOWN
