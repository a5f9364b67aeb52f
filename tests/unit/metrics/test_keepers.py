"""The series of what is held: few, with labels of bounded length that seldom change, and only while it is held."""

import string
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from slabtui.metrics.families import Families, registry
from slabtui.metrics.keepers import MOST, Keepers, KeeperSeries, list_doubts
from slabtui.metrics.series import Exposed
from slabtui.model.held import Held, Tracking
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording.addresses import AddressHider
from slabtui.text import printable
from tests.support.fakes import snapshot

ENTRY = ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
EVENT = ("kmem_cache_alloc_noprof", "alloc_empty_file", "alloc_file_pseudo", "do_eventfd", "__x64_sys_eventfd2", *ENTRY)
OPEN = ("kmem_cache_alloc_noprof", "alloc_empty_file", "path_openat", "do_sys_openat2", "__x64_sys_openat", *ENTRY)
CONTAINER = "/system.slice/docker-" + "3f" * 32 + ".scope"


def holds(
    frames: tuple[str, ...], objects: int, comm: str = "python3", error: float = 0.0, **more: object
) -> InspectionRow:
    return InspectionRow(frames=frames, comm=comm, held=Held(objects, 64 * objects, error), **{"pid": 7, **more})


def held(*rows: InspectionRow, name: str = "filp", generation: int = 1, doubt: str = "") -> Inspection:
    tracking = Tracking(live_began=0, live=9, doubt=doubt)
    return Inspection(CacheKey(KeyKind.CACHE, name, generation), InspectionKind.HELD, rows=rows, tracking=tracking)


def tracked(*rows: InspectionRow) -> Snapshot:
    return snapshot(inspections=(held(*rows),))


def amounts(series: Sequence[KeeperSeries]) -> dict[str, int]:
    """Return what each stack holds."""
    return {one.stack: one.objects for one in series}


def test_a_stack_has_one_series_with_who_holds_most_of_it_and_where() -> None:
    rows = (
        holds(EVENT, 40, "worker", pid=8, cgroup=CONTAINER),
        holds(EVENT, 30, "worker", pid=9, cgroup=CONTAINER),
        holds(EVENT, 50, "other", cgroup="/system.slice/cron.service"),
        holds(OPEN, 5, cgroup="/"),
    )
    first, second = Keepers().add(tracked(*rows))
    assert (first.cache, first.comm, first.place, first.objects) == ("filp", "worker", "3f3f3f3f3f3f", 120)
    assert first.stack == "alloc_file_pseudo < do_eventfd < __x64_sys_eventfd2"  # not what both have
    assert (second.comm, second.place, second.objects) == ("python3", "", 5)
    assert len(first.keeper) == 12
    assert set(first.keeper) <= set(string.hexdigits)
    assert first.keeper == Keepers().add(tracked(*rows[:1]))[0].keeper != second.keeper  # another run, another host


def test_kernel_threads_and_interrupts_are_named_as_on_the_screen() -> None:
    rows = (holds(OPEN, 2, "kworker", context=Context.KERNEL_THREAD), holds(EVENT, 1, context=Context.INTERRUPT))
    assert [one.comm for one in Keepers().add(tracked(*rows))] == ["[kworker]", "(interrupts)"]


def test_few_stacks_have_series_and_they_stay_while_they_are_near_the_first() -> None:
    keepers, stacks = Keepers(), [("alloc", letter) for letter in string.ascii_lowercase[: 3 * MOST]]

    def add(first: int, objects: int) -> set[str]:
        """Let one stack hold this much, and the others less and less."""
        rows = [holds(stack, objects if place == first else 200 - place) for place, stack in enumerate(stacks)]
        return set(amounts(keepers.add(tracked(*rows))))

    assert add(0, 1000) == set("abcde")
    assert add(9, 1000) == set("abcdej")  # e is the sixth now
    assert add(9, 197) == set("abcdej")
    assert add(9, 1) == set("abcde")


