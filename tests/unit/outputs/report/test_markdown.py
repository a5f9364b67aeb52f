"""A report as Markdown: tables and code as GitHub has them, and names that are no markup."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from slabtui.columns import report_page
from slabtui.columns.document import Document, Facts, Head, Listing, Paragraph, Points, Section, Table, Tone
from slabtui.outputs.report import markdown
from slabtui.text import visible
from tests.support.reports import STACK, leaking
from tests.unit.outputs.report.test_html import HOSTILE

TAGS = {"h1", "h2", "h3", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}


def rendered(text: str) -> tuple[set[str], str]:
    """Return the tags and the text that a site makes of Markdown; it lets HTML in it through, and makes links."""
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    return set(re.findall(r"<(\w+)", page)), unescape(re.sub(r"<[^>]*>", "\n", page))


def written(text: str = "app", cache: str = "filp") -> str:
    return markdown.write(report_page.build(leaking(cache, text)))


def test_a_report_has_sections_tables_and_stacks() -> None:
    page = written()
    assert page.startswith("# Slab memory of app\n\n**1 leak, in 1 cache: +")
    assert "\n## What grows\n\n### filp\n\n- Cache: filp, 256 bytes each\n" in page
    assert "```\n" + "\n".join((*STACK, "app")) + "\n```" in page
    assert re.search(r"^\| `app` \| 4242 \| [\d,]+ \| `alive` \|", page, re.MULTILINE)
    tags, text = rendered(page)
    assert tags == TAGS
    assert "objects since" in text


@pytest.mark.parametrize(
    "text", [*HOSTILE, "| a | b |", "`x`", "*b* _i_ [l](http://x) ![i](x)", "#1 @all ~~s~~", "\\|"]
)
def test_hostile_names_are_texts(text: str) -> None:
    page = written(text, text)
    assert all(line.isprintable() for line in page.splitlines())
    tags, shown = rendered(page)
    assert tags <= TAGS
    assert shown.count(visible(text).strip()) > 5


@given(st.text(st.characters(codec=None) | st.sampled_from("`*_[]()<>&|~#@-+=1.:/\\! "), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_every_text_is_shown_as_it_is_and_is_no_markup(text: str) -> None:
    document = Document(
        title=f"x{text}",
        blocks=(
            Paragraph(text),
            Paragraph(f"x{text}x", Tone.ALERT),
            Facts((("label", text),)),
            Points((f"{text}",)),
            Table((Head("n", is_number=False), Head(f"x{text}x")), ((text, text),)),
            Listing((text,)),
        ),
        sections=(Section(f"x{text}"),),
    )
    tags, shown = rendered(markdown.write(document))
    assert tags <= TAGS
    words = " ".join(visible(text).split())
    assert " ".join(shown.split()).count(words) >= 9
