"""Renders a page of the documentation from a report. Pure; every figure comes from that run."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from tests.support.markdown import row
from tests.tools.bench.report import Block, Figure, Heading, Report, Table, Text, wrapped

_SINGLE = ("figure", "measured", "goal")


def render(report: Report, *, title: str, date: str, command: str, machine: Sequence[str]) -> str:
    """Return the whole page.

    Args:
        report: the findings.
        title: of the page.
        date: of the run.
        command: that started it.
        machine: the parts of the machine, on which the figures depend.
    """
    parts = (
        f"# {title}",
        wrapped(f"Written on {date} by `{command}`, with the figures of that run. {'; '.join(machine)}."),
        "\n".join(wrapped(f"- {sentence}", indent="  ") for sentence in report.learned),
        *_parts(report.blocks),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _parts(blocks: Iterable[Block]) -> Iterable[str]:
    """Yield the paragraphs; consecutive figures are one table."""
    for kind, together in groupby(blocks, type):
        if kind is Figure:
            yield _figures([block for block in together if isinstance(block, Figure)])
        else:
            yield from map(_part, together)


def _part(block: Block) -> str:
    match block:
        case Heading():
            return f"## {block.text}"
        case Text():
            return wrapped(block.text)
        case Table():
            return _table(block.titles, block.rows)
        case Figure():
            return _figures([block])


def _figures(figures: Sequence[Figure]) -> str:
    rows = [(figure.name.strip(), figure.value, figure.goal) for figure in figures]
    width = len(_SINGLE) if any(figure.goal for figure in figures) else len(_SINGLE) - 1
    return _table(_SINGLE[:width], [row[:width] for row in rows])


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(map(row, (titles, rule, *rows)))
