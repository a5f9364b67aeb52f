"""A snapshot as a line of JSON and back: nothing is lost, and any other line is refused."""

import json
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.memory import CgroupMemory, HostMemory
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec
from slabtui.recording import older as upgrading
from slabtui.recording.codec import SchemaError
from slabtui.recording.decoder import Decoder
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import LOADAVG, cache, key, snapshot
from tests.support.recordings import first_version, version_1

HOSTILE = ["", '"', "a,b", "'", r"\\x1b[2J", "\\\\", "{}", "]", "名前", "e\u0301", "=1+1", "~a", " ", "null", "🦀" * 40]
TEXTS = st.sampled_from(HOSTILE) | st.binary(max_size=12).map(printable)
COUNTS = st.integers(0, 9) | st.integers(0, 2**64 - 1)
TEXT_TUPLES = st.lists(TEXTS, max_size=3).map(tuple)
ROWS = strategies.rows(TEXTS, TEXT_TUPLES, COUNTS)
AMOUNTS = {"allocs": COUNTS, "bytes": COUNTS, "total_allocs": COUNTS, "total_bytes": COUNTS}
KEYS = strategies.keys(TEXTS)
SITES = st.builds(InspectionRow, frames=TEXT_TUPLES, standard_error=st.just(0.0), **AMOUNTS)
ERRORS = st.none() | st.integers(0, 2**40).map(lambda tenths: tenths / 10)
WHO = {"comm": TEXTS, "cmdline": TEXTS, "ended": st.none() | st.booleans(), "cgroup": TEXTS}
WHO |= {"removed": st.none() | st.booleans(), "context": st.sampled_from(Context)}
SAMPLED = st.builds(InspectionRow, frames=TEXT_TUPLES, pid=st.none() | COUNTS, standard_error=ERRORS, **WHO, **AMOUNTS)
PROCESSES = st.builds(InspectionRow, pid=COUNTS, standard_error=st.just(0.0), **WHO, **AMOUNTS)
INSPECTION_ROWS = {
    InspectionKind.CALLERS: SITES,
    InspectionKind.STACKS: SAMPLED,
    InspectionKind.PROCESSES: PROCESSES,
}
ABOUTS = st.builds(
    About,
    aliases=TEXT_TUPLES,
    object_size=st.none() | COUNTS,
    size=st.none() | COUNTS,
    objects_per_slab=st.none() | COUNTS,
    slab_bytes=st.none() | COUNTS,
    flags=TEXT_TUPLES,
    nodes=st.lists(st.tuples(COUNTS, COUNTS), max_size=3).map(tuple),
    live=st.none() | COUNTS,
    mem=st.none() | COUNTS,
    counts=st.lists(st.builds(SideCount, TEXTS, COUNTS, COUNTS), max_size=2).map(tuple),
    sites=st.lists(st.builds(KernelSite, TEXTS, COUNTS, COUNTS, TEXT_TUPLES, TEXTS, TEXTS), max_size=2).map(tuple),
)
OF_ALL_KINDS = {"number": COUNTS, "one_in": COUNTS, "lost": COUNTS, "trouble": TEXTS}
INSPECTIONS = st.one_of(
    *(
        st.builds(
            Inspection, cache=KEYS, kind=st.just(kind), rows=st.lists(rows, max_size=3).map(tuple), **OF_ALL_KINDS
        )
        for kind, rows in INSPECTION_ROWS.items()
    ),
    st.builds(Inspection, cache=KEYS, kind=st.just(InspectionKind.ABOUT), about=ABOUTS, **OF_ALL_KINDS),
)
TIMES = st.integers(0, 4_102_444_800_000).map(lambda ms: ms / 1000)
MEMORY = st.builds(HostMemory, *[st.none() | COUNTS] * len(fields(HostMemory)))
GROWTH = st.builds(
    HostGrowth,
    TIMES,
    st.none() | strategies.HOST_RATES,
    st.none() | strategies.HOST_RATES,
    st.none() | st.booleans(),
    st.none() | strategies.HOST_RATES.map(abs),
)
SNAPSHOTS = st.builds(
    Snapshot,
    time=TIMES,
    elapsed=st.integers(0, 4_000_000_000).map(lambda us: us / 1e6),
    loadavg=st.just(LOADAVG) | TEXTS,
    rows=st.lists(ROWS, max_size=4).map(tuple),
    lost=st.none() | COUNTS,
    events=st.none() | COUNTS,
    nanoseconds=st.none() | st.integers(0, 10**7).map(lambda tenths: tenths / 10),
    bulk=st.none() | st.booleans(),
    inspections=st.lists(INSPECTIONS, max_size=3, unique_by=lambda found: (found.cache, found.kind)).map(tuple),
    memory=st.none() | MEMORY,
    growth=st.none() | GROWTH,
    error=st.none() | TEXTS,
    notes=st.lists(TEXTS, max_size=2).map(tuple),
    origin=st.builds(Origin, st.sampled_from(["live", "replay"]), TEXTS, TEXTS, st.none() | TIMES, TEXTS),
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**64, 1e308, "0x10", "-0x1", "2026-11-24T19:06:13.603Z", "0001-01-01"])
    | st.floats()
    | st.text(st.characters(), max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3),
    max_leaves=6,
)
FIELDS = ["schema", "time", "elapsed_s", "source", "host", "kernel", "since", "scope", "loadavg", "lost", "events"]
FIELDS += ["ns_per_event", "bulk", "memory", "cgroup_memory", "growth", "error", "notes", "caches", "inspections"]
LATER = ["events", "ns_per_event", "bulk", "detail"]  # a line of the first version may lack them
OPTIONAL = ["events", "ns_per_event", "bulk", "memory", "cgroup_memory", "growth", "scope", "inspections"]
NEEDED = [name for name in FIELDS if name not in ("source", *OPTIONAL)]  # whatever was measured, it is a replay now
ROW_FIELDS = ["cache", "name", "size", "object_size", "address", "approximate", "aliases", "reclaimable"]
ROW_FIELDS += ["live", "mem", "disagrees"]
ROW_FIELDS += ["total_allocs", "total_bytes", "total_frees", "allocs", "bytes", "frees", "live_delta"]
GROWTH_FIELDS = ["growth_objects_s", "recent_objects_s", "growth_bytes_h", "growing", "grows_with"]
ROW_FIELDS += GROWTH_FIELDS
NEEDED_OF_A_ROW = ["cache", "name", "size", "object_size", "approximate", "allocs", "bytes"]
LATER_OF_A_ROW = ["aliases", "live", "mem", "disagrees", "frees", "live_delta"]


