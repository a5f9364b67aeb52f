"""What is known about one cache at once, and its past: the lines of the About tab, and the charts of a page."""

from collections.abc import Callable, Sequence

import urwid

from slabtui.analysis import known as known_caches
from slabtui.columns import beside as beside_columns
from slabtui.columns import caches, numbers
from slabtui.columns.numbers import Unit
from slabtui.model.inspection import About
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.views.cells import is_plain
from slabtui.views.chart import NOW, Curve, chart
from slabtui.views.widgets import Labelled

CHART_WIDTH = 36  # columns of the terminal that a chart has at least beside another one
_GAP = 2  # columns between two charts
_LEAST, _MOST = 4, 8  # lines of a chart of the About tab

Past = Sequence[tuple[Snapshot, CacheRow | None]]  # intervals, each with the row of the cache; None: it has none


def about(
    known: About | None, row: CacheRow, curves: Sequence[Curve], size: tuple[int, int]
) -> list[urwid.Text | Labelled]:
    """Return the facts and then the charts, the last interval at the right.

    Args:
        known: what the kernel says about the cache; None: nothing yet.
        row: the cache in the interval on the screen.
        curves: its past.
        size: columns and lines that there are for all.
    """
    known = known or About(row.aliases, row.object_size, row.size)
    live, mem = (row.live if known.live is None else known.live), (row.mem if known.mem is None else known.mem)
    facts = [
        ("Aliases", ", ".join(known.aliases) or "none"),
        ("Object", _object(known)),
        ("Slab", _slab(known)),
        ("Flags", ", ".join(known.flags) or "none"),
        ("Nodes", ", ".join(f"node {node}: {slabs} slabs" for node, slabs in known.nodes) or "?"),
        ("Live", unless_none(live, lambda live: f"{live} objects")),
        ("Memory", unless_none(mem, lambda mem: f"{write_bytes(mem)} held")),
        ("Growth", growth(row)[0]),
    ]
    if meaning := explain_cache(row):
        facts.append(("Objects", meaning))
    if known.counts:
        facts.append(("Counted", beside_columns.write_counts(known.counts)))
    facts += [("In use", text) for text in beside_columns.write_sites(known.sites)]
    width, height = size
    beside = 2 if width >= 2 * CHART_WIDTH + _GAP else 1
    left = (height - len(facts) - 1) // -(-len(curves) // beside)
    drawn = [
        line
        for place in range(0, len(curves), beside)
        for line in charts(curves[place : place + beside], width, min(_MOST, max(_LEAST, left)))
    ]
    return [
        *(Labelled(label, value) for label, value in facts),
        urwid.Text(("category", "History")),
        *(urwid.Text(line, wrap="clip") for line in drawn),
    ]


def charts(curves: Sequence[Curve], width: int, height: int) -> list[str]:
    """Return the lines of charts beside each other."""
    each = width_of_each(width, len(curves))
    return beside([chart(one, each, height, plain=is_plain()) for one in curves])


def width_of_each(width: int, number: int) -> int:
    """Return the columns of each of some charts beside each other."""
    return (width - _GAP * (number - 1)) // max(1, number)


def beside(drawn: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of charts that are drawn already, beside each other."""
    return [(" " * _GAP).join(parts) for parts in zip(*drawn, strict=True)]


def cache_curves(past: Past, first: int = 0, end: str = NOW) -> tuple[Curve, ...]:
    """Return the past of a cache: its rates per second, its objects and its memory.

    Args:
        past: the intervals.
        first: the number of the first one.
        end: the time of the last one.
    """
    seconds = sum(snapshot.elapsed for snapshot, _ in past)

    def curve(title: str, value: Callable[[Snapshot, CacheRow], float | None], write: Callable[[float], str]) -> Curve:
        values = (None if row is None else value(snapshot, row) for snapshot, row in past)
        return Curve(title, tuple(values), seconds, write, first, end)

    return (
        curve("allocs/s", lambda snapshot, row: snapshot.per_second(row.allocs), write_objects),
        curve("LIVE", lambda snapshot, row: row.live, write_objects),
        curve("bytes/s", lambda snapshot, row: snapshot.per_second(row.bytes), write_bytes),
        curve("MEM", lambda snapshot, row: row.mem, write_bytes),
    )


def growth(row: CacheRow) -> tuple[str, ...]:
    """Return how a cache grows, and which caches grow at the same rate, the longest form first."""
    if row.growth_objects_s is None:
        return ("?",)
    sign = "+" if row.growth_objects_s > 0 else ""
    mark = caches.LEAK if row.growing else ""
    short = f"{sign}{numbers.human(row.growth_objects_s, Unit.OBJECTS)}/s{mark}"
    size = f", {sign}{numbers.human(row.growth_bytes_h, Unit.BYTES)}/h" if row.growth_bytes_h is not None else ""
    others = f", with {', '.join(row.grows_with)}" if row.grows_with else ""
    return f"{short}{size}{others}", f"{short}{size}", short


def explain_cache(row: CacheRow) -> str:
    """Return what the objects of a cache are, where that explains why it grows; empty: unknown."""
    return known_caches.meaning((row.name, *row.aliases))


def unless_none(value: int | None, write: Callable[[int], str]) -> str:
    """Return a number as text; `?` where it is unknown."""
    return "?" if value is None else write(value)


def write_objects(number: float) -> str:
    """Write a number of objects for people."""
    return numbers.human(number, Unit.OBJECTS)


def write_bytes(number: float) -> str:
    """Write a number of bytes for people."""
    return numbers.human(number, Unit.BYTES)


def _object(known: About) -> str:
    parts = (
        None if known.size is None else f"{known.size} bytes",
        None if known.object_size is None else f"{known.object_size} asked for",
    )
    return ", ".join(filter(None, parts)) or "?"


def _slab(known: About) -> str:
    parts = (
        None if known.slab_bytes is None else write_bytes(known.slab_bytes),
        None if known.objects_per_slab is None else f"{known.objects_per_slab} objects",
    )
    return ", ".join(filter(None, parts)) or "?"
