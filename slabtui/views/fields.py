"""The fields of the header: what each means and how it is drawn, in a width that does not depend on its numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from slabtui.columns import numbers
from slabtui.columns.numbers import Style, Unit
from slabtui.columns.units import SUFFIXES
from slabtui.model.snapshot import Snapshot
from slabtui.views.cells import is_plain
from slabtui.views.chart import level, sparkline
from slabtui.views.line import Later, Pieces, Segment, padded
from slabtui.views.state import State

_SIZE = 6  # columns of a size: 1.23Gi
_WIDTHS = {Style.HUMAN: 5, Style.GROUPED: 15, Style.RAW: 12}  # columns of a number of objects; bytes have one more
_LONGEST_HOST, _LONGEST_SCOPE = 32, 40  # columns
# Columns that the chart of the memory may have: the fewest hold the words that may stand in its place.
_CHARTS = (60, 50, 44, 38, 32, 28, 24, 18)
_RATES_CHARTS = (40, 30, 20, 12)  # columns, and intervals
_FLAT = 0.01  # of the slab memory: a smaller change draws a flat chart


@dataclass(frozen=True, slots=True)
class Shown:
    """What the header shows.

    Attributes:
        state: the view's state.
        snapshot: the interval on the screen.
    """

    state: State
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the header.

    Attributes:
        label: its name in the help.
        help: what it means.
        draw: returns it, each form as wide as the field; None: there is nothing to show in this session.
    """

    label: str
    help: str
    draw: Callable[[Shown], Segment | None]


def _forms(style: str | None, width: int, *texts: str, right: bool = False) -> Pieces:
    return padded(width, *(((style, text),) for text in texts), right=right)


def _labelled(width: int, label: str, value: str, after: str = "", style: str | None = None) -> Pieces:
    """Return a value with its label before or after it, padded to a width: what it is called stays where it is."""
    if after:
        room = width - len(after) - 1
        return ((style, value.rjust(room)), ("dim", f" {after}"))
    return padded(width, (("dim", f"{label} "), (style, value)))


def _clock(shown: Shown) -> Segment:
    return Segment("title", (numbers.clock(shown.snapshot.time),), 8)


def _host(shown: Shown) -> Segment | None:
    origin = shown.snapshot.origin
    if not origin.host:
        return None
    names = (f"{origin.host} {origin.kernel}".rstrip(), origin.host, origin.host.partition(".")[0])
    widths = dict.fromkeys(min(len(name), _LONGEST_HOST) for name in names)
    return Segment(None, tuple(_forms(None, width, *names) for width in widths), 3)


def _scope(shown: Shown) -> Segment | None:
    scope = shown.snapshot.origin.scope
    if not scope:
        return None
    widths = dict.fromkeys(min(len(scope), most) + 2 for most in (_LONGEST_SCOPE, 24, 16))
    return Segment("scope", tuple(_forms("scope", width, f" {scope} ") for width in widths), 9)


def _load(shown: Shown) -> Segment | None:
    averages = shown.snapshot.loadavg.split()[:3]
    if not averages:
        return None
    forms = [_labelled(width, "load", " ".join(averages[:number])) for width, number in ((22, 3), (11, 1))]
    return Segment(None, tuple(forms), 4)


def draw_interval(state: State) -> Segment:
    """Return the length of the interval: as asked for, or the real one where it differs."""
    real = state.shown.elapsed if state.shown else state.interval
    exact = state.time.replay or abs(real - state.interval) > state.interval / 5
    seconds = f"{real:.1f}" if exact else f"{state.interval:g}"
    texts = (f"every {seconds} s", f"{seconds} s")
    return Segment(None, tuple(_forms("dim", width, *texts) for width in (12, 7)), 5)


def draw_mode(state: State, width: int = 13) -> Segment:
    """Return whether the screen is live."""
    return Segment(None, (padded(width, *_modes(state), right=True),), 9)


def _modes(state: State) -> tuple[Pieces, ...]:
    if state.time.paused:
        ago = f" -{state.time.back}" if state.time.back else ""
        return (("paused", f" PAUSED{ago} "),), (("paused", "PAUSED"),)
    if state.time.ended:
        return ((("paused", " END "),),)
    if state.time.streamed:
        return ((("live", "STREAM"),),)
    if state.time.replay:
        return (("live", f"REPLAY x{state.time.speed:g}"),), (("live", "REPLAY"),)
    return ((("live", "LIVE"),),)


def _unknown(shown: Shown) -> Segment | None:
    if _slab(shown) is not None:
        return None
    return Segment("dim", ("slab memory: not in this recording", "slab memory ?"), 6)