RATES = GROWTH_FIELDS[:3]
GROWN = {"growth_objects_s": 0.25, "recent_objects_s": -1.5, "growth_bytes_h": 2.0**40, "growing": True}
GROWN |= {"grows_with": ("filp",)}
MEMORY_FIELDS = ["total", "available", "slab", "reclaimable", "unreclaimable"]
HOST_RATES = ["slab_bytes_s", "unreclaimable_bytes_s", "full_in_s"]


def valid() -> dict[str, Any]:
    whole = snapshot(cache(1, "dentry", allocs=3, size=192), cache(2), notes=("a note",))
    return json.loads(codec.dumps(whole, whole.rows))


def changed(name: str, value: object) -> str:
    """Return a line with one field changed, of the snapshot or of its first cache."""
    found = valid()
    (found if name in FIELDS else found["caches"][0])[name] = value
    return json.dumps(found)


def demand_one_line(error: SchemaError) -> None:
    """Demand that an error is short, and harmless to print."""
    assert str(error).isprintable()
    assert len(str(error)) < 300


def loads(line: str | bytes) -> Snapshot:
    """Return the snapshot of a line that stands alone."""
    return Decoder().decode(line)


def refusal(line: str | bytes) -> str:
    """Return why a line is refused."""
    with pytest.raises(SchemaError) as caught:
        loads(line)
    demand_one_line(caught.value)
    return str(caught.value)


@given(SNAPSHOTS)
def test_what_is_written_comes_back_as_a_replay_of_the_same(whole: Snapshot) -> None:
    line = codec.dumps(whole, whole.rows)
    assert "\n" not in line
    back = loads(line)
    assert back == replace(whole, origin=replace(whole.origin, source="replay"))
    again = codec.dumps(back, back.rows)
    assert again == line.replace(f'"source":"{whole.origin.source}"', '"source":"replay"', 1)
    assert loads(line.encode()) == back


def test_a_line_has_the_fields_that_are_documented_in_their_order() -> None:
    assert list(valid()) == FIELDS
    grown = replace(cache(1), **GROWN)
    (row,) = json.loads(codec.dumps(snapshot(grown), (grown,)))["caches"]
    assert list(row) == ROW_FIELDS
    assert list(codec.ROW_FIELDS) == ROW_FIELDS
    assert {name: row[name] for name in GROWTH_FIELDS} == GROWN | {"grows_with": ["filp"], "growth_bytes_h": 2.0**40}


def test_growth_that_is_nothing_is_left_out_and_of_unknown_growth_only_one_field_is_there() -> None:
    """Most caches do not grow: with these fields a line would be a third longer."""
    judged = replace(cache(1), growth_objects_s=0.0, recent_objects_s=-0.0, growth_bytes_h=0.0001, growing=False)
    sizes_differ = replace(judged, growth_bytes_h=None)
    half_known = replace(cache(2), growth_objects_s=0.0)
    rows = (judged, cache(2), sizes_differ, half_known)
    line = codec.dumps(snapshot(*rows), rows)
    written = [{name: row[name] for name in GROWTH_FIELDS if name in row} for row in json.loads(line)["caches"]]
    assert written == [{}, {"growing": None}, {"growth_bytes_h": None}, {"growth_objects_s": 0.0, "growing": None}]
    assert loads(line).rows == (replace(judged, growth_bytes_h=0.0), *rows[1:])


@pytest.mark.parametrize(
    "still", [{**dict.fromkeys(["growth_objects_s", "growth_bytes_h"], 0.0), "growing": False}, {}]
)
def test_growth_makes_a_line_of_caches_that_do_not_grow_hardly_longer(still: dict[str, Any]) -> None:
    rows = [replace(cache(at, f"cache_of_usual_name_{at}"), **still) for at in range(250)]
    line = codec.dumps(snapshot(*rows), rows)
    before = json.dumps(version_1(line), separators=(",", ":"))
    assert len(before) > 250 * 250
    assert len(line) < 1.15 * len(before)