def test_the_labels_of_a_keeper_do_not_change_with_the_others() -> None:
    keepers = Keepers()
    (alone,) = keepers.add(tracked(holds(EVENT, 10, "a"), holds(EVENT, 9, "b")))
    both = keepers.add(tracked(holds(EVENT, 10, "a"), holds(EVENT, 15, "b"), holds(OPEN, 1)))
    assert "do_syscall_64" in alone.stack
    assert (both[0].stack, both[0].comm) == (alone.stack, "a")
    assert keepers.add(tracked(holds(EVENT, 10, "a"), holds(EVENT, 21, "b")))[0].comm == "b"


def test_what_is_not_held_any_more_has_no_series() -> None:
    keepers = Keepers()
    assert keepers.add(tracked(holds(EVENT, 10)))
    assert keepers.add(tracked(holds(EVENT, 0))) == ()
    assert keepers.add(tracked(holds(EVENT, 10)))
    assert keepers.add(snapshot()) == ()


def test_an_interval_without_a_reading_changes_nothing() -> None:
    keepers = Keepers()
    before = keepers.add(tracked(holds(EVENT, 10)))
    assert keepers.add(snapshot(elapsed=0.0, error="gone")) == before


def test_what_is_uncertain_is_not_exposed() -> None:
    assert Keepers().add(tracked(holds(EVENT, 64, error=63.0))) == ()
    doubted = snapshot(inspections=(held(holds(EVENT, 10), doubt="about 7 frees have no event"),))
    assert Keepers().add(doubted) == ()
    why = "what is held of filp is not exposed, because it cannot be trusted: slabtui --held filp says why"
    assert list_doubts(doubted) == (why,)
    assert list_doubts(tracked(holds(EVENT, 10))) == ()


def test_two_caches_of_one_name_are_one() -> None:
    keys = [CacheKey(KeyKind.CACHE, "a", generation) for generation in (1, 2)]
    rows = [CacheRow(cache, "b") for cache in keys]
    both = [held(holds(EVENT, 3 * key.generation), name="a", generation=key.generation) for key in keys]
    (one,) = Keepers().add(snapshot(*rows, inspections=tuple(both)))
    assert (one.cache, one.objects) == ("b", 9)


FUNCTIONS = st.text(string.ascii_letters + "_é", min_size=1, max_size=90) | st.just("0xffffffff81234567")
NAMES = st.binary(max_size=15).map(printable)
ROWS = st.lists(
    st.builds(
        holds,
        st.lists(FUNCTIONS, min_size=1, max_size=6).map(tuple),
        st.integers(0, 10**6),
        NAMES,
        error=st.sampled_from((0.0, 1.0, 10**6)),
        cgroup=st.lists(st.binary(max_size=200).map(printable), max_size=9).map(lambda parts: "/" + "/".join(parts)),
        removed=st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_labels_are_bounded_and_harmless_whatever_names_there_are(intervals: list[list[InspectionRow]]) -> None:
    keepers, families, hide = Keepers(), Families("1"), AddressHider()
    for rows in intervals:
        series = keepers.add(hide(tracked(*rows)))
        assert len(series) <= 2 * MOST
        assert all(len(one.stack) <= 120 and len(one.comm) <= 62 and len(one.place) <= 53 for one in series)
        assert all(one.objects > 0 and "0xffff" not in one.stack for one in series)
        families.exposed = Exposed(keepers=series)
        found = {one.name: one.samples for one in parse_text(generate_latest(registry(families)).decode())}
        values = {one.labels["keeper"]: one.value for one in found.get("slabtui_held_objects", [])}
        assert values == {one.keeper: one.objects for one in series}
        labels = [one.labels for one in found.get("slabtui_held_info", [])]
        assert [one["stack"] for one in labels] == [one.stack for one in series]
        assert [one["place"] for one in labels] == [one.place for one in series]
