"""Where the memory of the host is, in words and as a table of 80 columns."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns.memory import conclude, describe, tabulate
from slabtui.model.memory import MemoryReport, Part, PartChange

GIB, MIB = 1 << 30, 1 << 20


def grown(part: Part, change: int, *, growing: bool | None = True) -> PartChange:
    return PartChange(part, 2 * GIB, change, change / 60, growing)


def reported(*parts: PartChange) -> MemoryReport:
    return MemoryReport(seconds=60.0, total=16 * GIB, available=9 * GIB, parts=parts)


SLAB = grown(Part.UNRECLAIMABLE, 300 * MIB)
CACHE = grown(Part.PAGE_CACHE, 1229 * MIB)
OTHER = grown(Part.UNEXPLAINED, 800 * MIB)


@pytest.mark.parametrize(
    ("parts", "beginnings"),
    [
        ((SLAB,), ["Slab grows fastest: slab, unreclaimable +300MiB (the caches that grow are below)."]),
        (
            (CACHE,),
            [
                "Slab does not explain it: page cache, buffers +1.20GiB (the kernel frees it when memory is short).",
            ],
        ),
        ((OTHER,), ["Slab does not explain it: not explained by /proc/meminfo +800MiB (pages that"]),
        (
            (SLAB, CACHE, OTHER),
            [
                "Slab grows too: ",
                "Slab is not all that grows: not explained",
                "Grows, too: page cache, buffers +1.20GiB",
            ],
        ),
        ((grown(Part.RECLAIMABLE, MIB),), ["Slab grows: slab, reclaimable +1.00MiB (the kernel frees it"]),
        ((grown(Part.FREE, GIB), grown(Part.UNEXPLAINED, GIB, growing=False)), ["Memory of the host: nothing grows"]),
        ((grown(Part.UNEXPLAINED, GIB, growing=None),), ["Memory of the host: the run is too short"]),
    ],
)
def test_what_grows_is_said_and_what_the_kernel_frees_comes_last(
    parts: tuple[PartChange, ...], beginnings: list[str]
) -> None:
    sentences = conclude(reported(*parts))
    assert len(sentences) == len(beginnings)
    for sentence, beginning in zip(sentences, beginnings, strict=True):
        assert sentence.startswith(beginning)


def test_a_balloon_that_grows_explains_what_meminfo_does_not() -> None:
    swollen = replace(reported(OTHER), balloon=GIB, balloon_change=799 * MIB)
    assert conclude(swollen) == (
        "Slab does not explain it: not explained by /proc/meminfo +800MiB (the hypervisor takes it: its balloon grows,"
        " too).",
    )
    assert "page allocator" in conclude(replace(swollen, balloon_change=MIB))[0]


def test_the_table_has_sizes_shares_and_changes_below_each_other() -> None:
    lines = tabulate(
        replace(
            reported(
                grown(Part.FREE, -1229 * MIB),
                replace(OTHER, bytes=-3 * MIB),
                PartChange(Part.PERCPU, 12),
                PartChange(Part.GPU, 0, 0),
            ),
            balloon=GIB,
            balloon_change=0,
            mapped=3 * MIB,
        ),
        80,
    )
    assert lines == (
        "Memory of the host: 16.0GiB                   NOW   SHARE       CHANGE IN 1 min",
        "free                                      2.00GiB   12.5%              -1.20GiB",
        "not explained by /proc/meminfo           -3.00MiB   -0.0%               +800MiB^",
        "per-CPU memory                               12 B    0.0%",
        "available (free, or freed when short)     9.00GiB   56.2%",
        "mapped by processes (of files, tmpfs)     3.00MiB    0.0%",
        "given back to the hypervisor (balloon)    1.00GiB                           0 B",
    )


@given(
    st.lists(st.builds(grown, st.sampled_from(Part), st.integers(-(1 << 50), 1 << 50), growing=st.booleans())),
    st.integers(40, 200),
)
def test_no_line_is_wider_than_a_terminal(parts: list[PartChange], width: int) -> None:
    assert all(len(line) <= width for line in describe(reported(*parts), width))


def test_a_narrow_terminal_has_no_shares() -> None:
    lines = tabulate(reported(replace(OTHER, bytes=9 * MIB)), 45)
    assert lines == (
        "Memory: 16.0GiB               NOW     CHANGE",
        "not explained by /proc    9.00MiB    +800MiB^",
        "available (free, or fr    9.00GiB",
    )