def test_a_line_is_pure_ascii_without_spaces() -> None:
    row = replace(cache(1, "名前"), address=0xFFFF888100000100, aliases=("a",))
    whole = snapshot(row, time=1764011173.6034, origin=Origin(since=1764011000.0))
    line = codec.dumps(whole, whole.rows)
    assert line == (
        '{"schema":"slabtui/2","time":"2025-11-24T19:06:13.603Z","elapsed_s":1.0,"source":"live","host":"","kernel":"",'
        '"since":"2025-11-24T19:03:20.000Z","scope":"","loadavg":"0.38 0.21 0.12 1/342 13297","lost":0,"events":null,'
        '"ns_per_event":null,"bulk":null,"memory":null,"cgroup_memory":null,"growth":null,"error":null,"notes":[],'
        '"caches":[{"cache":"\\u540d\\u524d#2",'
        '"name":"\\u540d\\u524d","size":64,"object_size":64,"address":"0xffff888100000100","approximate":false,'
        '"aliases":["a"],"reclaimable":null,"live":null,"mem":null,"disagrees":null,"total_allocs":0,"total_bytes":0,'
        '"total_frees":null,"allocs":0,"bytes":0,"frees":null,"live_delta":null,"growing":null}],"inspections":[]}'
    )


def test_only_the_rows_that_are_asked_for_are_written_with_all_their_fields() -> None:
    rows = (cache(1, "a", allocs=1), cache(2, "b", allocs=2))
    (written,) = json.loads(codec.dumps(snapshot(*rows), rows[1:]))["caches"]
    assert {*written} == {*codec.ROW_FIELDS} - {*GROWTH_FIELDS} | {"growing"}  # how it grows is unknown
    assert (written["name"], written["cache"], written["allocs"]) == ("b", "b#3", 2)


def test_chosen_fields_have_the_values_that_json_has() -> None:
    row = replace(cache(2, allocs=2), aliases=("c",), address=0x10)
    assert codec.values(row, ("allocs", "cache", "aliases", "address")) == {
        "allocs": 2,
        "cache": "cache-2",
        "aliases": ("c",),
        "address": "0x10",
    }
    assert codec.values(cache(2), ("address",)) == {"address": None}


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1.0004, "1970-01-01T00:00:01.000Z"),
        (1.0006, "1970-01-01T00:00:01.001Z"),
        (59.9996, "1970-01-01T00:01:00.000Z"),
        (1764011173.603, "2025-11-24T19:06:13.603Z"),
    ],
)
def test_a_time_is_utc_to_the_millisecond(time: float, written: str) -> None:
    assert codec.iso(time) == written


@pytest.mark.parametrize("name", NEEDED + NEEDED_OF_A_ROW)
def test_a_field_that_is_missing_is_named(name: str) -> None:
    found = valid()
    del (found if name in NEEDED else found["caches"][0])[name]
    assert refusal(json.dumps(found)) == ("not a snapshot of slabtui" if name == "schema" else f"{name} is missing")


def test_a_field_of_a_later_version_is_ignored() -> None:
    found = valid()
    found["more"] = found["caches"][0]["more"] = [{"even": "this"}]
    assert loads(json.dumps(found)) == loads(json.dumps(valid()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 1) for name in ("time", "host", "kernel", "loadavg", "error", "notes", "caches", "name", "cache")),
        *((name, None) for name in ("time", "elapsed_s", "host", "kernel", "loadavg", "notes", "caches", "name")),
        *((name, None) for name in ("cache", "allocs", "bytes", "approximate")),
        *((name, True) for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size", "name", "error")),
        *(
            (name, True)
            for name in ("events", "ns_per_event", "frees", "live", "live_delta", "mem", "aliases", "inspections")
        ),
        *(
            (name, "1")
            for name in ("events", "ns_per_event", "frees", "live", "live_delta", "mem", "bulk", "disagrees")
        ),
        *((name, 1.0) for name in ("events", "frees", "live", "live_delta", "mem")),
        *((name, -1) for name in ("events", "ns_per_event", "frees", "live", "mem")),
        *((name, 2**64) for name in ("events", "ns_per_event", "frees", "live", "live_delta", "mem")),
        *(("ns_per_event", value) for value in (float("nan"), float("inf"), -float("inf"), 10**400, -1e-3)),
        ("live_delta", -(2**64)),
        ("bulk", 0),
        ("disagrees", 0),
        ("aliases", None),
        ("aliases", ["a", 1]),
        ("aliases", {}),
        ("inspections", {}),
        ("inspections", None),
        ("inspections", "callers"),
        ("inspections", [[]]),
        ("inspections", [None] * 5),
        *((name, value) for name in ("memory", "cgroup_memory", "growth") for value in (True, 1, "1", [], [[]])),
        ("scope", None),
        ("scope", 1),
        *((name, value) for name in RATES for value in (True, "1", [], float("nan"), float("inf"), 10**400, 1e300)),
        *(("growing", value) for value in (0, 1, "true", [])),
        *(("grows_with", value) for value in (None, "filp", {}, ["filp", 1], ["x"] * 2000)),
        *((name, "1") for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size", "notes", "caches")),
        *((name, 1.0) for name in ("lost", "allocs", "bytes", "size", "object_size")),
        *((name, {}) for name in ("time", "elapsed_s", "notes", "caches", "name", "cache", "approximate")),
        *((name, -1) for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size")),
        *((name, 2**64) for name in ("lost", "allocs", "bytes", "size", "object_size")),
        *(("elapsed_s", value) for value in (float("nan"), float("inf"), -float("inf"), 10**400, -1e-3)),
        ("approximate", 0),
        *(("address", value) for value in (1, "", "0xg", "dentry", "-0x1", "0x1" + "0" * 16, [])),
        *(("cache", value) for value in ("dentry#0", "dentry#-1", f"dentry#{2**64}", "slab:dentry", "a#" + "9" * 4000)),
        *((name, value) for name in ("total_allocs", "total_bytes") for value in (None, -1, 2**64, 1.0, "1", True)),
        *(("total_frees", value) for value in (-1, 2**64, 1.0, "1", True)),
        *(("since", value) for value in (1, "yesterday", "2025-11-24", [])),
        *(("cache", value) for value in ([], 1.5)),
        ("time", ""),
        ("time", "yesterday"),
        ("time", "1764011173.603"),
        ("time", "2025-11-24"),
        ("time", "2025-11-24T19:06:13.603"),
        ("time", "2025-13-24T19:06:13.603Z"),
        ("time", "0001-01-01T00:00:00+23:59"),
        ("time", "9999-12-31T23:59:59.9999-23:59"),
        ("time", "\ud800"),
        ("allocs", "x" * 10**6),
        ("loadavg", ["\x1b" * 1000] * 1000),
    ],
)
def test_a_wrong_value_is_refused_and_its_field_named(name: str, value: object) -> None:
    assert refusal(changed(name, value)).startswith(f"{name} ")


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        *(("memory", name, value) for name in MEMORY_FIELDS for value in (True, -1, 2**64, 1.5, "1")),
        *(("growth", name, value) for name in HOST_RATES for value in (True, "1", float("nan"), -(10**400))),
        ("growth", "growing", 1),
        ("growth", "full_in_s", -1),
        ("growth", "since", None),
        ("growth", "since", "yesterday"),
    ],
)
def test_a_wrong_value_of_the_machine_is_refused_and_its_field_named(part: str, name: str, value: object) -> None:
    found = valid() | {"memory": {"slab": 5}, "growth": {"since": "2025-11-24T19:06:13.603Z", "slab_bytes_s": 1.5}}
    whole = loads(json.dumps(found))
    assert (whole.memory, whole.growth) == (HostMemory(slab=5), HostGrowth(1764011173.603, 1.5))
    found[part][name] = value
    assert refusal(json.dumps(found)).startswith(f"{name} ")


