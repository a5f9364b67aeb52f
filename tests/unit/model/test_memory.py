"""The parts of the memory of the host: no page is in two of them, and together they are the total."""

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.memory import HostMemory, Part, divide

KNOWN = HostMemory(
    total=1000,
    available=800,
    slab=150,
    reclaimable=100,
    unreclaimable=50,
    free=300,
    cpu_free=20,
    anonymous=200,
    mapped=33,
    shared=30,
    cached=130,
    buffers=10,
    listed=345,
    swap_cached=40,
    kernel_reclaimable=103,
    percpu=8,
    vmalloc=25,
    kernel_stacks=16,
    page_tables=6,
    secondary_page_tables=1,
    hugetlb=64,
    copies=2,
    gpu=11,
    corrupted=4,
    balloon=500,
    zswap=9,
    zram=7,
)
SIZES = st.none() | st.integers(0, 1 << 48)


def test_no_page_is_in_two_parts() -> None:
    assert divide(KNOWN) == {
        Part.FREE: 320,
        Part.ANONYMOUS: 200,
        Part.SHARED: 30,
        Part.PAGE_CACHE: 110,
        Part.SWAP_CACHE: 5,
        Part.RECLAIMABLE: 100,
        Part.UNRECLAIMABLE: 50,
        Part.OTHER_RECLAIMABLE: 3,
        Part.VMALLOC: 9,
        Part.KERNEL_STACKS: 16,
        Part.PAGE_TABLES: 7,
        Part.PERCPU: 8,
        Part.HUGETLB: 64,
        Part.COMPRESSED: 16,
        Part.COPIES: 2,
        Part.GPU: 11,
        Part.CORRUPTED: 4,
        Part.UNEXPLAINED: 45,
    }


def test_what_an_older_kernel_does_not_say_is_no_part_and_not_explained() -> None:
    older = replace(KNOWN, gpu=None, zswap=None, zram=None, secondary_page_tables=None, percpu=None)
    parts = divide(older)
    assert not {Part.GPU, Part.COMPRESSED, Part.PERCPU} & parts.keys()
    assert parts[Part.PAGE_TABLES] == 6
    assert parts[Part.UNEXPLAINED] == 45 + 11 + 16 + 1 + 8


def test_without_its_largest_parts_nothing_is_said_of_the_rest() -> None:
    for name in ("total", "free", "anonymous", "shared", "reclaimable", "unreclaimable"):
        assert Part.UNEXPLAINED not in divide(replace(KNOWN, **{name: None}))


def test_a_page_of_the_swap_cache_that_a_process_maps_is_a_page_of_the_process() -> None:
    assert divide(replace(KNOWN, listed=340))[Part.SWAP_CACHE] == 0
    assert divide(replace(KNOWN, listed=9999))[Part.SWAP_CACHE] == 40
    assert divide(replace(KNOWN, listed=1))[Part.SWAP_CACHE] == 0


@given(st.builds(HostMemory, *[SIZES] * len(fields(HostMemory))))
def test_the_parts_are_the_total_and_only_what_is_not_explained_is_less_than_nothing(memory: HostMemory) -> None:
    parts = divide(memory)
    assert all(size >= 0 for part, size in parts.items() if part is not Part.UNEXPLAINED)
    if Part.UNEXPLAINED in parts:
        assert sum(parts.values()) == memory.total
