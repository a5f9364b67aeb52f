"""Writes tables in Markdown, and the parts of a page that a test program makes."""

from collections.abc import Iterable, Sequence

NONE = "-"  # in an empty cell


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; an empty cell becomes a dash."""
    return "\n".join(map(row, (titles, ["---"] * len(titles), *rows)))


def row(cells: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') or NONE for cell in cells)} |"


def replace_part(page: str, name: str, text: str, writer: str) -> str:
    """Return a page with another text between the markers of that name.

    Args:
        page: the page.
        name: of the part.
        text: what it becomes.
        writer: path of the program that writes it, which the marker names.

    Raises:
        ValueError: the page does not have these markers.
    """
    begin, end = f"<!-- {name}: written by {writer} -->", f"<!-- end of {name} -->"
    before, has_begin, rest = page.partition(begin)
    _, has_end, after = rest.partition(end)
    if not (has_begin and has_end):
        raise ValueError(f"the page does not have the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