def test_growth_of_the_machine_without_its_baseline_is_refused() -> None:
    assert refusal(changed("growth", {"slab_bytes_s": 1.5})) == "since is missing"


def test_a_line_of_slabtui_1_is_read_and_knows_nothing_of_growth() -> None:
    row = replace(cache(1, allocs=5), **GROWN, reclaimable=True, live=2)
    machine = {"memory": HostMemory(slab=5), "cgroup_memory": CgroupMemory(7, 2, 5, 9), "growth": HostGrowth(1.7e9)}
    inspection = OF_KINDS[InspectionKind.CALLERS]
    whole = snapshot(row, inspections=(inspection,), origin=Origin(since=1.7e9, scope="pid 7 sh"), **machine)
    found = loads(json.dumps(version_1(codec.dumps(whole, whole.rows))))
    known = replace(cache(1, allocs=5), reclaimable=True, live=2)
    assert found == snapshot(known, inspections=(inspection,), origin=Origin("replay", since=1.7e9))
    bare = version_1(codec.dumps(snapshot(known), (known,)))
    assert bare["detail"] is None
    assert loads(json.dumps(bare)).inspections == ()


def test_stacks_of_slabtui_1_are_of_processes_that_are_not_known() -> None:
    whole = snapshot(inspections=(OF_KINDS[InspectionKind.STACKS],))
    (row,) = loads(json.dumps(version_1(codec.dumps(whole, ())))).inspections[0].rows
    assert row == replace(FRAMES, standard_error=4.9)


@pytest.mark.parametrize("detail", [[], "callers", 1, True, [[]]])
def test_an_inspection_of_slabtui_1_that_is_no_object_is_refused(detail: object) -> None:
    refusal(json.dumps(version_1(json.dumps(valid())) | {"detail": detail}))


def older(*rows: CacheRow, numbers: Iterable[int], **more: object) -> str:
    """Return the line that a version without keys and totals wrote."""
    return json.dumps(first_version(codec.dumps(snapshot(*rows, **more), rows), numbers))


def test_a_line_of_the_first_version_knows_nothing_of_what_came_later() -> None:
    whole = replace(cache(1, allocs=5), frees=1, live=2, live_delta=1, mem=3, disagrees=True, aliases=("a",))
    found = json.loads(older(whole, numbers=[0xFFFF888100000100], events=5, nanoseconds=1.5, bulk=True))
    for name in LATER:
        del found[name]
    for name in LATER_OF_A_ROW:
        del found["caches"][0][name]
    known = replace(cache(1, allocs=5), address=0xFFFF888100000100)
    assert loads(json.dumps(found)) == snapshot(known, origin=Origin("replay"))


ADDRESS, IDLE = 0xFFFF888100000100, (1 << 32) + 5


def test_an_idle_cache_of_an_older_recording_keeps_its_key_when_it_wakes() -> None:
    decoder = Decoder()
    lines = [older(cache(1), cache(2), numbers=numbers) for numbers in ([IDLE, ADDRESS], [ADDRESS + 256, ADDRESS])]
    before, after = (decoder.decode(line).rows for line in lines)
    assert [row.cache for row in before] == [row.cache for row in after] == [key(1), key(2)]
    assert [row.address for row in before] == [None, ADDRESS]


def test_caches_of_one_name_in_an_older_recording_have_different_keys() -> None:
    decoder = Decoder()
    rows = [replace(cache(1), name="bio") for _ in range(3)]
    line = older(*rows, numbers=[IDLE, ADDRESS, ADDRESS + 256])
    keys = [[row.cache for row in decoder.decode(line).rows] for _ in range(2)]
    assert len(set(keys[0])) == 3
    assert keys[0] == keys[1]


