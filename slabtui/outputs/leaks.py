"""Follows a run that looks for leaks, snapshot by snapshot; writes what it finds as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from slabtui.analysis.leaks import LeakWatch, find_first, find_second
from slabtui.errors import SlabtuiError
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport
from slabtui.model.memory import MemoryReport
from slabtui.model.request import Request
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.stream import interruptible
from slabtui.producer import Snapshots
from slabtui.queues import SnapshotQueue
from slabtui.recording import codec
from slabtui.recording.addresses import Concealer

SCHEMA = "slabtui-leaks/1"

_QUEUE = 8  # snapshots: each judgement takes milliseconds, and a merged interval would be longer than a bin
_OF_PROCESS = ("pid", "comm", "cmdline", "ended", "cgroup", "removed", "context")
_OF_PLACE = ("cgroup", "removed", "context")
_OF_CACHE = ("cache", "name", "size", "reclaimable", "live", "mem", "growth_objects_s", "growth_bytes_h", "grows_with")


def follow(
    producer: Snapshots,
    watch: LeakWatch,
    seconds: float,
    *,
    tracks: bool,
    conceal: Concealer,
    progress: Callable[[str], None] | None,
    interrupted: Callable[[], None],
    seen: Callable[[Snapshot], None] = lambda snapshot: None,
) -> tuple[str, ...]:
    """Start a producer, follow it for this time, and stop it; return its notes, in words for the user.

    Args:
        producer: not started yet.
        watch: is given each snapshot.
        seconds: length of the run.
        tracks: whether what is held of the caches that grow fastest is to be tracked.
        conceal: what becomes of a snapshot before that.
        progress: shows how far it is; None: it is not shown.
        interrupted: called by the handler of SIGINT, which ends the run.
        seen: is given each snapshot, too, for what else is to be known of the run.

    Raises:
        SlabtuiError: the counters could not be read at the end.
    """
    queue, notes = SnapshotQueue(_QUEUE), dict[str, None]()
    choices = [find_first(seconds), find_second(seconds)] if tracks else []
    suspects: tuple[CacheKey, ...] = ()
    error: str | None = None
    producer.subscribe(queue)
    with interruptible(producer, interrupted):
        producer.start()
        for snapshot in map(conceal, queue):
            notes |= dict.fromkeys(snapshot.notes)
            error = snapshot.error
            watch.add(snapshot)
            seen(snapshot)
            if choices and watch.elapsed >= choices[0]:
                chosen = watch.choose_again(suspects) if suspects else watch.choose()
                if chosen:  # else no growth is known yet, as after late snapshots
                    del choices[0]
                    suspects = chosen
                    producer.request(Request(suspects=suspects))
            if progress:
                progress(_say(watch.elapsed, seconds, suspects))
            if watch.elapsed >= seconds:
                break
        producer.unsubscribe(queue)
        producer.stop()
    if error:
        raise SlabtuiError(error, "start slabtui again")
    return tuple(notes)


def _say(elapsed: float, seconds: float, suspects: Sequence[CacheKey]) -> str:
    what = f"tracks {', '.join(map(str, suspects))}" if suspects else "watches what grows"  # a narrow terminal cuts it
    return f"slabtui: {elapsed:.0f} of {seconds:.0f} s (Ctrl-C: end now with what is known), {what}"


def dumps(report: LeakReport) -> str:
    """Return a report as one JSON object on one line."""
    last, origin = report.last, report.last.origin
    written = {
        "schema": SCHEMA,
        "time": codec.iso(last.time),
        "elapsed_s": round(report.seconds, 6),
        "source": origin.source,
        "host": origin.host,
        "kernel": origin.kernel,
        "growing": bool(report.leaks),
        "growth_bytes_h": round(report.growth_bytes_h, 3),
        "full_in_s": None if report.full_in_s is None else round(report.full_in_s, 1),
        "watched": report.watched,
        "slowest_objects_s": round(report.slowest_objects_s, 3),
        "tracked_after_s": None if report.tracked_after is None else round(report.tracked_after, 6),
        "tracked": [str(cache) for cache in report.tracked],
        "is_short": report.is_short,
        "memory": None if report.memory is None else _write_memory(report.memory),
        "leaks": [_write_leak(one) for one in report.leaks],
        "uncertain": [_write_cache(one) for one in report.uncertain],
        "explained": [_write_cache(one) for one in report.explained],
    }
    return json.dumps(written, separators=(",", ":"))


def _write_memory(memory: MemoryReport) -> dict[str, Any]:
    """Return where the memory of the host is, and how that changed."""
    written = asdict(memory) | {"seconds": round(memory.seconds, 6)}
    for part in written["parts"]:
        if part["growth_bytes_s"] is not None:
            part["growth_bytes_s"] = round(part["growth_bytes_s"], 1)
    return written


def _write_cache(one: GrowingCache) -> dict[str, Any]:
    return codec.values(one.row, _OF_CACHE) | {
        "low_objects_s": round(one.low, 3),
        "high_objects_s": round(one.high, 3),
        "change": one.change,
        "keeper": None if one.keeper is None else _write_keeper(one.keeper),
    }


def _write_leak(leak: Leak) -> dict[str, Any]:
    return {
        "caches": [_write_cache(one) for one in leak.caches],
        "grows_with": list(leak.grows_with),
        "held": None if leak.held is None else _write_held(leak.held, leak.held_until),
        "keepers": [_write_keeper(one) for one in leak.keepers],
        "about": _write_about(leak.about),
    }


def _write_about(found: Inspection | None) -> dict[str, Any] | None:
    """Return what the kernel says about a cache, with its key."""
    if found is None or found.about is None:
        return None
    return {"cache": str(found.cache)} | asdict(found.about)


def _write_held(held: Inspection, until: float | None) -> dict[str, Any]:
    """Return how what is held was tracked."""
    return {
        "cache": str(held.cache),
        "until": None if until is None else codec.iso(until),
        "objects": held.held_objects,
        "one_in": held.one_in,
        "lost": held.lost,
        "trouble": held.trouble,
        "tracking": None if held.tracking is None else asdict(held.tracking),
    }


def _write_keeper(keeper: Keeper) -> dict[str, Any]:
    return {
        "frames": list(keeper.row.frames),
        "explains": None if keeper.explains is None else round(keeper.explains, 4),
        "steady": keeper.steady,
        "held": _get_held(keeper.row),
        "processes": [_write_row(row, _OF_PROCESS) for row in keeper.processes],
        "places": [_write_row(row, _OF_PLACE) for row in keeper.places],
    }


def _write_row(row: InspectionRow, names: Sequence[str]) -> dict[str, Any]:
    """Return these fields of a row, and what it holds."""
    values = codec.inspection_values(InspectionKind.HELD, row)
    return {name: values[name] for name in (*names, "held")}


def _get_held(row: InspectionRow) -> Any:
    return codec.inspection_values(InspectionKind.HELD, row)["held"]
