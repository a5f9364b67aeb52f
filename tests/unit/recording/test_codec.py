"""A snapshot as a line of JSON and back: nothing is lost, and what is no snapshot is told."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import caches
from slabtui.model.inspection import About, Context, Inspection, InspectionRow, Kind
from slabtui.model.snapshot import Origin, Snapshot
from slabtui.recording import codec
from slabtui.recording.codec import SchemaError
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import LOADAVG, cache, snapshot

HOSTILE = ["", '"', "a,b", "'", r"\\x1b[2J", "\\\\", "{}", "]", "名前", "e\u0301", "=1+1", "~a", " ", "null", "🦀" * 40]
TEXTS = st.sampled_from(HOSTILE) | st.binary(max_size=12).map(printable)
COUNTS = st.integers(0, 9) | st.integers(0, 2**64 - 1)
TEXT_TUPLES = st.lists(TEXTS, max_size=3).map(tuple)
ROWS = strategies.rows(TEXTS, TEXT_TUPLES, COUNTS)
SITES = st.builds(InspectionRow, COUNTS, COUNTS, COUNTS, COUNTS, frames=TEXT_TUPLES)
ERRORS = st.none() | st.integers(0, 2**40).map(lambda tenths: tenths / 10)
SAMPLED = st.builds(InspectionRow, COUNTS, COUNTS, COUNTS, COUNTS, frames=TEXT_TUPLES, standard_error=ERRORS)
PROCESSES = st.builds(
    InspectionRow,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    pid=COUNTS,
    comm=TEXTS,
    cgroup=TEXTS,
    context=st.sampled_from(Context),
)
ENTRIES = {Kind.CALLERS: SITES, Kind.STACKS: SAMPLED, Kind.PROCESSES: PROCESSES}
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
)
DETAILS = st.one_of(
    *(
        st.builds(
            Inspection,
            cache=TEXTS,
            kind=st.just(kind),
            look=COUNTS,
            one_in=COUNTS,
            lost=COUNTS,
            entries=st.lists(entries, max_size=3).map(tuple),
        )
        for kind, entries in ENTRIES.items()
    ),
    st.builds(Inspection, cache=TEXTS, kind=st.just(Kind.ABOUT), look=COUNTS, one_in=COUNTS, lost=COUNTS, about=ABOUTS),
)
SNAPSHOTS = st.builds(
    Snapshot,
    time=st.integers(0, 4_102_444_800_000).map(lambda ms: ms / 1000),
    elapsed=st.integers(0, 4_000_000_000).map(lambda us: us / 1e6),
    loadavg=st.just(LOADAVG) | TEXTS,
    rows=st.lists(ROWS, max_size=4).map(tuple),
    lost=st.none() | COUNTS,
    events=st.none() | COUNTS,
    nanoseconds=st.none() | st.integers(0, 10**7).map(lambda tenths: tenths / 10),
    bulk=st.none() | st.booleans(),
    detail=st.none() | DETAILS,
    error=st.none() | TEXTS,
    notes=st.lists(TEXTS, max_size=2).map(tuple),
    origin=st.builds(Origin, st.sampled_from(["live", "replay"]), TEXTS, TEXTS),
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
FIELDS = [
    "schema",
    "time",
    "elapsed_s",
    "source",
    "host",
    "kernel",
    "loadavg",
    "lost",
    "events",
    "ns_per_event",
    "bulk",
]
FIELDS += ["error", "notes", "caches", "detail"]
LATER = ["events", "ns_per_event", "bulk", "detail"]  # a line without them is older
NEEDED = [name for name in FIELDS if name not in ("source", *LATER)]  # whatever was measured, it is a replay now
ROW_FIELDS = ["name", "cache", "aliases", "object_size", "size", "allocs", "frees", "disagrees", "bytes", "approximate"]
ROW_FIELDS += ["live", "live_delta", "mem"]
LATER_OF_A_ROW = ["aliases", "frees", "disagrees", "live", "live_delta", "mem"]
NEEDED_OF_A_ROW = [name for name in ROW_FIELDS if name not in LATER_OF_A_ROW]


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


def refusal(line: str | bytes) -> str:
    """Return why a line is refused."""
    with pytest.raises(SchemaError) as caught:
        codec.loads(line)
    demand_one_line(caught.value)
    return str(caught.value)


@given(SNAPSHOTS)
def test_what_is_written_comes_back_as_a_replay_of_the_same(whole: Snapshot) -> None:
    line = codec.dumps(whole, whole.rows)
    assert "\n" not in line
    back = codec.loads(line)
    assert back == replace(whole, origin=replace(whole.origin, source="replay"))
    again = codec.dumps(back, back.rows)
    assert again == line.replace(f'"source":"{whole.origin.source}"', '"source":"replay"', 1)
    assert codec.loads(line.encode()) == back


def test_a_line_has_the_fields_that_are_documented_in_their_order() -> None:
    assert list(valid()) == FIELDS
    assert list(valid()["caches"][0]) == ROW_FIELDS
    assert list(codec.ALL_FIELDS) == ROW_FIELDS


def test_a_line_is_pure_ascii_without_spaces() -> None:
    whole = snapshot(cache(1, "名前"), time=1764011173.6034)
    line = codec.dumps(whole, whole.rows)
    assert line == (
        '{"schema":"slabtui/1","time":"2025-11-24T19:06:13.603Z","elapsed_s":1.0,"source":"live","host":"","kernel":"",'
        '"loadavg":"0.38 0.21 0.12 1/342 13297","lost":0,"events":null,"ns_per_event":null,"bulk":null,"error":null,'
        '"notes":[],"caches":[{"name":"\\u540d\\u524d","cache":"0xffff888100000100","aliases":[],"object_size":64,'
        '"size":64,"allocs":0,"frees":null,"disagrees":null,"bytes":0,"approximate":false,"live":null,'
        '"live_delta":null,"mem":null}],"detail":null}'
    )


def test_only_the_rows_that_are_asked_for_are_written_with_all_their_fields() -> None:
    rows = (cache(1, "a", allocs=1), cache(2, "b", allocs=2))
    (written,) = json.loads(codec.dumps(snapshot(*rows), rows[1:]))["caches"]
    assert tuple(written) == codec.ALL_FIELDS
    assert (written["name"], written["cache"], written["allocs"]) == ("b", "0xffff888100000200", 2)


def test_fields_of_columns_stand_in_their_order() -> None:
    names = codec.fields([caches.BY_ID["allocs"], caches.NAME])
    assert names == ("allocs", "name", "cache", "aliases")
    assert codec.values(replace(cache(2, "b", allocs=2), aliases=("c",)), names) == {
        "allocs": 2,
        "name": "b",
        "cache": "0xffff888100000200",
        "aliases": ("c",),
    }


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


def test_a_field_of_a_later_version_is_passed_over() -> None:
    found = valid()
    found["more"] = found["caches"][0]["more"] = [{"even": "this"}]
    assert codec.loads(json.dumps(found)) == codec.loads(json.dumps(valid()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 1) for name in ("time", "host", "kernel", "loadavg", "error", "notes", "caches", "name", "cache")),
        *((name, None) for name in ("time", "elapsed_s", "host", "kernel", "loadavg", "notes", "caches", "name")),
        *((name, None) for name in ("cache", "allocs", "bytes", "approximate")),
        *((name, True) for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size", "name", "error")),
        *(
            (name, True)
            for name in ("events", "ns_per_event", "frees", "live", "live_delta", "mem", "aliases", "detail")
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
        ("detail", []),
        ("detail", "callers"),
        *((name, "1") for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size", "notes", "caches")),
        *((name, 1.0) for name in ("lost", "allocs", "bytes", "size", "object_size")),
        *((name, {}) for name in ("time", "elapsed_s", "notes", "caches", "name", "cache", "approximate")),
        *((name, -1) for name in ("elapsed_s", "lost", "allocs", "bytes", "size", "object_size")),
        *((name, 2**64) for name in ("lost", "allocs", "bytes", "size", "object_size")),
        *(("elapsed_s", value) for value in (float("nan"), float("inf"), -float("inf"), 10**400, -1e-3)),
        ("approximate", 0),
        ("cache", ""),
        ("cache", "0xg"),
        ("cache", "dentry"),
        ("cache", "-0x1"),
        ("cache", "0x1" + "0" * 16),
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


def test_a_line_of_an_older_slabtui_knows_nothing_of_what_came_later() -> None:
    whole = snapshot(
        replace(cache(1), frees=1, live=2, live_delta=1, mem=3, disagrees=True, aliases=("a",)),
        events=5,
        nanoseconds=1.5,
        bulk=True,
        detail=Inspection("cache-1", Kind.CALLERS),
    )
    found = json.loads(codec.dumps(whole, whole.rows))
    for name in LATER:
        del found[name]
    for name in LATER_OF_A_ROW:
        del found["caches"][0][name]
    assert codec.loads(json.dumps(found)) == snapshot(cache(1), origin=Origin("replay"))


LATER_OF_AN_ENTRY = {"standard_error"}
FRAMES = InspectionRow(1, 64, 3, 192, frames=("kmem_cache_alloc", "getname_flags", "do_sys_open"))
PROCESS = InspectionRow(1, 64, 3, 192, pid=7, comm="kswapd0", cgroup="/a", context=Context.KERNEL_THREAD)
ABOUT = About(("x",), 192, 200, 21, 4096, ("reclaimable",), ((0, 3), (1, 4)), 5, 8192)
LOOKS = {
    Kind.CALLERS: Inspection("dentry", Kind.CALLERS, 2, 1, 5, (FRAMES,)),
    Kind.STACKS: Inspection("dentry", Kind.STACKS, 2, 9, 5, (replace(FRAMES, standard_error=4.94),)),
    Kind.PROCESSES: Inspection("dentry", Kind.PROCESSES, 2, 1, 5, (PROCESS,)),
    Kind.ABOUT: Inspection("dentry", Kind.ABOUT, about=ABOUT),
}


def looked(kind: Kind) -> dict[str, Any]:
    """Return a line, parsed, that has a close look in it."""
    found: dict[str, Any] = json.loads(codec.dumps(snapshot(detail=LOOKS[kind]), ()))
    return found


def test_a_look_has_the_fields_that_are_documented_for_its_kind() -> None:
    amounts = {"allocs": 1, "bytes": 64, "total_allocs": 3, "total_bytes": 192}
    site = {"frames": ["kmem_cache_alloc", "getname_flags", "do_sys_open"], **amounts}
    process = {"pid": 7, "comm": "kswapd0", "cgroup": "/a", "context": "kernel thread", **amounts}
    begins = {"cache": "dentry", "look": 2, "lost": 5}
    assert looked(Kind.CALLERS)["detail"] == {**begins, "kind": "callers", "one_in": 1, "entries": [site]}
    sampled = {**site, "standard_error": 4.9}
    assert looked(Kind.STACKS)["detail"] == {**begins, "kind": "stacks", "one_in": 9, "entries": [sampled]}
    assert looked(Kind.PROCESSES)["detail"] == {**begins, "kind": "processes", "one_in": 1, "entries": [process]}
    assert looked(Kind.ABOUT)["detail"] == {
        "cache": "dentry",
        "kind": "about",
        "look": 1,
        "one_in": 1,
        "lost": 0,
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
        },
    }


def test_stacks_of_an_older_recording_have_no_standard_error() -> None:
    found = looked(Kind.STACKS)
    del found["detail"]["entries"][0]["standard_error"]
    detail = codec.loads(json.dumps(found)).detail
    assert detail is not None
    assert [entry.standard_error for entry in detail.entries] == [None]
    assert detail.entries[0].total_allocs == 3


@pytest.mark.parametrize("kind", Kind)
def test_a_look_without_one_of_its_fields_is_refused_and_the_field_named(kind: Kind) -> None:
    whole = looked(kind)["detail"]
    parts = [whole, whole["about"] if kind is Kind.ABOUT else whole["entries"][0]]
    assert all(len(part) > 4 for part in parts)
    for which, part in enumerate(parts):
        for name in part.keys() - LATER_OF_AN_ENTRY:
            found = looked(kind)
            look = found["detail"]
            del (look, look["about"] if kind is Kind.ABOUT else look["entries"][0])[which][name]
            assert refusal(json.dumps(found)) == f"{name} is missing"


@pytest.mark.parametrize(
    ("kind", "path", "value", "why"),
    [
        (Kind.CALLERS, ["kind"], "calls", "kind is 'calls'"),
        (Kind.CALLERS, ["kind"], 1, "kind is 1"),
        (Kind.CALLERS, ["kind"], "processes", "pid is missing"),
        (Kind.PROCESSES, ["kind"], "stacks", "frames is missing"),
        (Kind.CALLERS, ["kind"], "about", "about is missing"),
        (Kind.ABOUT, ["kind"], "callers", "entries is missing"),
        (Kind.CALLERS, ["cache"], 1, "cache is 1"),
        (Kind.CALLERS, ["look"], -1, "look is -1"),
        (Kind.CALLERS, ["look"], True, "look is True"),
        (Kind.STACKS, ["one_in"], 2.5, "one_in is 2.5"),
        (Kind.STACKS, ["one_in"], 2**64, f"one_in is {2**64}"),
        (Kind.STACKS, ["lost"], None, "lost is None"),
        (Kind.STACKS, ["entries"], {}, "entries is {}"),
        (Kind.STACKS, ["entries"], [[]], "an entry that is no object"),
        (Kind.STACKS, ["entries", 0, "frames"], "f", "frames is 'f'"),
        (Kind.STACKS, ["entries", 0, "frames"], ["f", 1], "frames is 1"),
        (Kind.STACKS, ["entries", 0, "allocs"], -1, "allocs is -1"),
        (Kind.STACKS, ["entries", 0, "total_bytes"], "1", "total_bytes is '1'"),
        (Kind.STACKS, ["entries", 0, "standard_error"], "1", "standard_error is '1'"),
        (Kind.STACKS, ["entries", 0, "standard_error"], -0.5, "standard_error is -0.5"),
        (Kind.STACKS, ["entries", 0, "standard_error"], 2**64, f"standard_error is {2**64}"),
        (Kind.STACKS, ["entries", 0, "standard_error"], float("nan"), "standard_error is nan"),
        (Kind.PROCESSES, ["entries", 0, "pid"], None, "pid is None"),
        (Kind.PROCESSES, ["entries", 0, "comm"], None, "comm is None"),
        (Kind.PROCESSES, ["entries", 0, "cgroup"], [], "cgroup is []"),
        (Kind.PROCESSES, ["entries", 0, "context"], "user", "context is 'user'"),
        (Kind.ABOUT, ["about"], [], "about is []"),
        (Kind.ABOUT, ["about", "aliases"], [None], "aliases is None"),
        (Kind.ABOUT, ["about", "flags"], "poisoned", "flags is 'poisoned'"),
        (Kind.ABOUT, ["about", "nodes"], [1], "a node is 1"),
        (Kind.ABOUT, ["about", "nodes"], [[1]], "a node that is no pair"),
        (Kind.ABOUT, ["about", "nodes"], [[1, 2, 3]], "a node that is no pair"),
        (Kind.ABOUT, ["about", "nodes"], [[0, "3"]], "slabs is '3'"),
        (Kind.ABOUT, ["about", "nodes"], [[-1, 3]], "node is -1"),
        (Kind.ABOUT, ["about", "live"], -1, "live is -1"),
        (Kind.ABOUT, ["about", "mem"], 1.5, "mem is 1.5"),
    ],
)
def test_a_look_with_a_wrong_value_is_refused(kind: Kind, path: list[Any], value: object, why: str) -> None:
    found = looked(kind)
    part = found["detail"]
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert refusal(json.dumps(found)) == why


def test_the_texts_of_a_look_are_harmless_to_print() -> None:
    hostile, shown = "\x1b[2J\n\ud800", r"\x1b[2J\x0a\xed\xa0\x80"
    found = looked(Kind.PROCESSES)
    found["detail"]["cache"] = hostile
    found["detail"]["entries"][0] |= {"comm": hostile, "cgroup": hostile}
    look = codec.loads(json.dumps(found)).detail
    assert (look.cache, look.entries[0].comm, look.entries[0].cgroup) == (shown, shown, shown)
    found = looked(Kind.STACKS)
    found["detail"]["entries"][0]["frames"] = [hostile]
    assert codec.loads(json.dumps(found)).detail.entries[0].frames == (shown,)
    found = looked(Kind.ABOUT)
    found["detail"]["about"] |= {"aliases": [hostile], "flags": [hostile]}
    about = codec.loads(json.dumps(found)).detail.about
    assert (about.aliases, about.flags) == ((shown,), (shown,))


@given(st.data(), st.sampled_from(Kind))
def test_a_look_with_anything_in_it_is_a_snapshot_or_refused(data: st.DataObject, kind: Kind) -> None:
    found = looked(kind)
    look = found["detail"]
    part = data.draw(st.sampled_from([look, look["about"] if kind is Kind.ABOUT else look["entries"][0]]))
    part[data.draw(st.sampled_from(list(part)))] = data.draw(JSON_VALUES | st.sampled_from([*Kind, *Context]))
    try:
        taken = codec.loads(json.dumps(found))
    except SchemaError as error:
        demand_one_line(error)
        return
    assert codec.loads(codec.dumps(taken, taken.rows)) == taken


@pytest.mark.parametrize("note", [None, 1, True, [], {}])
def test_a_note_that_is_no_text_is_refused(note: object) -> None:
    assert refusal(changed("notes", ["one", note])).startswith("a note is ")


@pytest.mark.parametrize("row", [None, 1, "dentry", [], True])
def test_a_cache_that_is_no_object_is_refused(row: object) -> None:
    assert refusal(changed("caches", [row])) == "a cache that is no object"


@pytest.mark.parametrize("value", ["slabtui/2", "slabtui/10", "slabtui", "", "x" * 10**6])
def test_a_schema_that_is_not_known_is_named_beside_the_one_that_is(value: str) -> None:
    why = refusal(changed("schema", value))
    assert value[:9] in why
    assert why.endswith("and this slabtui knows slabtui/1")


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


def test_the_identity_of_a_cache_is_hexadecimal() -> None:
    assert codec.loads(changed("cache", "0xffff888100000100")).rows[0].cache == 0xFFFF888100000100
    assert codec.loads(changed("cache", "10")).rows[0].cache == 16
    assert codec.values(cache(1), ["cache"]) == {"cache": "0xffff888100000100"}


def test_a_time_of_another_zone_is_the_same_time() -> None:
    assert codec.loads(changed("time", "2025-11-24T20:06:13.603+01:00")).time == 1764011173.603


def test_what_an_event_costs_is_as_exact_as_it_is_written() -> None:
    taken = codec.loads(changed("ns_per_event", 0.25))
    assert taken.nanoseconds == 0.2
    assert codec.loads(codec.dumps(taken, taken.rows)) == taken


def test_an_interval_that_is_shorter_than_it_can_be_written_is_none() -> None:
    assert codec.loads(changed("elapsed_s", 5e-324)).elapsed == 0


@pytest.mark.parametrize("name", ["name", "host", "kernel", "loadavg", "error"])
def test_a_terminal_has_nothing_to_act_upon_in_a_text_that_anyone_may_have_written(name: str) -> None:
    found = codec.loads(changed(name, "\x1b[2J\ud800\u202e"))
    shown = {
        "name": found.rows[0].name,
        "host": found.origin.host,
        "kernel": found.origin.kernel,
        "loadavg": found.loadavg,
        "error": found.error,
    }[name]
    assert shown == r"\x1b[2J\xed\xa0\x80\u202e"
    assert codec.loads(changed("notes", ["\x1b"])).notes == (r"\x1b",)


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=2),
    st.dictionaries(st.sampled_from(ROW_FIELDS), JSON_VALUES, max_size=2),
)
def test_a_line_with_anything_in_it_is_a_snapshot_or_refused(values: dict[str, Any], of_a_row: dict[str, Any]) -> None:
    found = valid()
    found["caches"][0].update(of_a_row)
    found.update(values)
    try:
        taken = codec.loads(json.dumps(found))
    except SchemaError as error:
        demand_one_line(error)
        return
    assert codec.loads(codec.dumps(taken, taken.rows)) == taken
    assert taken.per_second(taken.bytes) < float("inf")
    assert (taken.cpu_share or 0) < float("inf")


@given(st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=3)), min_size=1, max_size=3))
def test_a_line_with_any_bytes_changed_is_a_snapshot_or_refused(changes: list[tuple[int, bytes]]) -> None:
    line = bytearray(json.dumps(valid()).encode())
    for at, put in changes:
        line[at : at + 1] = put
    try:
        codec.loads(bytes(line))
    except SchemaError as error:
        demand_one_line(error)


def test_a_long_value_is_cut_in_the_refusal() -> None:
    assert refusal(changed("name", {f"a long key {number}": [2**600] * 9 for number in range(9)})).endswith("...")


@given(JSON_VALUES)
def test_any_other_json_is_refused(value: object) -> None:
    refusal(json.dumps(value))