def _slab(shown: Shown) -> Segment | None:
    memory = shown.snapshot.memory
    if memory is None or memory.slab is None:
        return None
    return Segment(None, (_labelled(11, "slab", _size(memory.slab), style="title"),), 9)


def _part(
    label: str, whole: str, of: Callable[[Snapshot], int | None], priority: int
) -> Callable[[Shown], Segment | None]:
    def draw(shown: Shown) -> Segment | None:
        part = of(shown.snapshot)
        if part is None:
            return None
        value = _size(part)
        long, short = len(whole) + 1 + _SIZE, len(label) + 1 + _SIZE
        return Segment(None, (_labelled(long, whole, value), _labelled(short, label, value)), priority)

    return draw


def _ram(shown: Shown) -> Segment | None:
    memory = shown.snapshot.memory
    if memory is None or memory.slab is None or not memory.total:
        return None
    written = numbers.percent(memory.slab / memory.total)
    return Segment(None, (_labelled(11, "", written, "of RAM"),), 5)


def _cgroup(shown: Shown) -> Segment | None:
    """Return the slab memory of the control group, with the part that stays, and all its kernel memory."""
    memory = shown.snapshot.cgroup_memory
    if memory is None or memory.slab is None:
        return None
    slab = _labelled(18, "cgroup slab", _size(memory.slab))
    unreclaimable = _labelled(14, " unrecl", "?" if memory.unreclaimable is None else _size(memory.unreclaimable))
    forms = [(*slab, *unreclaimable), slab, _labelled(13, "cgroup", _size(memory.slab))]
    if memory.kernel is not None:
        forms.insert(0, (*forms[0], *_labelled(17, " of kernel", _size(memory.kernel))))
    return Segment(None, tuple(forms), 8)


def _growth(shown: Shown) -> Segment | None:
    if shown.snapshot.memory is None:
        return None
    growth = shown.snapshot.growth
    known = growth.slab_bytes_s if growth is not None else None
    written = "?" if known is None else _change(60 * known)
    style = "growing" if growth is not None and growth.growing else None
    return Segment(None, (((style, written.rjust(_SIZE + 1)), ("dim", "/min")),), 8)


def _full(shown: Shown) -> tuple[Pieces, ...]:
    """Return the words for when memory is used up, the longest first; empty: it is not."""
    growth = shown.snapshot.growth
    if growth is None or growth.full_in_s is None:
        return ()
    left = numbers.duration(growth.full_in_s)
    texts = (
        f" memory full in {left} ",
        f"memory full in {left}",
        f"full in {left}",
        f"full {left.replace(' ', '').replace('min', 'm')}",
    )
    return tuple((("warning", text),) for text in texts)


def _chart(shown: Shown) -> Segment | None:
    """Return the chart of the slab memory. When memory will be full, the words for that stand over its older part."""
    if shown.snapshot.memory is None:
        return None
    series = [one.memory.slab or 0 for one in shown.state.time.until_shown() if one.memory is not None]

    def draw(width: int) -> Pieces:
        return _over(_full(shown), _draw_chart(series, width), width)

    priority = 7 if shown.snapshot.cgroup_memory is None else 4  # a narrow screen has room for one of them
    return Segment(None, tuple(Later(width, partial(draw, width)) for width in _CHARTS), priority)


def _over(words: tuple[Pieces, ...], chart: str, width: int) -> Pieces:
    said = next((pieces for pieces in words if len(pieces[0][1]) <= width), ())
    if not said:
        return (("chart", chart),)
    used = len(said[0][1])
    return (*said, ("chart", f" {chart[used + 1 :]}"[: width - used]))


def _draw_chart(series: list[int], width: int) -> str:
    """Draw the whole session: each column is the last value of one, two, four ... intervals."""
    step = 1
    while len(series) > step * width:
        step *= 2
    ends = series[::-1][::step][:width][::-1]
    return level(ends, width, flat=_FLAT, plain=is_plain())


def _trend(shown: Shown) -> Segment | None:
    """Return the growth alone, or when memory will be full: for the smallest terminals."""
    grows = _growth(shown)
    if grows is None:
        return None
    words = _full(shown)
    if words:
        return Segment(None, tuple(padded(width, *words) for width in (19, 11)), 6)
    return grows


