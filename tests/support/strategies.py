"""Rows with anything in them, for hypothesis."""

from hypothesis import strategies as st

from slabtui.model.snapshot import CacheRow


def rows(
    names: st.SearchStrategy[str], aliases: st.SearchStrategy[tuple[str, ...]], counts: st.SearchStrategy[int]
) -> st.SearchStrategy[CacheRow]:
    """Return rows with these names, aliases and counts."""
    return st.builds(
        CacheRow,
        counts,
        names,
        st.none() | counts,
        st.none() | counts,
        counts,
        counts,
        st.booleans(),
        frees=st.none() | counts,
        live=st.none() | counts,
        live_delta=st.none() | st.integers(1 - 2**64, 2**64 - 1),
        mem=st.none() | counts,
        disagrees=st.none() | st.booleans(),
        aliases=aliases,
    )
