"""The page about leaks, as text: what grows, who keeps it, and when memory is full. Pure."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from slabtui.columns import beside, held, memory, numbers, stacks
from slabtui.columns.inspections import who
from slabtui.columns.numbers import Unit
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport

_LABEL = 10  # columns before what a line says
_LEAST_WIDTH = 40
_MOST_WIDTH = 160  # longer lines are hard to read
_MOST_NAMES = 6  # of caches in one line
_COMMAND_LINES = 2  # of a command line
_MOST_PROCESSES, _LEAST_PROCESS = 3, 0.1  # of a stack: how many are named, and what each holds of it at least
_STACK_LINES = 2
_MOST_SITES = 3  # that the kernel knows
_NAME = 24  # columns that most functions fit: a line is broken before one that does not
_PLACE = 60  # columns of what a process runs in
_LOST = 0.01  # of all events: less changes nothing that matters


def write(report: LeakReport, width: int) -> str:
    """Return the page.

    Args:
        report: what is known.
        width: columns of the terminal.
    """
    width = max(_LEAST_WIDTH, min(_MOST_WIDTH, width))
    host = () if report.memory is None else memory.describe(report.memory, width)
    verdict = [line for sentence in conclude(report) for line in _wrap(sentence, width)]
    others = [line for sentence in describe_others(report) for line in _wrap(sentence, width)]
    sections = [_wrap(_write_heading(report), width), host, verdict]
    sections += [[*_write_leak(report, leak, width), *_write_about(leak, width)] for leak in report.leaks]
    sections += [others]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _write_heading(report: LeakReport) -> str:
    last, origin = report.last, report.last.origin
    seconds = numbers.duration(report.seconds)
    return f"{origin.host}, Linux {origin.kernel}: {seconds} from {_began(report)} to {numbers.clock(last.time)}"


def _began(report: LeakReport) -> str:
    return numbers.clock(report.last.time - report.seconds)


def conclude(report: LeakReport) -> tuple[str, str]:
    """Return whether anything grows, and what was looked at."""
    seconds = numbers.duration(report.seconds)
    looked = f"{report.watched} caches were watched for {seconds}{_write_tracked(report)}."
    if not report.leaks:
        slowest = _rate(report.slowest_objects_s)
        return "Nothing grows as a leak does.", f"{looked} Growth of less than {slowest} objects/s needs a longer run."
    number = sum(len(leak.caches) for leak in report.leaks)
    leaks = f"{_count(len(report.leaks), 'leak')}, in {_count(number, 'cache')}: +{_bytes(report.growth_bytes_h)}/h."
    full = report.full_in_s
    then = "" if full is None else f" Memory is full in {numbers.duration(full)} at this rate."
    short = f" {seconds} are short: a load that begins looks the same. Run it again for a minute or more."
    return leaks + then, looked + short * report.is_short


def _write_tracked(report: LeakReport) -> str:
    """Return the part of a sentence that says what was tracked."""
    if report.tracked_after is None:
        return ", and what they hold was not tracked"
    since = numbers.clock(report.last.time - report.seconds + report.tracked_after)
    return f", and what is held of {_list(map(str, report.tracked))} was tracked, from {since} on at the earliest"


def describe(report: LeakReport, leak: Leak) -> Iterator[tuple[str, str]]:
    """Yield what is known of the caches of a leak: each a label and a text."""
    first, *others = leak.caches
    row = first.row
    limits = f"{_rate(first.low)} to {_rate(first.high)} with 99.9 % confidence"
    yield "CACHE", f"{row.name}, {row.size} bytes each" if row.size else row.name
    yield "GROWTH", f"+{_bytes(row.growth_bytes_h)}/h, +{_rate(row.growth_objects_s)} objects/s ({limits})"
    yield "SINCE", f"{first.change:+,} objects since {_began(report)}, {row.live:,} are live"
    if others or leak.grows_with:
        names = (*(f"{one.row.name} +{_bytes(one.row.growth_bytes_h)}/h" for one in others), *leak.grows_with)
        yield "WITH IT", _list(names)
    if leak.held is None:
        yield "HELD BY", f"not known: {_explain(report, leak)}"
    elif leak.held.cache != row.cache:
        yield "TRACKED", leak.held.cache.name


def describe_about(leak: Leak, room: int) -> Iterator[tuple[str, str]]:
    """Yield what the kernel counts beside one of the caches, and which code it knows to have allocated.

    Args:
        leak: the leak.
        room: columns that the functions of a site may take.
    """
    if leak.about is None or leak.about.about is None:
        return
    name, known = leak.about.cache.name, leak.about.about
    if known.counts:
        yield "COUNTED", beside.write_counts(known.counts)
    for text in beside.write_sites(known.sites[:_MOST_SITES], room):
        yield "KERNEL", f"{name}, {text}"


def _write_leak(report: LeakReport, leak: Leak, width: int) -> Iterator[str]:
    for label, text in describe(report, leak):
        yield from _item(label, text, width)
    if leak.held is None:
        return
    for keeper in leak.keepers:
        yield from _write_keeper(leak.held, keeper, width)
    for text in list_doubts(leak):
        yield from _item("DOUBT", text, width)


def _write_about(leak: Leak, width: int) -> Iterator[str]:
    for label, text in describe_about(leak, (width - _LABEL) * _STACK_LINES - _NAME):
        yield from _item(label, text, width)


def _explain(report: LeakReport, leak: Leak) -> str:
    """Return why nothing is known of what is held."""
    found = [report.last.inspection(InspectionKind.HELD, one.row.cache) for one in leak.caches]
    trouble = next((one.trouble for one in found if one is not None and one.trouble), "")
    if trouble:
        return trouble
    if any(found):
        return "nothing was allocated while it was tracked, or all of it was freed"
    why = "nothing was tracked" if report.tracked_after is None else "others grew faster at first, or it began later"
    return f"{why}. slabtui --held {leak.caches[0].row.name} tracks it."


def _write_keeper(inspection: Inspection, keeper: Keeper, width: int) -> Iterator[str]:
    every = frozenset(row.frames for row in inspection.rows)
    room = (width - _LABEL) * _STACK_LINES - _NAME
    yield from _item("STACK", stacks.shorten(every, room)[keeper.row.frames], width)
    yield from _item("", write_amount(inspection, keeper), width)
    shown = [row for row in keeper.processes[:_MOST_PROCESSES] if row.rank >= _LEAST_PROCESS * keeper.row.rank]
    for process in shown or keeper.processes[:1]:
        yield from _item("PROCESS", _write_process(process), width)
        if process.cmdline:
            most = (width - _LABEL) * _COMMAND_LINES
            yield from _item("", textwrap.shorten(process.cmdline, most, placeholder="..."), width)
    others = len(keeper.processes) - max(1, len(shown))
    if others:
        yield from _item("", f"and {_count(others, 'other process', 'other processes')}", width)
    if places := _write_places(keeper):
        yield from _item("PLACE", places, width)


def write_amount(inspection: Inspection, keeper: Keeper) -> str:
    """Return what a stack holds, and how much of the growth that explains."""
    amount = keeper.row.held
    assert amount is not None
    about = "about " if held.is_estimate(inspection) else ""
    error = f" (standard error {amount.standard_error:,.0f})" if round(amount.standard_error) else ""
    parts = [f"holds {about}{amount.objects:,} objects{error}"]
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
    name = f"{who(row)} {row.pid}" if row.pid else held.who_holds(row)
    return ", ".join(filter(None, (name, lives, f"holds {row.rank:,}", _write_place(row))))


def _write_places(keeper: Keeper) -> str:
    """Return what each place holds of a stack, if its processes are in several; empty: they are not."""
    places, total = keeper.places, max(1, keeper.row.rank)
    if len(places) < 2:
        return ""
    return _list(f"{held.where_held(one, _PLACE)} {numbers.percent(one.rank / total)}" for one in places)


def _write_place(row: InspectionRow) -> str:
    """Return the place of a process; empty where there is none to speak of: the root of all control groups."""
    return "" if row.cgroup == "/" or not (row.cgroup or row.removed) else held.where_held(row, _PLACE)


def list_doubts(leak: Leak) -> Iterator[str]:
    """Yield why what is held of one of its caches may not be trusted."""
    inspection = leak.held
    if inspection is None:
        return
    if leak.held_until is not None:
        clock = numbers.clock(leak.held_until)
        yield f"it was tracked until {clock} only: what was freed later is still in it"
    if inspection.tracking and inspection.tracking.doubt:
        yield inspection.tracking.doubt
    if inspection.trouble:
        yield inspection.trouble
    seen = inspection.tracking.seen if inspection.tracking else None
    if inspection.lost > _LOST * (seen or 0):
        yield f"{inspection.lost:,} allocations were not tracked: the table was full, or events were missed"


def describe_others(report: LeakReport) -> Iterator[str]:
    """Yield what grows too, but is no leak as far as is known."""
    for what, caches in (
        ("Grow too, but it is not certain that they go on", report.uncertain),
        ("Grow too, but are no leak: they can be reclaimed, a timer frees them, or they follow such", report.explained),
    ):
        if caches:
            yield f"{what}: {_list(_write_growth(one) for one in caches)}."


def _write_growth(one: GrowingCache) -> str:
    kept = f" (kept by {held.who_holds(one.keeper.processes[0])})" if one.keeper else ""
    return f"{one.row.name} +{_bytes(one.row.growth_bytes_h)}/h{kept}"


def _list(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"and {_count(len(every) - _MOST_NAMES, 'other')}"] if len(every) > _MOST_NAMES else []
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
