"""Strategies of hypothesis for keys and rows with any values."""

from hypothesis import strategies as st

from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheRow

# Numbers as they are written, with this many digits after the point: of a row, and of the machine.
RATES = st.integers(-(10**15), 10**15).map(lambda thousandths: thousandths / 1000)
HOST_RATES = st.integers(-(10**15), 10**15).map(lambda tenths: tenths / 10)


def keys(names: st.SearchStrategy[str]) -> st.SearchStrategy[CacheKey]:
    """Return keys with these names."""
    return st.builds(CacheKey, st.sampled_from(KeyKind), names, st.integers(1, 2**31))


def rows(
    names: st.SearchStrategy[str], aliases: st.SearchStrategy[tuple[str, ...]], counts: st.SearchStrategy[int]
) -> st.SearchStrategy[CacheRow]:
    """Return rows with these names, aliases and counts."""
    return st.builds(
        CacheRow,
        cache=keys(names),
        name=names,
        size=st.none() | counts,
        object_size=st.none() | counts,
        address=st.none() | counts,
        approximate=st.booleans(),
        aliases=aliases,
        reclaimable=st.none() | st.booleans(),
        live=st.none() | counts,
        mem=st.none() | counts,
        disagrees=st.none() | st.booleans(),
        total_allocs=counts,
        total_bytes=counts,
        total_frees=st.none() | counts,
        allocs=counts,
        bytes=counts,
        frees=st.none() | counts,
        live_delta=st.none() | st.integers(1 - 2**64, 2**64 - 1),
        growth_objects_s=st.none() | RATES,
        recent_objects_s=st.none() | RATES,
        growth_bytes_h=st.none() | RATES,
        growing=st.none() | st.booleans(),
        grows_with=aliases,
    )
