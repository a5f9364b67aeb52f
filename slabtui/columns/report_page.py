"""The report on a run as a document: what the host is, what grows, who keeps it, and what cannot be seen. Pure."""

from collections.abc import Iterator

from slabtui.columns import held, leak_page, memory, numbers, report_tables
from slabtui.columns.document import (
    Block,
    Chart,
    Curve,
    Document,
    Facts,
    Head,
    Listing,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)
from slabtui.columns.inspections import who
from slabtui.columns.report_tables import write_bytes
from slabtui.model.containers import write_place
from slabtui.model.inspection import Inspection, InspectionRow
from slabtui.model.leaks import Keeper, Leak, LeakReport
from slabtui.model.report import Machine, Moment, Report

_MOST_PROCESSES = 10  # of a stack
_WIDE = 1 << 16  # columns: nothing is shortened
_LEAST_SHARE = 0.0001  # of events: less than 0.01 % is written as that
_LIVES = {True: "ended", False: "alive", None: numbers.UNKNOWN}


def build(report: Report) -> Document:
    """Return the document."""
    sections = [
        Section("Host", (Facts(tuple(_list_host(report))),)),
        _write_slab(report),
        _write_growth(report),
        _write_memory(report.leaks),
        _write_caches(report),
        Section("What was lost, and what cannot be seen", (Points(tuple(_list_limits(report))),)),
        Section("Run it again", (Listing((report.command,)),)),
    ]
    return Document(
        title=f"Slab memory of {report.run.origin.host or 'a host'}",
        blocks=tuple(_write_verdict(report)),
        sections=tuple(one for one in sections if one.blocks or one.parts),
        source=f"slabtui {report.version}, {_date(report.run.time)}. It may name processes with their command lines.",
    )


def _write_verdict(report: Report) -> Iterator[Block]:
    """Yield the answer, in one sentence, and what it rests on."""
    if report.leaks is None:
        yield Paragraph(f"Whether anything leaks is not known: {report.unknown}.", Tone.ALERT)
        return
    verdict, looked = leak_page.conclude(report.leaks)
    yield Paragraph(verdict, Tone.ALERT if report.leaks.leaks else Tone.PLAIN)
    yield Paragraph(looked, Tone.QUIET)


def _list_host(report: Report) -> Iterator[tuple[str, str]]:
    run, machine = report.run, report.machine or Machine()
    unknown = numbers.UNKNOWN if report.machine else "not recorded"
    yield "Host", run.origin.host or numbers.UNKNOWN
    yield "Kernel", f"Linux {run.origin.kernel}" if run.origin.kernel else numbers.UNKNOWN
    yield "Distribution", machine.distribution or unknown
    yield "CPUs", unknown if machine.cpus is None else f"{machine.cpus} online"
    total = run.memory.total if run.memory else None
    available = run.memory.available if run.memory else None
    yield "Memory", write_bytes(total) + ("" if available is None else f", {write_bytes(available)} available")
    yield "Up for", unknown if machine.uptime is None else numbers.duration(machine.uptime)
    yield "Load", " ".join(run.loadavg.split()[:3]) or numbers.UNKNOWN
    yield "Processes", run.origin.scope or "all"
    yield "From", _date(report.began)
    every = numbers.human(round(run.elapsed / report.intervals, 2), numbers.Unit.OBJECTS)
    yield "Until", f"{_date(run.time)}, {numbers.duration(run.elapsed)} in {report.intervals} intervals of {every} s"
    yield "Source", "the running kernel" if run.origin.source == "live" else "a recording"


def _write_slab(report: Report) -> Section:
    if not report.moments:
        return Section("Slab memory", (Paragraph("The slab memory of the host is not known.", Tone.QUIET),))
    blocks: list[Block] = [report_tables.list_slab(report)]
    growth = report.run.growth
    if growth and growth.full_in_s is not None and not (report.leaks and report.leaks.leaks):  # else that is said above
        full = numbers.duration(growth.full_in_s)
        text = f"Unreclaimable slab memory grows, and at this rate memory is full in {full}."
        blocks.insert(0, Paragraph(text, Tone.ALERT))
    for title, is_change in (("Slab memory", False), ("Change since the beginning", True)):
        curves = tuple(_list_curves(report.moments, is_change=is_change))
        if curves:
            blocks.append(Chart(title, curves, report.began))
    return Section("Slab memory", tuple(blocks))


def _list_curves(moments: tuple[Moment, ...], *, is_change: bool) -> Iterator[Curve]:
    for name in ("total", "reclaimable", "unreclaimable"):
        field = "slab" if name == "total" else name
        known = [(one.seconds, size) for one in moments if (size := getattr(one, field)) is not None]
        if len(known) > 1:
            base = known[0][1] if is_change else 0
            yield Curve(name, tuple((seconds, size - base) for seconds, size in known))


def _write_growth(report: Report) -> Section:
    """Return who keeps what grows."""
    title = "What grows"
    if report.leaks is None:
        return Section(title, (Paragraph(f"Not known: {report.unknown}.", Tone.QUIET),))
    nothing = () if report.leaks.leaks else (Paragraph("Nothing grows as a leak does."),)
    parts = [_write_leak(report.leaks, leak) for leak in report.leaks.leaks]
    others = tuple(Paragraph(text) for text in leak_page.describe_others(report.leaks))
    if others:
        parts.append(Section("No leaks, as far as is known", others))
    return Section(title, nothing, tuple(parts))


