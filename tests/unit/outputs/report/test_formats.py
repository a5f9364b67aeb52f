"""The formats of a report, and its JSON."""

import json
from pathlib import Path

import pytest

from slabtui.cli import arguments
from slabtui.outputs.report import formats
from slabtui.recording import codec
from tests.support.reports import SECONDS, leaking
from tests.unit.outputs.report.test_html import HOSTILE


def test_the_ending_decides_and_the_command_line_takes_these_endings_only() -> None:
    begins = {".html": "<!DOCTYPE html>", ".md": "# ", ".json": '{"schema":"slabtui-report/1"'}
    assert set(begins) == set(arguments.REPORTS)
    for ending, begin in begins.items():
        assert formats.write(leaking(), Path(f"a{ending}")).startswith(begin)


def test_json_has_the_run_as_a_snapshot_and_the_report_on_leaks() -> None:
    report = leaking()
    found = json.loads(formats.write(report, Path("a.json")))
    assert found["machine"] == {"distribution": "app", "cpus": 2, "uptime": 3600.0}
    assert (found["run"]["schema"], found["leaks"]["schema"]) == (codec.NAME, "slabtui-leaks/1")
    assert found["run"]["elapsed_s"] == SECONDS
    assert found["leaks"]["leaks"][0]["keepers"][0]["processes"][0]["pid"] == 4242
    assert len(found["slab"]) == found["intervals"] == SECONDS
    assert found["slab"][-1]["unreclaimable"] == 160 << 20
    assert (found["command"], found["version"], found["notes"]) == ("sudo slabtui --report app", "1.2", ["app"])


@pytest.mark.parametrize("text", HOSTILE)
def test_json_is_ascii_on_one_line_whatever_the_names_are(text: str) -> None:
    line = formats.write(leaking(text, text), Path("a.json"))
    assert line.isascii()
    assert line[:-1].isprintable()
    assert json.loads(line)["run"]["host"] == text
