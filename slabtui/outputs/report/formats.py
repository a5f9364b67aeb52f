"""The formats of a report, by the ending of the name of its file."""

from collections.abc import Callable
from pathlib import Path

from slabtui.columns import report_page
from slabtui.model.report import Report
from slabtui.outputs.report import data, html, markdown

_WRITERS: dict[str, Callable[[Report], str]] = {
    ".html": lambda report: html.write(report_page.build(report)),
    ".md": lambda report: markdown.write(report_page.build(report)),
    ".json": data.dumps,
}


def write(report: Report, path: Path) -> str:
    """Return the text of a report.

    Args:
        report: what is known.
        path: a file whose name ends in one of these formats.
    """
    return _WRITERS[path.suffix](report)