def test_numbers_of_an_older_recording_that_stand_for_no_cache_are_their_kind() -> None:
    rows = replace(cache(1), name="kmalloc-large"), replace(cache(2), name="kmalloc-64")
    found = loads(older(*rows, numbers=[1, 64 << 8])).rows
    assert [str(row.cache) for row in found] == ["large:kmalloc-large", "size-class:kmalloc-64"]
    assert [row.address for row in found] == [None, None]


def test_a_number_in_place_of_an_address_is_no_address() -> None:
    (row,) = loads(older(cache(1), numbers=[(1 << 62) + 7])).rows
    assert (row.cache, row.address) == (key(1), None)


def test_totals_of_an_older_recording_are_sums_since_it_began() -> None:
    decoder = Decoder()
    totals = []
    for allocs, frees in ((3, None), (5, 2), (0, 4)):
        row = replace(cache(1, allocs=allocs), frees=frees)
        (found,) = decoder.decode(older(row, numbers=[ADDRESS])).rows
        totals.append((found.total_allocs, found.total_bytes, found.total_frees))
    assert totals == [(3, 3 * 64, None), (8, 8 * 64, 2), (8, 8 * 64, 6)]


def test_a_failed_reading_of_an_older_recording_covers_no_time() -> None:
    found = loads(older(numbers=[], error="gone"))
    assert (found.elapsed, found.error) == (0.0, "gone")


def test_the_inspection_of_an_older_recording_has_the_key_of_the_first_cache_of_its_name() -> None:
    rows = replace(cache(1), name="bio"), replace(cache(2), name="bio")
    inspection = Inspection(CacheKey(KeyKind.CACHE, "bio", 9), InspectionKind.CALLERS)
    found = loads(older(*rows, numbers=[ADDRESS, ADDRESS + 256], inspections=(inspection,)))
    assert found.inspections[0].cache == found.rows[0].cache


def test_an_older_recording_that_was_made_up_takes_no_memory_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "MOST_KEYS", 50)
    decoder = Decoder()
    for start in range(0, 200, 20):
        rows = [cache(start + number) for number in range(20)]
        decoder.decode(older(*rows, numbers=range(start + ADDRESS, start + ADDRESS + 20)))
        assert len(decoder._upgrade._totals) <= 70


LATER_OF_AN_INSPECTION_ROW = {"standard_error", "cmdline", "ended", "removed"}
LATER_OF_A_STACK = {"pid", "comm", "cgroup", "context"}
DENTRY = CacheKey(KeyKind.CACHE, "dentry", 2)
AMOUNTS_OF_ONE = {"allocs": 1, "bytes": 64, "total_allocs": 3, "total_bytes": 192}
FRAMES = InspectionRow(**AMOUNTS_OF_ONE, frames=("kmem_cache_alloc", "getname_flags", "do_sys_open"))
OF_ONE = {"pid": 7, "comm": "kswapd0", "cmdline": "", "ended": False, "cgroup": "/a"}
OF_ONE |= {"removed": True, "context": Context.KERNEL_THREAD}
PROCESS = InspectionRow(**AMOUNTS_OF_ONE, **OF_ONE)
STACK = replace(FRAMES, standard_error=4.94, **OF_ONE)
ABOUT = About(
    ("x",),
    192,
    200,
    21,
    4096,
    ("reclaimable",),
    ((0, 3), (1, 4)),
    5,
    8192,
    (SideCount("unused", 7, 6),),
    (KernelSite("slab_debug", 2, 400, ("d_alloc", "f"), "fs/dcache.c:3", "1-9"),),
)
HELD = Held(9, 1728, 2.5, 61.25, 3.5, (4, 4, 0, 1, 0, 0), 0.125, 0.000011, 1.5)
HOLDER = InspectionRow(frames=FRAMES.frames, **OF_ONE, held=HELD)
TRACKING = Tracking(9, 400, 1, 3, 5, 13, "frees in bulk", bulk=True)
OF_KINDS = {
    InspectionKind.CALLERS: Inspection(DENTRY, InspectionKind.CALLERS, 2, 1, 5, (FRAMES,)),
    InspectionKind.STACKS: Inspection(DENTRY, InspectionKind.STACKS, 2, 9, 5, (STACK,)),
    InspectionKind.PROCESSES: Inspection(DENTRY, InspectionKind.PROCESSES, 2, 1, 5, (PROCESS,)),
    InspectionKind.ABOUT: Inspection(DENTRY, InspectionKind.ABOUT, about=ABOUT),
    InspectionKind.HELD: Inspection(DENTRY, InspectionKind.HELD, 2, 4, 5, (HOLDER,), tracking=TRACKING),
}


def inspected(kind: InspectionKind) -> dict[str, Any]:
    """Return a line, parsed, that has an inspection."""
    found: dict[str, Any] = json.loads(codec.dumps(snapshot(inspections=(OF_KINDS[kind],)), ()))
    return found


