"""The table of counters, on a simulated machine: each event is counted for its cache, in every order of the steps.

The programs are those that slabtui loads, as its child process compiles them. An interpreter in Python runs them in
every order in which their steps can interleave, and in the same orders each time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement, product

import pytest

from tests.support.interleavings import InTurn, Once, Scene, interleave
from tests.support.simulation import LOST_ADDRESSED, LOST_NAMED, SLOT_BITS, Image, Simulation

pytestmark = pytest.mark.live  # to compile takes bcc, and the right to make maps

PROBED = 16  # slots, before an event is lost
HOME = 24  # a slot near the end of the table: a cache that finds it taken continues at the beginning
CPUS = (0, 1)


def address(slot: int, which: int = 0) -> int:
    """Return an address for a cache whose first slot is this one."""
    return 0xFFFF_8880_4000_0000 + (which << SLOT_BITS + 8) + (slot << 8)


A, B = address(HOME, 0), address(HOME, 1)
ELSEWHERE = address(3)


@pytest.fixture(scope="module", params=["allocs", "frees"])
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    image = Image(request.param)
    yield image
    image.close()


@pytest.fixture(scope="module", params=[True, False], ids=["tail calls", "one program"])
def allocs(request: pytest.FixtureRequest) -> Iterator[Image]:
    image = Image("allocs", tail_calls=request.param)
    yield image
    image.close()


@pytest.fixture(scope="module")
def frees() -> Iterator[Image]:
    image = Image("frees")
    yield image
    image.close()


@pytest.fixture(scope="module", params=["allocs", "frees"])
def old(request: pytest.FixtureRequest) -> Iterator[Image]:
    image = Image(request.param, old=True)
    yield image
    image.close()


def assert_counted(simulation: Simulation, happened: Sequence[tuple[str, int]], why: object) -> None:
    """Check that each event is counted for its cache, that no two caches share a slot, and that no cache has two."""
    owners = {slot: owner.address for slot, owner in simulation.owners().items()}
    assert len(set(owners.values())) == len(owners), why
    for cpu in CPUS:
        known = {slot: words[0] for slot, words in enumerate(simulation.slots(cpu)) if words[0]}
        assert known == {slot: owners[slot] for slot in known}, why
    assert simulation.count_events() == Counter(happened), why
    assert lost(simulation) == (0, 0), why


def lost(simulation: Simulation) -> tuple[int, int]:
    tallies = simulation.tallies()
    return tallies[LOST_NAMED], tallies[LOST_ADDRESSED]


def assert_exact_in_every_order(
    image: Image,
    events: Sequence[tuple[str, int, int]],
    prepare: Callable[[Simulation], None] = lambda simulation: None,
    *,
    epoch: int = 0,
) -> None:
    """Run programs at the same time, in every order; afterwards each cache has one more event on each CPU.

    Args:
        image: the programs.
        events: program, cache and CPU of each.
        prepare: called before.
        epoch: an interval that begins at any moment meanwhile; 0: none.
    """
    made: list[Simulation] = []

    def begin() -> Scene:
        simulation = Simulation(image, (A, B, ELSEWHERE))
        prepare(simulation)
        made[:] = [simulation]
        runs = [simulation.start(*event) for event in events]
        clock = [Once(lambda: simulation.begin_interval(epoch))] if epoch else []
        return Scene(simulation.machine, [*runs, *clock])

    ends = 0
    before = Simulation(image, (A, B, ELSEWHERE))
    prepare(before)
    for _, order in interleave(begin):
        happened = [*before.count_events().elements(), *((program, cache) for program, cache, _ in events)]
        for (program, cache, _), cpu in product(events, CPUS):
            made[0].run(program, cache, cpu)
            happened.append((program, cache))
        assert_counted(made[0], happened, order)
        ends += 1
    assert ends


def pairs(image: Image) -> Iterator[tuple[str, str]]:
    yield from combinations_with_replacement((image.named, image.addressed), 2)


def test_two_caches_that_want_the_same_slot_at_once_get_one_each(image: Image) -> None:
    for first, second in pairs(image):
        assert_exact_in_every_order(image, [(first, A, 0), (second, B, 1)])


def test_so_do_they_if_an_interval_begins_meanwhile(image: Image) -> None:
    assert_exact_in_every_order(image, [(image.named, A, 0), (image.addressed, B, 1)], epoch=2)


def test_a_cache_that_two_cpus_see_at_once_gets_one_slot(image: Image) -> None:
    for first, second in pairs(image):
        assert_exact_in_every_order(image, [(first, A, 0), (second, A, 1)])


def test_a_task_that_preempts_another_on_its_cpu_finds_a_slot_of_its_own(image: Image) -> None:
    """Since Linux 7 a raw tracepoint's program can be preempted; another program may then run on the same CPU."""
    for first, second in ((A, B), (B, A), (A, A)):
        assert_exact_in_every_order(image, [(image.named, first, 0), (image.addressed, second, 0)])