def _write_leak(report: LeakReport, leak: Leak) -> Section:
    names = ", ".join(one.row.name for one in leak.caches)
    facts = [*leak_page.describe(report, leak), *leak_page.describe_about(leak, _WIDE)]
    blocks: list[Block] = [Facts(tuple((label.capitalize(), text) for label, text in facts))]
    if leak.held is not None:
        blocks += [Paragraph(f"Doubt: {text}.", Tone.ALERT) for text in leak_page.list_doubts(leak)]
        for number, keeper in enumerate(leak.keepers, 1):
            blocks += _write_keeper(leak.held, keeper, number)
    return Section(names, tuple(blocks))


def _write_keeper(inspection: Inspection, keeper: Keeper, number: int) -> Iterator[Block]:
    """Yield a stack, the innermost function first, and its processes."""
    yield Paragraph(f"Stack {number}: {leak_page.write_amount(inspection, keeper)}. The innermost function is first.")
    yield Listing(keeper.row.frames or (numbers.UNKNOWN,))
    if not keeper.processes:
        return
    heads = (
        Head("PROCESS", is_number=False),
        Head("PID"),
        Head("HOLDS", "Objects that it allocated with this stack since tracking began, and did not free"),
        Head("STATE", is_number=False),
        Head("PLACE", "Container and pod, or systemd unit, by its control group", is_number=False),
        Head("COMMAND", is_number=False),
    )
    yield Table(heads, tuple(map(_write_process, keeper.processes[:_MOST_PROCESSES])))
    others = keeper.processes[_MOST_PROCESSES:]
    if others:
        holds = sum(row.rank for row in others)
        yield Paragraph(f"{len(others)} other processes hold {holds:,} objects.", Tone.QUIET)


def _write_process(row: InspectionRow) -> tuple[str, ...]:
    place = "" if row.cgroup in ("", "/") else write_place(row.cgroup, _WIDE)
    pid = str(row.pid) if row.pid else numbers.UNKNOWN
    lives = _LIVES[row.ended] if row.pid else numbers.UNKNOWN
    return who(row) or numbers.UNKNOWN, pid, f"{row.rank:,}", lives, place or numbers.UNKNOWN, row.cmdline


def _write_memory(leaks: LeakReport | None) -> Section:
    title = "Where the memory of the host is"
    if leaks is None or leaks.memory is None:
        return Section(title, (Paragraph("Not known.", Tone.QUIET),))
    conclusions = (Paragraph(text) for text in memory.conclude(leaks.memory))
    return Section(title, (*conclusions, report_tables.list_memory(leaks.memory)))


def _write_caches(report: Report) -> Section:
    tables = (
        ("By memory", report_tables.list_by_memory(report.run)),
        ("By growth", report_tables.list_by_growth(report.run)),
        ("By rate of allocation", report_tables.list_by_allocations(report.run)),
    )
    nothing = Paragraph("None, as far as is known.", Tone.QUIET)
    signs = "^: it grows as a leak does. ~: not exact. -: unknown. Rates are those of the whole run."
    parts = (Section(title, (table if table.rows else nothing,)) for title, table in tables)
    return Section("Caches", (Paragraph(signs, Tone.QUIET),), tuple(parts))


def _list_limits(report: Report) -> Iterator[str]:
    """Yield what was not counted, and what this report therefore cannot say."""
    run = report.run
    yield _write_lost(report)
    if run.bulk is None:
        yield "Whether allocations and frees in bulk are counted is not known."
    else:
        yield f"Allocations and frees in bulk are {'counted' if run.bulk else 'not counted: this kernel hides them'}."
    if any(row.approximate for row in run.rows):
        yield "The rows with ~ are size classes of kmalloc, or large allocations: they are not exact."
    yield from (f"{note.removesuffix('.')}." for note in report.notes)
    yield from _list_untracked(report)
    yield "Live objects include free ones that a CPU keeps for later, as those of /proc/slabinfo do."


def _write_lost(report: Report) -> str:
    lost, events = report.run.lost, report.run.events
    if lost is None:
        return "How many events were lost is not known."
    if not lost:
        return "No event was lost." if events is None else f"No event of {events:,} was lost."
    share = "" if not events else f", {max(_LEAST_SHARE, lost / (lost + events)):.2%} of all"
    return f"{lost:,} events were lost{share}: the rates of allocation are too low by them."


def _list_untracked(report: Report) -> Iterator[str]:
    leaks = report.leaks
    if leaks is None or leaks.tracked_after is None:
        yield "What is held was not tracked, so no stack or process is known that keeps objects."
        return
    since = numbers.clock(leaks.last.time - leaks.seconds + leaks.tracked_after)
    yield f"What is held was tracked from {since} on: of older objects it is not known who keeps them."
    estimates = [one.held for one in leaks.leaks if one.held is not None and held.is_estimate(one.held)]
    for one in estimates:
        part = f"one address in {one.one_in} was" if one.one_in > 1 else "not each allocation was"
        yield f"Of {one.cache.name} {part} tracked: what is held of it is an estimate."


def _date(moment: float) -> str:
    """Return a date and a local time, with its distance from UTC."""
    return numbers.clock(moment, "%Y-%m-%d %H:%M:%S %z")