def test_an_inspection_has_the_fields_that_are_documented_for_its_kind() -> None:
    amounts = AMOUNTS_OF_ONE
    site = {"frames": ["kmem_cache_alloc", "getname_flags", "do_sys_open"], **amounts}
    begins = {"key": "dentry#2", "cache": "dentry", "number": 2, "lost": 5, "trouble": ""}
    assert inspected(InspectionKind.CALLERS)["inspections"][0] == {
        **begins,
        "kind": "callers",
        "one_in": 1,
        "rows": [site],
    }
    sampled = {**site, **OF_ONE, "standard_error": 4.9}
    assert inspected(InspectionKind.STACKS)["inspections"][0] == {
        **begins,
        "kind": "stacks",
        "one_in": 9,
        "rows": [sampled],
    }
    assert inspected(InspectionKind.PROCESSES)["inspections"][0] == {
        **begins,
        "kind": "processes",
        "one_in": 1,
        "rows": [{**OF_ONE, **amounts}],
    }
    assert inspected(InspectionKind.ABOUT)["inspections"][0] == {
        "key": "dentry#2",
        "cache": "dentry",
        "kind": "about",
        "number": 1,
        "one_in": 1,
        "lost": 0,
        "trouble": "",
        "about": {
            "aliases": ["x"],
            "object_size": 192,
            "size": 200,
            "objects_per_slab": 21,
            "slab_bytes": 4096,
            "flags": ["reclaimable"],
            "nodes": [[0, 3], [1, 4]],
            "live": 5,
            "mem": 8192,
            "counts": [{"name": "unused", "number": 7, "began": 6}],
            "sites": [
                {
                    "source": "slab_debug",
                    "objects": 2,
                    "bytes": 400,
                    "frames": ["d_alloc", "f"],
                    "place": "fs/dcache.c:3",
                    "pids": "1-9",
                }
            ],
        },
    }


def test_an_older_recording_has_nothing_beside_a_cache() -> None:
    found = inspected(InspectionKind.ABOUT)
    del found["inspections"][0]["about"]["counts"], found["inspections"][0]["about"]["sites"]
    (inspection,) = loads(json.dumps(found)).inspections
    assert inspection.about == replace(ABOUT, counts=(), sites=())


def test_what_is_held_is_read_as_it_was_written() -> None:
    (inspection,) = loads(json.dumps(inspected(InspectionKind.HELD))).inspections
    assert inspection == OF_KINDS[InspectionKind.HELD]
    unknown = Inspection(DENTRY, InspectionKind.HELD, rows=(replace(HOLDER, held=None),))
    (inspection,) = loads(codec.dumps(snapshot(inspections=(unknown,)), ())).inspections
    assert (inspection.rows[0].held, inspection.tracking) == (None, None)


def test_stacks_of_an_older_recording_have_no_standard_error() -> None:
    found = inspected(InspectionKind.STACKS)
    del found["inspections"][0]["rows"][0]["standard_error"]
    (inspection,) = loads(json.dumps(found)).inspections
    assert [(row.standard_error, row.total_allocs) for row in inspection.rows] == [(None, 3)]


@pytest.mark.parametrize("kind", InspectionKind)
def test_an_inspection_without_one_of_its_fields_is_refused_and_the_field_named(kind: InspectionKind) -> None:
    whole = inspected(kind)["inspections"][0]
    parts = [whole, whole["about"] if kind is InspectionKind.ABOUT else whole["rows"][0]]
    assert all(len(part) > 4 for part in parts)
    for which, part in enumerate(parts):
        for name in (
            part.keys()
            - LATER_OF_AN_INSPECTION_ROW
            - (LATER_OF_A_STACK if kind is InspectionKind.STACKS else set())
            - ({"cache", "trouble"} if which == 0 else {"counts", "sites"})
        ):  # the key names the cache
            found = inspected(kind)
            inspection = found["inspections"][0]
            del (inspection, inspection["about"] if kind is InspectionKind.ABOUT else inspection["rows"][0])[which][
                name
            ]
            assert refusal(json.dumps(found)) == f"{name} is missing"


