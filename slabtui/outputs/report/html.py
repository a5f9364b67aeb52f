"""A document as one HTML page, which needs nothing else: no script, no font, no network.

The page is a tree of elements, which the standard library writes: it escapes every text and every attribute, so none
can be forgotten.
"""

from collections.abc import Iterator
from functools import singledispatch
from importlib import resources
from xml.etree.ElementTree import Element, tostring

from slabtui.columns.document import (
    Block,
    Chart,
    Document,
    Facts,
    Listing,
    Paragraph,
    Points,
    Section,
    Table,
)
from slabtui.outputs.report import charts
from slabtui.text import visible

_STYLE = resources.files("slabtui.outputs.report") / "page.css"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # whatever is in the page, a browser loads and runs nothing
_DEEPEST = 4  # level of headings


def write(document: Document) -> str:
    """Return the page."""
    head = _make(
        "head",
        _make("meta", charset="utf-8"),
        _make("meta", **{"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        _make("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _make("meta", name="color-scheme", content="light dark"),
        _make("title", document.title),
        _make("style", _STYLE.read_text("utf-8")),
    )
    main = _make("main", _make("h1", document.title), *_write_blocks(document.blocks))
    main.extend([_write_section(section, 2) for section in document.sections])
    main.append(_make("footer", document.source))
    page = _make("html", head, _make("body", main), lang="en")
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _make(tag: str, *inside: Element | str, **attributes: str) -> Element:
    """Return an element with these elements in it, or with a text. In a text each control character is visible."""
    made = Element(tag, {name.rstrip("_"): visible(text) for name, text in attributes.items()})
    for one in inside:
        if isinstance(one, str):
            made.text = one if tag == "style" else visible(one)
        else:
            made.append(one)
    return made


def _write_section(section: Section, level: int) -> Element:
    heading = _make(f"h{min(level, _DEEPEST)}", section.title)
    made = _make("section", heading, *_write_blocks(section.blocks))
    made.extend([_write_section(part, level + 1) for part in section.parts])
    return made


def _write_blocks(blocks: tuple[Block, ...]) -> Iterator[Element]:
    """Yield the elements of blocks; charts that stand one after the other are side by side on a wide screen."""
    drawn: list[Element] = []
    for block in blocks:
        if isinstance(block, Chart):
            svg = charts.draw(block)
            if svg is not None:
                drawn.append(_make("figure", _make("figcaption", block.title), svg))
            continue
        yield _write_block(block)
    if drawn:
        yield _make("div", *drawn, class_="charts")
    elif any(isinstance(block, Chart) for block in blocks):
        yield _make("p", charts.REMEDY, class_="quiet")


@singledispatch
def _write_block(block: Block) -> Element:
    raise TypeError(block)


@_write_block.register
def _(block: Paragraph) -> Element:
    return _make("p", block.text, class_=block.tone)


@_write_block.register
def _(block: Facts) -> Element:
    return _make("dl", *(_make("div", _make("dt", label), _make("dd", text)) for label, text in block.items))


@_write_block.register
def _(block: Points) -> Element:
    return _make("ul", *(_make("li", text) for text in block.texts))


@_write_block.register
def _(block: Listing) -> Element:
    lines = (_make("code", line) for line in block.lines)
    return _make("pre", *lines, tabindex="0")


@_write_block.register
def _(block: Table) -> Element:
    """Return a table that scrolls in its own container, where the screen is narrow."""
    sides = ["number" if head.is_number else "text" for head in block.heads]
    titles = (
        _make("th", head.title, scope="col", class_=side, **({"title": head.help} if head.help else {}))
        for head, side in zip(block.heads, sides, strict=True)
    )
    rows = (
        _make("tr", *(_make("td", cell, class_=side) for cell, side in zip(row, sides, strict=True)))
        for row in block.rows
    )
    table = _make("table", _make("thead", _make("tr", *titles)), _make("tbody", *rows))
    return _make("div", table, class_="scroll", tabindex="0")
