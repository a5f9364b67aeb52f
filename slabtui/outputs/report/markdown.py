"""A document as Markdown, for a ticket: tables and fenced code as GitHub and GitLab have them. It has no charts."""

import re
from collections.abc import Iterator
from functools import singledispatch

from slabtui.columns.document import Block, Chart, Document, Facts, Listing, Paragraph, Points, Section, Table, Tone
from slabtui.text import visible

# What Markdown, or a site that shows it, takes for markup or a link: `@name` and `#1` too. A `_` inside a word is none.
_MARKUP = re.compile(r"[\\`*\[\]<>&|~#@$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE)
# The same at the beginning of a line: a list, or a line below a text that makes it a heading.
_BEGIN = re.compile(r"^(?:[-+](?=\s|$)|[-=](?=[-=\s]*$)|\d+[.)](?=\s|$))")
_CODE = re.compile(r"[A-Za-z0-9 _.,:;/=+@%^~()\[\]{}<>&*#$!?'\"-]+")  # what a code span shows as it is
_FENCE = 3


def write(document: Document) -> str:
    """Return the document, with one empty line between blocks."""
    blocks = [f"# {_escape(document.title)}", *_write_blocks(document.blocks)]
    for section in document.sections:
        blocks += _write_section(section, 2)
    return "\n\n".join((*blocks, _escape(document.source))) + "\n"


def _write_section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {_escape(section.title)}"
    yield from _write_blocks(section.blocks)
    for part in section.parts:
        yield from _write_section(part, level + 1)


def _write_blocks(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        if not isinstance(block, Chart):  # the table beside it has its numbers
            yield _write_block(block)


@singledispatch
def _write_block(block: Block) -> str:
    raise TypeError(block)


@_write_block.register
def _(block: Paragraph) -> str:
    text = _escape(block.text)
    return f"**{text}**" if block.tone is Tone.ALERT else text


@_write_block.register
def _(block: Facts) -> str:
    return "\n".join(f"- {_escape(label)}: {_escape(text)}" for label, text in block.items)


@_write_block.register
def _(block: Points) -> str:
    return "\n".join(f"- {_escape(text)}" for text in block.texts)


@_write_block.register
def _(block: Listing) -> str:
    text = "\n".join(map(visible, block.lines))
    fence = "`" * max(_FENCE, _longest_run(text) + 1)
    return f"{fence}\n{text}\n{fence}"


@_write_block.register
def _(block: Table) -> str:
    titles = [_refer_markup(head.title) for head in block.heads]
    rules = ["--:" if head.is_number else ":--" for head in block.heads]
    rows = [
        [_refer_markup(cell) if head.is_number else _quote(cell) for head, cell in zip(block.heads, row, strict=True)]
        for row in block.rows
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rules, *rows))


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _escape(text: str) -> str:
    """Return a text for the beginning of a line in which nothing is markup: such characters become `&#42;`."""
    return _BEGIN.sub(_refer, _refer_markup(text))


def _refer_markup(text: str) -> str:
    """Return a text inside a line in which nothing is markup."""
    return _MARKUP.sub(_refer, visible(text))


def _quote(text: str) -> str:
    """Return a text as a code span, in which no site looks for names and links; else escaped."""
    shown = visible(text).strip()
    return f"`{shown}`" if _CODE.fullmatch(shown) else _refer_markup(shown)


def _refer(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" if not character.isalnum() else character for character in found[0])