@pytest.mark.parametrize(
    ("kind", "path", "value", "why"),
    [
        (InspectionKind.CALLERS, ["kind"], "calls", "kind is 'calls'"),
        (InspectionKind.CALLERS, ["kind"], 1, "kind is 1"),
        (InspectionKind.CALLERS, ["kind"], "processes", "cgroup is missing"),
        (InspectionKind.CALLERS, ["kind"], [], "kind is []"),
        (InspectionKind.PROCESSES, ["kind"], "stacks", "frames is missing"),
        (InspectionKind.CALLERS, ["kind"], "about", "about is missing"),
        (InspectionKind.ABOUT, ["kind"], "callers", "rows is missing"),
        (InspectionKind.CALLERS, ["key"], 1, "key is 1"),
        (InspectionKind.CALLERS, ["key"], "dentry#0", "key 'dentry#0' is no key of a cache"),
        (InspectionKind.CALLERS, ["number"], -1, "number is -1"),
        (InspectionKind.CALLERS, ["number"], True, "number is True"),
        (InspectionKind.STACKS, ["one_in"], 2.5, "one_in is 2.5"),
        (InspectionKind.STACKS, ["one_in"], 2**64, f"one_in is {2**64}"),
        (InspectionKind.STACKS, ["lost"], None, "lost is None"),
        (InspectionKind.STACKS, ["rows"], {}, "rows is {}"),
        (InspectionKind.STACKS, ["rows"], [[]], "a row of an inspection that is no object"),
        (InspectionKind.STACKS, ["rows", 0, "frames"], "f", "frames is 'f'"),
        (InspectionKind.STACKS, ["rows", 0, "frames"], ["f", 1], "frames is 1"),
        (InspectionKind.STACKS, ["rows", 0, "allocs"], -1, "allocs is -1"),
        (InspectionKind.STACKS, ["rows", 0, "total_bytes"], "1", "total_bytes is '1'"),
        (InspectionKind.STACKS, ["rows", 0, "standard_error"], "1", "standard_error is '1'"),
        (InspectionKind.STACKS, ["rows", 0, "standard_error"], -0.5, "standard_error is -0.5"),
        (InspectionKind.STACKS, ["rows", 0, "standard_error"], 2**64, f"standard_error is {2**64}"),
        (InspectionKind.STACKS, ["rows", 0, "standard_error"], float("nan"), "standard_error is nan"),
        (InspectionKind.PROCESSES, ["rows", 0, "pid"], None, "pid is None"),
        (InspectionKind.PROCESSES, ["rows", 0, "comm"], None, "comm is None"),
        (InspectionKind.PROCESSES, ["rows", 0, "cgroup"], [], "cgroup is []"),
        (InspectionKind.PROCESSES, ["rows", 0, "cmdline"], None, "cmdline is None"),
        (InspectionKind.PROCESSES, ["rows", 0, "ended"], 0, "ended is 0"),
        (InspectionKind.STACKS, ["rows", 0, "pid"], -1, "pid is -1"),
        (InspectionKind.STACKS, ["rows", 0, "pid"], True, "pid is True"),
        (InspectionKind.STACKS, ["rows", 0, "comm"], None, "comm is None"),
        (InspectionKind.STACKS, ["rows", 0, "ended"], "no", "ended is 'no'"),
        (InspectionKind.PROCESSES, ["rows", 0, "context"], "user", "context is 'user'"),
        (InspectionKind.ABOUT, ["about"], [], "about is []"),
        (InspectionKind.ABOUT, ["about", "aliases"], [None], "aliases is None"),
        (InspectionKind.ABOUT, ["about", "flags"], "poisoned", "flags is 'poisoned'"),
        (InspectionKind.ABOUT, ["about", "nodes"], [1], "nodes has 1, which is no pair"),
        (InspectionKind.ABOUT, ["about", "nodes"], [[1]], "nodes has [1], which is no pair"),
        (InspectionKind.ABOUT, ["about", "nodes"], [[1, 2, 3]], "nodes has [1, 2, 3], which is no pair"),
        (InspectionKind.ABOUT, ["about", "nodes"], [[0, "3"]], "nodes is '3'"),
        (InspectionKind.ABOUT, ["about", "nodes"], [[-1, 3]], "nodes is -1"),
        (InspectionKind.HELD, ["rows", 0, "held", "objects"], -1, "objects is -1"),
        (InspectionKind.HELD, ["rows", 0, "held", "ages"], [1], "ages is [1]"),
        (InspectionKind.HELD, ["rows", 0, "held", "oldest"], -1.5, "oldest is -1.5"),
        (InspectionKind.HELD, ["rows", 0, "held"], [], "held is []"),
        (InspectionKind.HELD, ["tracking"], 1, "tracking is 1"),
        (InspectionKind.HELD, ["tracking", "net"], 0.5, "net is 0.5"),
        (InspectionKind.ABOUT, ["about", "live"], -1, "live is -1"),
        (InspectionKind.ABOUT, ["about", "counts"], {}, "counts is {}"),
        (InspectionKind.ABOUT, ["about", "counts"], [3], "a count that is no object"),
        (InspectionKind.ABOUT, ["about", "counts", 0, "number"], -1, "number is -1"),
        (InspectionKind.ABOUT, ["about", "sites"], [{}], "bytes is missing"),
        (InspectionKind.ABOUT, ["about", "sites"], [{}] * 65, "sites has 65 members, and may have 64"),
        (InspectionKind.ABOUT, ["about", "mem"], 1.5, "mem is 1.5"),
    ],
)
def test_an_inspection_with_a_wrong_value_is_refused(
    kind: InspectionKind, path: list[Any], value: object, why: str
) -> None:
    found = inspected(kind)
    part = found["inspections"][0]
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert refusal(json.dumps(found)) == why


def test_the_texts_of_an_inspection_are_harmless_to_print() -> None:
    hostile, shown = "\x1b[2J\n\ud800", r"\x1b[2J\x0a\xed\xa0\x80"
    found = inspected(InspectionKind.PROCESSES)
    found["inspections"][0]["key"] = hostile
    found["inspections"][0]["rows"][0] |= {"comm": hostile, "cmdline": hostile, "cgroup": hostile}
    (inspection,) = loads(json.dumps(found)).inspections
    (row,) = inspection.rows
    assert (inspection.cache.name, row.comm, row.cmdline, row.cgroup) == (shown, shown, shown, shown)
    found = inspected(InspectionKind.STACKS)
    found["inspections"][0]["rows"][0]["frames"] = [hostile]
    assert loads(json.dumps(found)).inspections[0].rows[0].frames == (shown,)
    found = inspected(InspectionKind.ABOUT)
    found["inspections"][0]["about"] |= {"aliases": [hostile], "flags": [hostile]}
    about = loads(json.dumps(found)).inspections[0].about
    assert (about.aliases, about.flags) == ((shown,), (shown,))


@given(st.data(), st.sampled_from(InspectionKind))
def test_an_inspection_with_anything_in_it_is_a_snapshot_or_refused(data: st.DataObject, kind: InspectionKind) -> None:
    found = inspected(kind)
    inspection = found["inspections"][0]
    part = data.draw(
        st.sampled_from([inspection, inspection["about"] if kind is InspectionKind.ABOUT else inspection["rows"][0]])
    )
    part[data.draw(st.sampled_from(list(part)))] = data.draw(JSON_VALUES | st.sampled_from([*InspectionKind, *Context]))
    try:
        taken = loads(json.dumps(found))
    except SchemaError as error:
        demand_one_line(error)
        return
    assert loads(codec.dumps(taken, taken.rows)) == taken


