"""A report as HTML: well-formed, without scripts, and harmless whatever the names are."""

import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.columns import report_page
from slabtui.columns.document import Document, Facts, Head, Listing, Paragraph, Points, Section, Table, Tone
from slabtui.outputs.report import charts, html
from slabtui.text import visible
from tests.support.reports import STACK, leaking

VOID = {"meta", "br"}
HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "\"' onload='alert(1)' x=\"",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x00b\x1b[31m\x07\x7f",
    "\udc80\ud800",
    "<img src=x onerror=alert(1)>",
]
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "footer", "h1", "h2", "h3", "h4", "p"),
    *("dl", "div", "dt", "dd", "ul", "li", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "figure"),
    *("figcaption", "svg", "g", "rect", "text", "line", "path"),
}


class Page(HTMLParser):
    """A page that has been parsed: its elements, attributes and texts. Each element must be closed where it may be."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.comments: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def written(text: str = "app", cache: str = "filp") -> str:
    return html.write(report_page.build(leaking(cache, text)))


def demand_harmless(page: str) -> Page:
    """Parse a page; check that it has only what a report has, and no character that does not print."""
    parsed = Page(page)
    assert set(parsed.tags) <= ALLOWED
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name in ("href", "src", "style")]
    assert not parsed.comments
    assert all(line.isprintable() for line in page.splitlines())
    return parsed


def test_a_report_says_what_the_host_is_what_grows_and_who_keeps_it() -> None:
    page = demand_harmless(written())
    for text in (
        "Slab memory of app",
        "6.18.1",
        "filp, 256 bytes each",
        *STACK,
        "4242",
        "Change since the beginning",
        "By rate of allocation",
        "sudo slabtui --report app",
    ):
        assert text in page.text, text
    assert page.tags.count("svg") == 2
    assert ("viewbox", "24 12 456 276") in page.attributes
    assert page.tags.count("h1") == 1


def test_the_page_needs_nothing_else() -> None:
    page = written()
    assert "://" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_texts(text: str) -> None:
    page = demand_harmless(written(text, text))
    assert page.text.count(visible(text)) > 5


@given(st.text(st.characters(codec=None), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_every_text_is_shown_as_it_is_and_is_no_markup(text: str) -> None:
    document = Document(
        title=text,
        blocks=(
            Paragraph(text, Tone.ALERT),
            Facts(((text, text),)),
            Points((text,)),
            Listing((text,)),
            Table((Head(text, help=text),), ((text,),)),
        ),
        sections=(Section(text, parts=(Section(text),)),),
        source=text,
    )
    page = demand_harmless(html.write(document))
    shown = visible(text)
    assert page.texts.count(shown) == 12
    assert ("title", shown) in page.attributes
    assert not [tag for tag in page.tags if tag in ("svg", "figure")]


def test_without_leather_the_page_says_what_to_install_and_has_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "leather", None)
    page = demand_harmless(written())
    assert page.texts.count(charts.REMEDY) == 1
    assert "svg" not in page.tags
    assert "unreclaimable" in page.text


def test_a_report_without_growth_says_why() -> None:
    report = replace(leaking(), leaks=None, unknown="the run is too short")
    page = demand_harmless(html.write(report_page.build(report)))
    assert "Whether anything leaks is not known: the run is too short." in page.text
