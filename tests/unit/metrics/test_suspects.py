"""Which caches are tracked for metrics: those that grow as leaks do, few, and each for a while after."""

from slabtui.columns import query
from slabtui.metrics.suspects import STAYS, SuspectListing
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.request import MOST_SUSPECTS
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import snapshot

NAMES = "abcdefg"


def key(name: str) -> CacheKey:
    return CacheKey(KeyKind.CACHE, name)


def row(name: str, growth: float = 1.0, *, growing: bool | None = True, grows_with: tuple[str, ...] = ()) -> CacheRow:
    return CacheRow(key(name), name, growth_bytes_h=growth, growing=growing, grows_with=grows_with)


def names(chosen: tuple[CacheKey, ...]) -> str:
    return "".join(one.name for one in chosen)


def test_nothing_is_tracked_while_nothing_is_marked() -> None:
    suspects = SuspectListing()
    assert suspects.choose(snapshot(row("a", growing=None), row("b", growing=False))) == ()
    assert suspects.choose(snapshot()) == ()


def test_those_that_grow_most_are_tracked_but_of_each_group_one_first() -> None:
    grown = [row(name, number) for number, name in enumerate(NAMES, 1)]
    assert names(SuspectListing().choose(snapshot(*grown))) == "gfedc"
    together = [row("g", 7, grows_with=("f", "e")), row("f", 6, grows_with=("g", "e")), row("e", 5, grows_with=("g",))]
    assert names(SuspectListing().choose(snapshot(*together, *grown[:4]))) == "gdcba"
    assert names(SuspectListing().choose(snapshot(*together, *grown[:2]))) == "gbafe"


def test_a_suspect_stays_until_it_has_not_been_marked_for_some_minutes() -> None:
    suspects = SuspectListing()
    assert names(suspects.choose(snapshot(row("a")))) == "a"
    assert names(suspects.choose(snapshot(row("a", growing=False), elapsed=STAYS - 1))) == "a"
    assert names(suspects.choose(snapshot(row("a"), row("b")))) == "ab"
    assert names(suspects.choose(snapshot(elapsed=STAYS - 1))) == "ab"
    assert names(suspects.choose(snapshot(row("b"), elapsed=1.0))) == "b"


def test_one_that_is_not_marked_any_more_makes_room_for_one_that_is() -> None:
    suspects = SuspectListing()
    full = [row(name) for name in NAMES[:MOST_SUSPECTS]]
    assert names(suspects.choose(snapshot(*full))) == "abcde"
    assert names(suspects.choose(snapshot(*full, row("f", 99)))) == "abcde"
    assert names(suspects.choose(snapshot(*full[:1], *full[2:], row("f", 99)))) == "acdef"
    assert names(suspects.choose(snapshot(*full[2:], row("f"), row("g")))) == "cdefg"


def test_a_cache_that_never_has_series_is_not_tracked() -> None:
    suspects = SuspectListing(query.matcher("kmalloc"))
    merged = CacheRow(key("c"), "c", growing=True, aliases=("kmalloc-rnd",))
    assert names(suspects.choose(snapshot(row("kmalloc-64", 9), row("a"), merged))) == "a"
