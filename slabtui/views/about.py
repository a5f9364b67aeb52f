"""The lines of the About tab: what the kernel says about one cache, and charts of its past."""

from collections.abc import Callable, Sequence

import urwid

from slabtui.columns import numbers
from slabtui.model.inspection import About
from slabtui.model.snapshot import CacheRow
from slabtui.views.cells import is_plain
from slabtui.views.chart import sparkline
from slabtui.views.widgets import labelled

_BESIDE_CHART = 29  # columns for its label and its maximum


def about(known: About, past: Sequence[CacheRow | None], width: int) -> list[urwid.Text | urwid.Columns]:
    """Return the facts and then the charts, the last interval at the right."""
    facts = [
        ("Aliases", ", ".join(known.aliases) or "none"),
        ("Object", _object(known)),
        ("Slab", _slab(known)),
        ("Flags", ", ".join(known.flags) or "none"),
        ("Nodes", ", ".join(f"node {node}: {slabs} slabs" for node, slabs in known.nodes) or "?"),
        ("Live", unless_none(known.live, lambda live: f"{live} objects")),
        ("Memory", unless_none(known.mem, lambda mem: f"{numbers.volume(mem)} held")),
    ]
    charts = [
        ("Allocs", [row.allocs if row else 0 for row in past]),
        ("Bytes", [row.bytes if row else 0 for row in past]),
        ("Live", [(row.live or 0) if row else 0 for row in past]),
    ]
    return [
        *(labelled(label, value) for label, value in facts),
        urwid.Text(("category", "History")),
        *(labelled(label, _chart(series, width)) for label, series in charts),
    ]


def unless_none(value: int | None, write: Callable[[int], str]) -> str:
    """Return a number as text; `?` where it is unknown."""
    return "?" if value is None else write(value)


def _chart(series: Sequence[int], width: int) -> str:
    top = max(series, default=0)
    room = max(1, width - _BESIDE_CHART)
    return f"{sparkline(series, room, plain=is_plain())} max {numbers.count(top, 8)}"


def _object(known: About) -> str:
    return " ".join(
        (
            unless_none(known.size, lambda size: f"{size} bytes,"),
            unless_none(known.object_size, lambda size: f"{size} asked for"),
        )
    )


def _slab(known: About) -> str:
    return " ".join(
        (
            unless_none(known.slab_bytes, lambda size: f"{numbers.volume(size)},"),
            unless_none(known.objects_per_slab, lambda objects: f"{objects} objects"),
        )
    )