def test_a_program_that_interrupts_itself_counts_every_event(old: Image) -> None:
    """Before Linux 6.1 the kernel allows it. The events do not name the cache there either."""
    for first, second in ((A, B), (A, A)):
        assert_exact_in_every_order(old, [(old.named, first, 0), (old.named, second, 0)])


def test_a_new_interval_changes_no_owner(image: Image) -> None:
    def see_both_on_one_cpu(simulation: Simulation) -> None:
        for cache in (A, B):
            simulation.run(image.named, cache, 1)
        simulation.begin_interval(2)

    for first, second in pairs(image):
        assert_exact_in_every_order(image, [(first, A, 0), (second, B, 1)], see_both_on_one_cpu)


def test_who_reads_an_owner_never_reads_another_slots(image: Image) -> None:
    """A hash reuses the element that an update has replaced, while others may still read it."""
    made: list[Simulation] = []

    def begin() -> Scene:
        simulation = Simulation(image, (A, B, ELSEWHERE))
        made[:] = [simulation]
        for cache in (A, ELSEWHERE):
            simulation.run(image.named, cache, 1)
        simulation.begin_interval(2)
        others = InTurn([simulation.start(image.named, cache, 1) for cache in (A, ELSEWHERE)])
        return Scene(simulation.machine, [simulation.start(image.named, B, 0), others])

    for _, order in interleave(begin):
        assert_counted(made[0], [(image.named, cache) for cache in (A, A, B, ELSEWHERE, ELSEWHERE)], order)


@pytest.mark.parametrize("which", ["named", "addressed"])
def test_a_cache_that_finds_sixteen_slots_taken_is_lost(image: Image, which: str) -> None:
    program, rounds = getattr(image, which), 3
    caches = [address(HOME, number) for number in range(PROBED + 1)]
    simulation = Simulation(image, caches)
    for _, cpu, cache in product(range(rounds), CPUS, caches):
        simulation.run(program, cache, cpu)
    each = rounds * len(CPUS)
    assert simulation.count_events() == Counter({(program, cache): each for cache in caches[:PROBED]})
    assert lost(simulation) == {"named": (each, 0), "addressed": (0, each)}[which]


def test_an_event_that_finds_the_hash_busy_is_lost_and_its_cache_gets_no_other_slot(image: Image) -> None:
    simulation = Simulation(image, (A,))
    simulation.refuse_insert()
    simulation.run(image.named, A)
    for cpu in CPUS:
        simulation.run(image.named, A, cpu)
    assert list(simulation.owners()) == [HOME]
    assert simulation.count_events() == Counter({(image.named, A): 2})
    assert lost(simulation) == (1, 0)


def test_a_failed_allocation_is_counted_nowhere(allocs: Image) -> None:
    for program, known in product((allocs.named, allocs.addressed), (False, True)):
        assert_counted_nowhere(allocs, program, known)


def test_a_free_of_no_object_is_counted_nowhere(frees: Image) -> None:
    for program, known in product((frees.named, frees.addressed), (False, True)):
        assert_counted_nowhere(frees, program, known)


def assert_counted_nowhere(image: Image, program: str, known: bool) -> None:
    """Check that an event without an object changes nothing, whether or not the cache has a slot already."""
    simulation = Simulation(image, (A,))
    simulation.describe_page(0, A)  # a program that looked there would find the cache
    if known:
        simulation.run(program, A)
    before = simulation.owners(), simulation.slots(0), simulation.tallies()
    simulation.run(program, A, object_=0)
    assert (simulation.owners(), simulation.slots(0), simulation.tallies()) == before


def test_a_cache_at_the_address_of_a_destroyed_one_has_its_own_name_from_the_next_interval_on(image: Image) -> None:
    for cpu in CPUS:
        simulation = Simulation(image, (A, B))
        for cache in (A, B):
            simulation.run(image.named, cache, 0)
        simulation.name(A, "successor-with-a-longer-name")
        simulation.run(image.named, A, cpu)
        assert names(simulation)[A] == f"cache-{A:x}"
        simulation.begin_interval(2)
        simulation.run(image.named, A, cpu)
        simulation.name(A, "short")
        simulation.run(image.named, A, cpu)
        assert names(simulation) == {A: "successor-with-a-longer-name", B: f"cache-{B:x}"}
        simulation.begin_interval(3)
        simulation.run(image.addressed, A, 1 - cpu)
        assert names(simulation) == {A: "short", B: f"cache-{B:x}"}
        events = [(image.named, A)] * 4 + [(image.named, B), (image.addressed, A)]
        assert_counted(simulation, events, cpu)


def names(simulation: Simulation) -> dict[int, str]:
    return {owner.address: owner.name for owner in simulation.owners().values()}
