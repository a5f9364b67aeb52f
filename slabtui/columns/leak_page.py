"""The page about leaks, as text: what grows, who keeps it, and when memory is full. Pure."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from slabtui.columns import beside, held, memory, numbers, stacks
from slabtui.columns.inspections import who
from slabtui.columns.numbers import Unit
from slabtui.model.containers import write_place
from slabtui.model.inspection import Inspection, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport

_LABEL = 10  # columns before what a line says
_LEAST_WIDTH = 40
_MOST_WIDTH = 160  # longer lines are hard to read
_MOST_NAMES = 6  # of caches in one line
_MOST_COMMAND = 2  # lines of a command line
_STACK_LINES = 2
_NAME = 24  # columns that most functions fit: a line is broken before one that does not
_PLACE = 60  # columns of what a process runs in
_SEEN = 256  # objects by which a cache must grow to be judged: analysis/cache.py


def write(report: LeakReport, width: int) -> str:
    """Return the page.

    Args:
        report: what is known.
        width: columns of the terminal.
    """
    width = max(_LEAST_WIDTH, min(_MOST_WIDTH, width))
    lines = [*_wrap(_write_heading(report), width), ""]
    if report.memory is not None:
        lines += [*memory.describe(report.memory, width), ""]
    lines += _write_verdict(report, width)
    for leak in report.leaks:
        lines += ["", *_write_leak(report, leak, width)]
    lines += _write_rest(report, width)
    return "\n".join(lines) + "\n"


def _write_heading(report: LeakReport) -> str:
    last, origin = report.last, report.last.origin
    began, ended = numbers.clock(last.time - report.seconds), numbers.clock(last.time)
    return f"{origin.host}, Linux {origin.kernel}: {numbers.duration(report.seconds)} from {began} to {ended}"


def _write_verdict(report: LeakReport, width: int) -> list[str]:
    """Return the lines that say whether anything grows."""
    seconds = numbers.duration(report.seconds)
    if not report.leaks:
        slowest = _SEEN / report.seconds
        text = (
            f"No cache grows as a leak does: {report.watched} caches were watched for {seconds}. A leak of less than"
            f" {numbers.human(slowest, Unit.OBJECTS)} objects/s needs a longer run."
        )
        return _wrap(text, width)
    number = sum(len(leak.caches) for leak in report.leaks)
    caches = "1 cache grows" if number == 1 else f"{number} caches grow"
    together = "" if len(report.leaks) == number else f", in {_count(len(report.leaks), 'group')}"
    full = report.last.growth.full_in_s if report.last.growth else None
    then = "" if full is None else f" Memory is full in {numbers.duration(full)} at this rate."
    text = f"LEAK: {caches} without an end{together}, by {_bytes(report.growth_bytes_h)}/h.{then}"
    short = f"{seconds} are short: a load that begins looks the same. Run it again for a minute or more."
    return [*_wrap(text, width), *(_wrap(short, width) if report.is_short else ())]


def _write_leak(report: LeakReport, leak: Leak, width: int) -> Iterator[str]:
    first, *others = leak.caches
    row = first.row
    size = f", {row.size} bytes each" if row.size else ""
    rate = f"+{_bytes(row.growth_bytes_h)}/h, +{_rate(row.growth_objects_s)} objects/s"
    yield from _item("CACHE", f"{row.name}: {rate} ({_rate(first.low)} to {_rate(first.high)}){size}", width)
    began = numbers.clock(report.last.time - report.seconds)
    yield from _item("SINCE", f"{first.change:+,} objects since {began}, {row.live:,} are live", width)
    if others or leak.grows_with:
        names = (*(f"{one.row.name} (+{_bytes(one.row.growth_bytes_h)}/h)" for one in others), *leak.grows_with)
        yield from _item("WITH", _list(names), width)
    if leak.held is None:
        tracked = "nothing was tracked" if report.tracked_after is None else "others grew faster, or it began later"
        yield from _item("HELD BY", f"not known: {tracked}. slabtui --held {row.name} tracks it.", width)
        return
    if leak.held.cache != row.cache:
        yield from _item("TRACKED", leak.held.cache.name, width)
    for keeper in leak.keepers:
        yield from _write_keeper(leak.held, keeper, width)
    if leak.about is not None:
        if leak.about.counts:
            yield from _item("COUNTED", beside.write_counts(leak.about.counts), width)
        for site in leak.about.sites:
            yield from _item("KERNEL", beside.write_site(site), width)
    for text in _doubts(leak.held):
        yield from _item("DOUBT", text, width)


def _write_keeper(inspection: Inspection, keeper: Keeper, width: int) -> Iterator[str]:
    every = frozenset(row.frames for row in inspection.rows)
    room = (width - _LABEL) * _STACK_LINES - _NAME
    yield from _item("STACK", stacks.shorten(every, room)[keeper.row.frames], width)
    yield from _item("", _write_amount(inspection, keeper), width)
    process, *others = keeper.processes
    yield from _item("PROCESS", _write_process(process), width)
    if process.cmdline:
        yield from _item(
            "", textwrap.shorten(process.cmdline, (width - _LABEL) * _MOST_COMMAND, placeholder="..."), width
        )
    if others:
        yield from _item("", f"and {_count(len(others), 'other process', 'other processes')}", width)


def _write_amount(inspection: Inspection, keeper: Keeper) -> str:
    amount = keeper.row.held
    assert amount is not None
    about = "about " if held.is_estimate(inspection) else ""
    error = f" ± {amount.standard_error:,.0f}" if amount.standard_error >= 0.5 else ""
    parts = [f"holds {about}{amount.objects:,}{error} objects"]
    if keeper.explains is not None:
        parts.insert(0, f"explains {numbers.percent(keeper.explains)} of the growth")
    if amount.growth_objects_s is not None:
        parts.append(f"{amount.growth_objects_s:+.1f}/s")
    if amount.oldest is not None and amount.median is not None:
        parts.append(
            f"the oldest {numbers.duration(amount.oldest)}, half of them {numbers.duration(amount.median)} old"
        )
    return ", ".join(parts)


def _write_process(row: InspectionRow) -> str:
    """Return name, PID and place of a process, and whether it lives."""
    lives = {True: "ended", False: "alive", None: "not known whether it lives"}[row.ended] if row.pid else ""
    place = write_place(row.cgroup, _PLACE) if row.cgroup else ""
    name = f"{who(row)} {row.pid}" if row.pid else held.who_holds(row)
    return ", ".join(filter(None, (name, lives, place)))


def _doubts(inspection: Inspection) -> Iterator[str]:
    if inspection.tracking and inspection.tracking.doubt:
        yield inspection.tracking.doubt
    if inspection.trouble:
        yield inspection.trouble
    if inspection.lost:
        yield f"{inspection.lost:,} allocations were not tracked: the table was full, or events were missed"


def _write_rest(report: LeakReport, width: int) -> Iterator[str]:
    """Yield what grows too, but is no leak as far as is known."""
    for what, caches in (
        ("Grow too little for a judgement, run longer to know", report.uncertain),
        ("Grow too, but the kernel can reclaim it, frees it after a time, or it follows from that", report.explained),
    ):
        if caches:
            yield ""
            yield from _wrap(f"{what}: {_list(_write_growth(one) for one in caches)}.", width)


def _write_growth(one: GrowingCache) -> str:
    return f"{one.row.name} +{_bytes(one.row.growth_bytes_h)}/h"


def _list(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"{len(every) - _MOST_NAMES} others"] if len(every) > _MOST_NAMES else []
    return ", ".join((*every[:_MOST_NAMES], *more))


def _item(label: str, text: str, width: int) -> Sequence[str]:
    """Return a labelled text in lines of this width."""
    return _wrap(text, width, f"{label:{_LABEL}}", " " * _LABEL)


def _wrap(text: str, width: int, first: str = "", indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent, break_long_words=True, break_on_hyphens=False
    )


def _bytes(number: float | None) -> str:
    return numbers.UNKNOWN if number is None else f"{numbers.human(number, Unit.BYTES)}B"


def _rate(number: float | None) -> str:
    return numbers.UNKNOWN if number is None else numbers.human(round(number, 2), Unit.OBJECTS)


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
