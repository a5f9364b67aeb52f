"""What grows over a run, in the memory of the host: by more than its noise, and by enough."""

import random
from collections.abc import Callable

from slabtui.analysis.memory import MemoryRun, report
from slabtui.model.memory import HostMemory, MemoryReport, Part, PartChange

GIB, MIB = 1 << 30, 1 << 20
EMPTY = HostMemory(total=16 * GIB)


def memory(unexplained: int = 0, percpu: int | None = 0, cached: int = GIB) -> HostMemory:
    return HostMemory(
        total=16 * GIB,
        available=9 * GIB,
        free=16 * GIB - cached - unexplained - (percpu or 0),
        anonymous=0,
        shared=0,
        cached=cached,
        buffers=0,
        reclaimable=0,
        unreclaimable=0,
        percpu=percpu,
    )


def run(read: Callable[[int], HostMemory | None], seconds: int = 60) -> MemoryReport:
    followed = MemoryRun()
    for second in range(seconds + 1):
        followed.add(float(second), read(second))
    found = followed.report()
    assert found is not None
    return found


def part(found: MemoryReport, which: Part) -> PartChange:
    return next(one for one in found.parts if one.part is which)


def test_what_is_not_explained_grows_at_its_rate() -> None:
    found = run(lambda second: memory(unexplained=second * MIB))
    grown = part(found, Part.UNEXPLAINED)
    assert grown == PartChange(Part.UNEXPLAINED, 60 * MIB, 60 * MIB, MIB, True)
    assert part(found, Part.FREE).growing is False
    assert (found.seconds, found.total, found.available, found.balloon_change) == (60, 16 * GIB, 9 * GIB, None)


def test_noise_does_not_grow() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        found = run(lambda second, chance=chance: memory(cached=GIB + chance.randrange(200 * MIB)))
        assert not any(one.growing for one in found.parts)


def test_one_jump_does_not_grow_but_is_a_change() -> None:
    jumped = part(run(lambda second: memory(unexplained=500 * MIB * (second > 30))), Part.UNEXPLAINED)
    assert (jumped.change, jumped.growing) == (500 * MIB, False)


def test_less_than_the_counters_of_the_cpus_hide_does_not_grow() -> None:
    assert part(run(lambda second: memory(percpu=second * MIB // 16)), Part.PERCPU).growing is False
    assert part(run(lambda second: memory(percpu=second * MIB // 14)), Part.PERCPU).growing is True


def test_of_a_few_readings_no_growth_is_known() -> None:
    for seconds in range(7):
        found = run(lambda second: memory(unexplained=second * GIB), seconds)
        assert all(one.growing is None for one in found.parts)
    assert part(run(lambda second: memory(unexplained=second * GIB), 7), Part.UNEXPLAINED).growing is True


def test_what_was_not_known_all_the_time_has_no_change() -> None:
    found = part(run(lambda second: memory(percpu=second * MIB if second else None)), Part.PERCPU)
    assert found == PartChange(Part.PERCPU, 60 * MIB)


def test_a_long_run_keeps_few_readings_and_its_first_and_last_one() -> None:
    found = run(lambda second: memory(unexplained=second * MIB), 10_000)
    assert part(found, Part.UNEXPLAINED) == PartChange(Part.UNEXPLAINED, 10_000 * MIB, 10_000 * MIB, MIB, True)


def test_a_failed_reading_is_left_out() -> None:
    found = run(lambda second: None if second % 3 == 1 else memory(unexplained=second * MIB))
    assert part(found, Part.UNEXPLAINED).growth_bytes_s == MIB


def test_without_readings_or_the_total_there_is_no_report() -> None:
    assert MemoryRun().report() is None
    assert report([0.0], [HostMemory(free=3)]) is None
    assert report([0.0], [EMPTY]) == MemoryReport(0.0, 16 * GIB)