@pytest.mark.parametrize("note", [None, 1, True, [], {}])
def test_a_note_that_is_no_text_is_refused(note: object) -> None:
    assert refusal(changed("notes", ["one", note])).startswith("a note is ")


@pytest.mark.parametrize("row", [None, 1, "dentry", [], True])
def test_a_cache_that_is_no_object_is_refused(row: object) -> None:
    assert refusal(changed("caches", [row])) == "a cache that is no object"


def test_a_long_command_line_is_read() -> None:
    found = inspected(InspectionKind.PROCESSES)
    found["inspections"][0]["rows"][0]["cmdline"] = "x" * 16_384
    assert len(loads(json.dumps(found)).inspections[0].rows[0].cmdline) == 16_384
    found["inspections"][0]["rows"][0]["cmdline"] += "x"
    assert refusal(json.dumps(found)) == "cmdline has 16385 characters, and may have 16384"


@pytest.mark.parametrize("value", ["slabtui/3", "slabtui/10", "slabtui", "", "x" * 10**6])
def test_a_schema_that_is_not_known_is_named_beside_the_one_that_is(value: str) -> None:
    why = refusal(changed("schema", value))
    assert value[:9] in why
    assert why.endswith("and this slabtui knows slabtui/1 and slabtui/2")


@pytest.mark.parametrize("line", ["null", "1", "[]", '"slabtui/1"', "{}", "true", '{"schema":1}', '{"schema":null}'])
def test_json_that_is_no_snapshot_is_refused(line: str) -> None:
    assert refusal(line) == "not a snapshot of slabtui"


@pytest.mark.parametrize(
    "line",
    ["", " ", "\n", "{", "slabtui", b"\x7fELF\x02\x01\x01\0", b"\xff", b"\xff\xfe{", b"\0", "9" * 5000, "[" * 10**5],
)
def test_what_is_not_json_is_refused(line: str | bytes) -> None:
    assert refusal(line).startswith("not JSON (")


@pytest.mark.parametrize("deep", [*range(900, 1001), 10**5])
def test_no_depth_of_a_field_is_too_much(deep: int) -> None:
    nested = "[" * deep + "]" * deep
    for name in ("notes", "lost", "caches"):
        line = json.dumps({**valid(), name: "HERE"}).replace('"HERE"', nested)
        refusal(line)


def test_an_address_is_hexadecimal() -> None:
    assert loads(changed("address", "0xffff888100000100")).rows[0].address == 0xFFFF888100000100
    assert loads(changed("address", "10")).rows[0].address == 16


def test_a_time_of_another_zone_is_the_same_time() -> None:
    assert loads(changed("time", "2025-11-24T20:06:13.603+01:00")).time == 1764011173.603


def test_what_an_event_costs_is_as_exact_as_it_is_written() -> None:
    taken = loads(changed("ns_per_event", 0.25))
    assert taken.nanoseconds == 0.2
    assert loads(codec.dumps(taken, taken.rows)) == taken


def test_an_interval_that_is_shorter_than_it_can_be_written_is_none() -> None:
    assert loads(changed("elapsed_s", 5e-324)).elapsed == 0


@pytest.mark.parametrize("name", ["name", "host", "kernel", "scope", "loadavg", "error"])
def test_no_text_of_a_line_has_anything_that_a_terminal_acts_upon(name: str) -> None:
    found = loads(changed(name, "\x1b[2J\ud800\u202e"))
    shown = {
        "name": found.rows[0].name,
        "host": found.origin.host,
        "kernel": found.origin.kernel,
        "scope": found.origin.scope,
        "loadavg": found.loadavg,
        "error": found.error,
    }[name]
    assert shown == r"\x1b[2J\xed\xa0\x80\u202e"
    assert loads(changed("notes", ["\x1b"])).notes == (r"\x1b",)
    assert loads(changed("grows_with", ["\x1b"])).rows[0].grows_with == (r"\x1b",)


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=2),
    st.dictionaries(st.sampled_from(ROW_FIELDS), JSON_VALUES, max_size=2),
)
def test_a_line_with_anything_in_it_is_a_snapshot_or_refused(values: dict[str, Any], of_a_row: dict[str, Any]) -> None:
    found = valid()
    found["caches"][0].update(of_a_row)
    found.update(values)
    try:
        taken = loads(json.dumps(found))
    except SchemaError as error:
        demand_one_line(error)
        return
    assert loads(codec.dumps(taken, taken.rows)) == taken
    assert taken.per_second(taken.bytes) < float("inf")
    assert (taken.cpu_share or 0) < float("inf")


@given(st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=3)), min_size=1, max_size=3))
def test_a_line_with_any_bytes_changed_is_a_snapshot_or_refused(changes: list[tuple[int, bytes]]) -> None:
    line = bytearray(json.dumps(valid()).encode())
    for at, put in changes:
        line[at : at + 1] = put
    try:
        loads(bytes(line))
    except SchemaError as error:
        demand_one_line(error)


def test_a_long_value_is_cut_in_the_refusal() -> None:
    assert refusal(changed("name", {f"a long key {number}": [2**600] * 9 for number in range(9)})).endswith("...")


@given(JSON_VALUES)
def test_any_other_json_is_refused(value: object) -> None:
    refusal(json.dumps(value))
