"""Writes tables in Markdown, for the pages that test programs make."""

from collections.abc import Iterable, Sequence

NONE = "-"  # in an empty cell


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; an empty cell becomes a dash."""
    return "\n".join(map(row, (titles, ["---"] * len(titles), *rows)))


def row(cells: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') or NONE for cell in cells)} |"
