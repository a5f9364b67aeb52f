"""Requests for inspections: begun once the cache is known, ended when it is destroyed, each with its own number."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache
from slabtui.kernel.inspect import Inspector
from slabtui.kernel.inspections import Inspections
from slabtui.kernel.part import Part
from slabtui.kernel.procfs import kernel_sites, side_counts
from slabtui.kernel.procfs.slabinfo import Slabinfo
from slabtui.kernel.rows import Rows
from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import ON_PAGE, InspectionKind, InspectionReading, InspectionTotals
from slabtui.model.request import InspectionRequest
from tests.unit.kernel.test_rows import AT_DENTRYS, DENTRY, SLAB, counted

DENTRY_KEY = CacheKey(KeyKind.CACHE, "dentry")
SIZE = DENTRY.size
CALLERS, ABOUT = InspectionKind.CALLERS, InspectionKind.ABOUT
ALL = tuple(kind for kind in ON_PAGE if kind is not InspectionKind.HELD)


class FakeInspector(Part[tuple[InspectionReading, ...]]):
    """An inspector without programs, which remembers what it was to inspect."""

    def __init__(self) -> None:
        self.aims: list[tuple[CacheKey, Cache, Sequence[InspectionKind], int]] = []
        self.paces: list[tuple[int, float]] = []
        self.refusal: SlabtuiError | None = None
        self._attached = False

    @property
    def modules(self) -> Sequence[Module]:
        return ()

    @property
    def descriptors(self) -> Sequence[int]:
        return (7,) if self._attached else ()

    def aim(self, key: CacheKey, cache: Cache, kinds: Sequence[InspectionKind], number: int) -> None:
        self.aims.append((key, cache, kinds, number))

    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        self.paces.append((allocs, seconds))

    def attach(self, settings: Settings) -> None:
        if self.refusal:
            raise self.refusal
        self._attached = True

    def detach(self) -> None:
        self._attached = False

    def put(self, settings: Settings) -> None:
        pass

    def read(self) -> tuple[InspectionReading, ...]:
        key, _, kinds, number = self.aims[-1]
        rows = (InspectionTotals(("f",), total_allocs=3),)
        return tuple(InspectionReading(key, kind, number, rows=rows) for kind in kinds)


class Bench:
    """Inspections with a part that is compiled at once, and rows that the test makes."""

    def __init__(self, nowhere: Path) -> None:
        self.inspector, self.rows, self.settings = FakeInspector(), Rows(), Settings()
        self.learned = 0
        self.list: dict[str, Cache] = {}
        self.compiled = threading.Event()
        self.compiled.set()
        self.inspections = Inspections(
            ALL,
            cast(Callable[[], Inspector], self._compile),
            lambda: None,
            lambda part: None,
            rows=self.rows,
            slabinfo=Slabinfo(nowhere, nowhere),
            learn=self._learn,
        )

    def _learn(self) -> None:
        self.learned += 1
        self.rows.listed = self.list

    def _compile(self) -> FakeInspector:
        self.compiled.wait()
        return self.inspector

    def request(self, cache: CacheKey | str | None, *kinds: InspectionKind) -> None:
        wanted = None if cache is None else InspectionRequest(cache, kinds or (CALLERS,))
        self.inspections.request(wanted, self.settings)
        if self.compiled.is_set():
            self.finish_compiling()

    def finish_compiling(self) -> None:
        self.compiled.set()
        self.inspections.part.wait()
        self.inspections.part.advance(self.settings)

    def read_all(self) -> tuple[InspectionReading, ...]:
        """Read, and begin an interval."""
        readings = self.inspections.read({})
        self.inspections.end_interval(self.settings)
        return readings

    def read(self) -> InspectionReading | None:
        """Do the same where one kind is inspected at most."""
        readings = self.read_all()
        assert len(readings) <= 1
        return readings[0] if readings else None

    @property
    def inspected(self) -> list[tuple[str, int]]:
        """Key and address of what was inspected, in order."""
        return [(str(key), cache.address) for key, cache, *_ in self.inspector.aims]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "nothing")


def test_a_cache_that_was_counted_is_inspected_at_once(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY)
    assert bench.inspected == [("dentry", DENTRY.address)]
    assert bench.learned == 0
    reading = bench.read()
    assert reading is not None
    assert (reading.cache, reading.trouble, len(reading.rows)) == (DENTRY_KEY, "", 1)


def test_what_the_kernel_counts_beside_a_cache_has_its_number_when_the_inspection_began(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter((7, 9, 12))
    monkeypatch.setattr(side_counts, "read", lambda names, hierarchy: {"unused": next(numbers)})
    bench.rows.merge(counted({DENTRY: 1}))
    for expected in ([(7, 7), (9, 7)], [(12, 12)]):
        bench.request(DENTRY_KEY, ABOUT)
        for number, began in expected:
            reading = bench.read()
            assert reading is not None
            assert reading.about is not None
            assert reading.about.counts == (SideCount("unused", number, began),)


def test_the_code_that_the_kernel_knows_is_that_of_the_call_sites(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = KernelSite("slab_debug", 2, 2 * SIZE, ("f", "g"))
    sites = [KernelSite("/proc/allocinfo", 3, 3 * SIZE, (name,)) for name in ("f", "g")]
    reads = []
    monkeypatch.setattr(kernel_sites, "read_traces", lambda name, size: reads.append((name, size)) or (traced,))
    monkeypatch.setattr(kernel_sites, "read_allocinfo", lambda: tuple(sites))
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY, CALLERS, ABOUT)
    for _ in range(2):
        _, about = bench.read_all()
        assert about.about is not None
        assert about.about.sites == (traced, sites[0])
    assert reads == [("dentry", SIZE)]


@pytest.mark.parametrize("wanted", ["dentry", DENTRY_KEY])
def test_an_idle_cache_is_inspected_where_the_kernels_list_says(bench: Bench, wanted: CacheKey | str) -> None:
    bench.list = {"dentry": DENTRY}
    bench.rows.merge(counted({}), {"dentry": SLAB})
    bench.request(wanted)
    assert bench.inspected == [("dentry", DENTRY.address)]
    assert bench.learned == 1


@pytest.mark.parametrize("wanted", ["dentry", DENTRY_KEY])
def test_an_idle_cache_that_is_not_listed_is_inspected_from_its_first_allocation_on(
    bench: Bench, wanted: CacheKey | str
) -> None:
    bench.rows.merge(counted({}), {"dentry": SLAB})
    bench.request(wanted)
    waiting = bench.read()
    assert waiting is not None
    assert (waiting.cache, waiting.rows, waiting.trouble) == (DENTRY_KEY, (), "")
    assert (bench.inspected, bench.learned) == ([], 1)
    bench.rows.merge(counted({DENTRY: 1}), {"dentry": SLAB})
    bench.read()
    assert (bench.inspected, bench.learned) == ([("dentry", DENTRY.address)], 1)


def test_a_cache_without_a_row_is_inspected_and_its_reading_waits_for_the_row(bench: Bench) -> None:
    """As with -p, where only what was counted has rows."""
    bench.list = {"dentry": DENTRY}
    bench.request("dentry")
    assert bench.inspected == [("dentry", DENTRY.address)]
    assert bench.read() is None
    bench.rows.merge(counted({DENTRY: 1}))
    reading = bench.read()
    assert reading is not None
    assert reading.cache == DENTRY_KEY


def test_the_inspection_ends_when_another_cache_is_at_the_address_and_what_it_found_stays(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY)
    bench.read()
    bench.rows.merge(counted({AT_DENTRYS: 2}, epoch=2))
    bench.read()
    assert not bench.inspections.part.attached
    ended = bench.read()
    assert ended is not None
    assert (ended.cache, ended.trouble, len(ended.rows)) == (DENTRY_KEY, "the cache was destroyed", 1)
    assert bench.inspected == [("dentry", DENTRY.address)]


def test_a_refusal_is_the_trouble_of_the_reading_and_is_not_tried_again_until_it_is_requested(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.inspector.refusal = SlabtuiError("refused", "see dmesg")
    bench.request(DENTRY_KEY)
    for _ in range(2):
        reading = bench.read()
        assert reading is not None
        assert (reading.trouble, reading.rows) == ("refused: see dmesg", ())
    assert len(bench.inspected) == 1
    bench.inspector.refusal = None
    bench.request(DENTRY_KEY, InspectionKind.STACKS)
    assert bench.inspections.part.attached


def test_each_request_has_a_number_and_one_that_ends_has_none(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    numbers = []
    for kind in ALL:
        bench.request(DENTRY_KEY, kind)
        reading = bench.read()
        assert reading is not None
        assert reading.kind is kind
        numbers.append(reading.number)
    assert numbers == [1, 2, 3, 4]
    bench.request(None)
    assert bench.read() is None
    assert not bench.inspections.part.attached


def test_all_kinds_count_together_with_one_number_and_as_they_were_requested(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY)
    bench.request(DENTRY_KEY, *ALL)
    readings = bench.read_all()
    assert [(reading.kind, reading.number, reading.trouble) for reading in readings] == [(kind, 2, "") for kind in ALL]
    assert [len(reading.rows) for reading in readings] == [1, 1, 1, 0]
    assert bench.inspector.aims[-1][2] == ALL[:-1]
    assert len(bench.inspector.aims) == 2  # they begin together


@pytest.mark.parametrize("kinds", [(CALLERS,), (InspectionKind.STACKS, ABOUT)])
def test_only_the_kinds_that_were_requested_are_counted(bench: Bench, kinds: tuple[InspectionKind, ...]) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY, *kinds)
    assert bench.inspector.aims[-1][2] == kinds[:1]
    assert tuple(reading.kind for reading in bench.read_all()) == kinds


def test_what_the_kernel_says_of_a_cache_is_there_while_the_programs_are_compiled(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.compiled.clear()
    bench.request(DENTRY_KEY, *ALL)
    (about,) = bench.read_all()
    assert about.about is not None
    assert (about.kind, about.number) == (ABOUT, 1)
    bench.finish_compiling()
    assert [(reading.kind, reading.number) for reading in bench.read_all()] == [(kind, 1) for kind in ALL]


def test_a_refusal_is_the_trouble_of_every_kind_that_programs_count(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.inspector.refusal = SlabtuiError("refused", "see dmesg")
    bench.request(DENTRY_KEY, *ALL)
    assert [reading.trouble for reading in bench.read_all()] == ["refused: see dmesg"] * 3 + [""]


def test_all_kinds_end_with_their_cache(bench: Bench) -> None:
    bench.rows.merge(counted({DENTRY: 1}))
    bench.request(DENTRY_KEY, *ALL)
    bench.rows.merge(counted({AT_DENTRYS: 2}, epoch=2))
    bench.read_all()
    readings = bench.read_all()
    assert [reading.trouble for reading in readings] == ["the cache was destroyed"] * 3 + [""]
    assert [len(reading.rows) for reading in readings] == [1, 1, 1, 0]


def test_stacks_are_paced_by_what_the_cache_allocated_in_the_last_interval(bench: Bench) -> None:
    for allocs in (100, 150):
        bench.rows.merge(counted({DENTRY: allocs}))
        bench.read()
    bench.request(DENTRY_KEY, InspectionKind.STACKS)
    bench.rows.merge(counted({DENTRY: 180}))
    bench.read()
    assert [allocs for allocs, _ in bench.inspector.paces] == [50, 30]
    assert all(seconds > 0 for _, seconds in bench.inspector.paces)


def test_what_is_about_a_cache_needs_no_programs(bench: Bench) -> None:
    bench.rows.merge(counted({}), {"dentry": SLAB})
    bench.request("dentry", InspectionKind.ABOUT)
    (reading,) = bench.inspections.read({"dentry": SLAB})
    assert reading.about is not None
    assert (reading.cache, reading.about.live, bench.inspected) == (DENTRY_KEY, SLAB.live, [])