def _rate(name: str, unit: Unit, what: str, priority: int) -> Callable[[Shown], Segment]:
    """Return what draws the sum of a number over all caches, for the time and in the style of the table."""

    def draw(shown: Shown) -> Segment:
        units = shown.state.units
        total = units.total(shown.snapshot.rows, name)
        if total is None and name != "frees":  # with -p: no cache was seen yet
            total = 0
        width = _WIDTHS[units.style] + (unit is Unit.BYTES)
        written = "?" if total is None else numbers.write(total, unit, units.style, width).strip()
        suffix = SUFFIXES[units.basis].lower()
        space = "" if unit is Unit.BYTES and units.style is Style.HUMAN else " "
        forms = [((None, written.rjust(width)), ("dim", f"{space}{what}{suffix}"))]
        if unit is not Unit.BYTES:
            forms.append(((None, written.rjust(width)), ("dim", suffix)))
        return Segment(None, tuple(forms), priority)

    return draw


def _last_rates(shown: Shown) -> list[tuple[float, float]]:
    """Return the rates of as many intervals as a chart has room for."""
    return shown.state.time.rates(max(_RATES_CHARTS))


def _rates_chart(series: Sequence[float]) -> Segment:
    """Return a chart of the last intervals."""

    def draw(width: int) -> Pieces:
        return (("chart", sparkline(series, width, plain=is_plain())),)

    return Segment("chart", tuple(Later(width, partial(draw, width)) for width in _RATES_CHARTS), 3)


def _frees(shown: Shown) -> Segment | None:
    return _FREES(shown) if shown.state.frees else None


def _size(number: float) -> str:
    return numbers.human(number, Unit.BYTES)


def _change(number: float) -> str:
    written = _size(abs(number))
    return written if written == "0" else f"{'-' if number < 0 else '+'}{written}"


_FREES = _rate("frees", Unit.OBJECTS, "frees", 5)

CLOCK = Field("clock", "Local time at the end of the interval", _clock)
HOST = Field("host", "The machine that is measured, and its kernel", _host)
SCOPE = Field(
    "pid, cgroup",
    "Only the allocations of these processes are counted. Without this field: those of all processes",
    _scope,
)
LOAD = Field("load", "Load averages of the last 1, 5 and 15 minutes, as uptime(1) prints them", _load)
INTERVAL = Field("every", "Length of the interval in seconds", lambda shown: draw_interval(shown.state))
MODE = Field(
    "LIVE",
    "The running kernel, now. PAUSED -3: the screen stands still, three intervals back; REPLAY x2: a recording,"
    " twice as fast; STREAM: what another process or host sends, now; END: the recording is over",
    lambda shown: draw_mode(shown.state),
)
SLAB = Field("slab", "Memory of all slab caches now, Slab in /proc/meminfo", _slab)
RECLAIMABLE = Field(
    "reclaimable",
    "The part that the kernel can free when memory is short, such as dentries and inodes (SReclaimable)",
    _part("recl", "reclaimable", lambda one: one.memory.reclaimable if one.memory else None, 6),
)
UNRECLAIMABLE = Field(
    "unreclaimable",
    "The part that stays until the kernel code that allocated it frees it (SUnreclaim): leaks are here",
    _part("unrecl", "unreclaimable", lambda one: one.memory.unreclaimable if one.memory else None, 7),
)
RAM = Field("of RAM", "Share of slab in the usable memory (MemTotal)", _ram)
GROWTH = Field(
    "/min",
    "How fast slab grows or shrinks since the mark or the start: a robust slope, which single jumps do not change. Red:"
    " unreclaimable memory grows by more than its noise. ?: not known yet",
    _growth,
)
CGROUP = Field(
    "cgroup slab",
    "Slab memory that is charged to the control group of --cgroup; the part of it that stays until it is freed; and all"
    " kernel memory of the group (memory.stat)",
    _cgroup,
)
CHART = Field(
    "chart, full in",
    "slab in the session, at most 300 intervals, from its lowest to its highest value. If unreclaimable memory grows:"
    " when the available memory will be used up at this rate",
    _chart,
)
ALLOCS = Field(
    "allocs/s",
    "Objects allocated, from all caches: per second, or as u has chosen for the table",
    _rate("allocs", Unit.OBJECTS, "allocs", 6),
)
BYTES = Field("B/s", "Bytes of these objects", _rate("bytes", Unit.BYTES, "B", 6))
ALLOCS_CHART = Field("", "", lambda shown: _rates_chart([allocs for allocs, _ in _last_rates(shown)]))
BYTES_CHART = Field("", "", lambda shown: _rates_chart([size for _, size in _last_rates(shown)]))
FREES = Field("frees/s", "Objects freed, while frees are counted", _frees)

UNKNOWN = Field("", "", _unknown)
TREND = Field("", "", _trend)
SHORT_MODE = Field("", "", lambda shown: draw_mode(shown.state, 6))
