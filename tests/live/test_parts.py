"""The probe's parts together: the trouble of one stays and does not stop another; keys stay too."""

import os
import socket
from collections.abc import Iterator, Mapping

import pytest

from slabtui.kernel import frees, inspect
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.overhead import Overhead
from slabtui.kernel.probe import Probe
from slabtui.kernel.tracers import Tracers
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import ON_PAGE, InspectionKind
from slabtui.model.request import InspectionRequest, Request
from tests.support.probes import find, inspecting, interval, probing, read, request
from tests.support.workload import workload

pytestmark = pytest.mark.live

CALLS = 1000
QUIET, BURST = "RAW", 150  # the cache of raw sockets
NO_EVENT = "cannot attach to the tracepoint no_such_event"
CALLERS = InspectionKind.CALLERS


@pytest.fixture
def no_frees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the kernel refuse to attach the programs that count frees: their tracepoint does not exist."""

    def elsewhere(context: BuildContext, module: Module, handlers: Mapping[str, str]) -> Tracers:
        return Tracers(context, module, {"no_such_event": handlers["kmem_cache_free"]})

    monkeypatch.setattr(frees, "Tracers", elsewhere)


@pytest.fixture
def no_inspections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it refuse to attach the programs of inspections, likewise."""
    monkeypatch.setattr(inspect, "_PROGRAMS", {"no_such_event": "inspect_alloc"})


@pytest.fixture
def unlisted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the addresses from the kernel's list of caches."""
    monkeypatch.setattr("slabtui.kernel.inventory.take_inventory", lambda module, slabs: {})


def use(times: int = BURST) -> None:
    """Allocate from the quiet cache."""
    for _ in range(times):
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()


def has_trouble(probe: Probe, part: str) -> bool:
    return any(note.startswith(f"{part} not counted: {NO_EVENT}") for note in probe.notes)


@pytest.mark.usefixtures("no_frees")
def test_measuring_again_does_not_take_back_that_frees_are_not_counted() -> None:
    with probing(os.getpid()) as probe:
        request(probe, Request(frees=True))
        assert has_trouble(probe, "frees")
        probe.measure()
        assert has_trouble(probe, "frees")
        request(probe, inspecting("names_cache", CALLERS, frees=True))
        assert has_trouble(probe, "frees")
        os.stat("/")
        assert read(probe).frees_begun is None
        request(probe, Request())
        assert probe.notes == ()


@pytest.mark.usefixtures("no_frees", "unlisted")
def test_a_failure_of_frees_does_not_keep_an_inspection_from_beginning_later() -> None:
    with probing(os.getpid()) as probe:
        request(probe, inspecting(QUIET, CALLERS, frees=True))
        assert has_trouble(probe, "frees")
        assert read(probe).inspections == ()  # the cache is unknown
        use(1)
        read(probe)  # now it is known, and the inspection begins
        use()
        inspection = find(read(probe))
    assert (sum(row.total_allocs for row in inspection.rows), inspection.trouble) == (BURST, "")


@pytest.mark.usefixtures("no_inspections")
def test_the_failure_of_an_inspection_is_said_in_its_reading_and_frees_are_counted() -> None:
    with workload("stat", CALLS) as busy, probing(busy.pid) as probe:
        busy.run()
        read(probe)
        request(probe, inspecting("names_cache", CALLERS, frees=True))
        before = read(probe)
        assert find(before).trouble.startswith(NO_EVENT)
        probe.measure()
        busy.run()
        between = interval(before, read(probe))
        assert has_trouble(probe, "inspection")
        assert [found.trouble.startswith(NO_EVENT) for found in between.inspections] == [True]
        assert [row.frees for row in between.rows if row.name == "names_cache"] == [CALLS]


@pytest.fixture(params=["listed", "unlisted"])
def everything(request: pytest.FixtureRequest) -> Iterator[Probe]:
    """A probe of all processes that knows the addresses of idle caches, and one that does not."""
    if request.param == "unlisted":
        request.getfixturevalue("unlisted")
    with probing() as probe:
        yield probe


def test_an_idle_cache_keeps_its_key_when_it_allocates_and_so_does_its_inspection(everything: Probe) -> None:
    idle = next(row for row in read(everything).rows if QUIET in (row.name, *row.aliases))
    assert idle.total_allocs == 0
    request(everything, Request(inspection=InspectionRequest(idle.cache, (CALLERS,))))
    use(1)
    read(everything)
    use()
    reading = read(everything)
    awake = next(row for row in reading.rows if row.cache == idle.cache)
    assert (awake.name, awake.total_allocs >= BURST + 1) == (idle.name, True)
    assert awake.address is not None
    inspection = find(reading)
    assert inspection.cache == idle.cache
    assert sum(row.total_allocs for row in inspection.rows) >= BURST


def test_what_the_kernel_says_of_a_cache_is_read_before_the_programs_are_compiled() -> None:
    kinds = ON_PAGE
    with probing(os.getpid()) as probe:
        os.stat("/")
        read(probe)
        probe.request(inspecting("names_cache", *kinds))
        about = find(read(probe))
        assert (about.kind, about.about is None) == (InspectionKind.ABOUT, False)
        probe.settle()
        assert [(found.kind, found.number) for found in read(probe).inspections] == [(kind, 1) for kind in kinds]


def test_the_memory_of_the_machine_is_in_every_reading() -> None:
    with probing(os.getpid()) as probe:
        memory = read(probe).memory
    assert memory is not None
    assert memory.slab
    assert memory.total


def test_every_cache_that_was_seen_is_in_every_later_reading(everything: Probe) -> None:
    seen: set[CacheKey] = set()
    for _ in range(3):
        keys = [row.cache for row in read(everything).rows]
        assert len(keys) == len(set(keys))
        assert seen <= set(keys)
        seen = set(keys)
        use(1)


def test_reading_alone_changes_nothing_for_the_programs(everything: Probe) -> None:
    maps = everything.parts[0].modules[0].maps
    everything.read()
    before = bytes(everything._settings)
    everything.read()
    assert bytes(everything._settings) == before
    assert bytes(maps.get("settings", 0, Settings)) == before
    everything.end_interval(everything.read())
    assert bytes(everything._settings) != before


def test_the_number_of_an_inspection_counts_the_requests(everything: Probe) -> None:
    numbers = []
    os.stat("/")
    read(everything)
    for kind in (CALLERS, InspectionKind.ABOUT, InspectionKind.PROCESSES):
        request(everything, inspecting("names_cache", kind))
        numbers.append(find(read(everything)).number)
    assert numbers == [1, 2, 3]


def test_the_programs_of_an_inspection_cost_but_their_runs_are_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    with probing(os.getpid()) as probe:
        request(probe, inspecting("names_cache", CALLERS, frees=True))
        measured: list[tuple[set[int], set[int]]] = []
        monkeypatch.setattr(
            Overhead, "start", lambda self, counting, others: measured.append((set(counting), set(others)))
        )
        probe.measure()
        allocs, frees, bulk, inspection, *others = (set(part.descriptors) for part in probe.parts)
        assert inspection
        assert not any(others)
        assert measured == [(allocs, frees | bulk | inspection)]  # with a scope those of frees run for allocations too
