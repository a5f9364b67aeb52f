"""Shortens stacks to a width, and keeps them distinct: it cuts what they share, and shows what differs. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from slabtui.text import ascii_only

Stack = tuple[str, ...]
_Token = tuple[str, int]  # a function, and how many times the same one comes before it in its stack

JOIN = " < "  # between a function and the one that called it
GAP = " .. "  # the same, with others between them that are not shown
MARK = "#"  # before the number of a stack that looks like another one
_LEAST = 6  # characters of a name that is cut in its middle
_CUT = "*"  # in place of what is cut from a name


def write_stack(stack: Stack) -> str:
    """Return a stack on one line, without its innermost function: that is always the allocator's own."""
    return JOIN.join(stack[1:] or stack)


@lru_cache(maxsize=8)  # the stacks of a cache are the same in most intervals
def shorten(stacks: frozenset[Stack], width: int) -> dict[Stack, str]:
    """Return a text of at most `width` characters, in ASCII, for each stack; all texts differ.

    First come the functions that distinguish a stack from the others: the ones that the fewest others have, the
    innermost of them first. The rest of the width is filled in the same order. Functions that all stacks have are left
    out. Where the width is too small to distinguish two stacks by their functions, both get a number.
    """
    order = sorted(stacks)
    tokens = [_tokens(stack) for stack in order]
    holders: dict[_Token, int] = {}  # the stacks that have it, as bits
    for place, own in enumerate(tokens):
        for token in own:
            holders[token] = holders.get(token, 0) | 1 << place
    everyone = (1 << len(order)) - 1
    texts = []
    for place, own in enumerate(tokens):
        needed = _distinguish(own, holders, everyone & ~(1 << place))
        texts.append(_write(own, needed, _others(own, needed, holders, everyone), width))
    return dict(zip(order, _mark(texts, width), strict=True))


def _tokens(stack: Stack) -> list[_Token]:
    if len(set(stack)) == len(stack):  # nearly every stack: none recurses
        return [(frame, 0) for frame in stack]
    seen: Counter[str] = Counter()
    found = []
    for frame in stack:
        found.append((frame, seen[frame]))
        seen[frame] += 1
    return found


def _distinguish(own: Sequence[_Token], holders: dict[_Token, int], others: int) -> list[int]:
    """Return the places of functions that together distinguish a stack from all others, the rarest first.

    A stack that has all functions of this one has others beside them, which distinguish it.
    """
    chosen: list[int] = []
    while others:
        place = min(range(len(own)), key=lambda place: (others & holders[own[place]]).bit_count(), default=None)
        if place is None or others & holders[own[place]] == others:
            break
        others &= holders[own[place]]
        name, times = own[place]
        if times:  # only with those before it does the text show that there are several
            chosen += [earlier for earlier in range(place) if own[earlier][0] == name and earlier not in chosen]
        chosen.append(place)
    return chosen


def _others(own: Sequence[_Token], needed: Sequence[int], holders: dict[_Token, int], everyone: int) -> list[int]:
    """Return the places of the functions that not all stacks have; where all have all, of all but the allocator's.

    The rarest come first; of equally rare ones those that are nearest to a function that is needed.
    """
    places = [place for place, token in enumerate(own) if holders[token] != everyone]
    if not places:
        places = list(range(1 if len(own) > 1 else 0, len(own)))

    def rank(place: int) -> tuple[int, int]:
        return holders[own[place]].bit_count(), min([abs(place - other) for other in needed], default=0)

    return sorted(places, key=rank)


def _write(own: Sequence[_Token], needed: Sequence[int], others: Iterable[int], width: int) -> str:
    names = [frame if frame.isascii() else ascii_only(frame) for frame, _ in own]
    chosen: set[int] = set()
    length = -len(GAP)
    for place in needed:
        length += _added(names, chosen, place)
        chosen.add(place)
    if length > width:
        return _squeeze(names, needed, width)
    for place in others:
        if place not in chosen and length + (more := _added(names, chosen, place)) <= width:
            length += more
            chosen.add(place)
    if not chosen and names:
        return _cut(names[min(1, len(names) - 1)], width)
    return _join(names, sorted(chosen))


def _added(names: Sequence[str], chosen: set[int], place: int) -> int:
    """Return how much longer the text becomes by a function: what separates runs of functions is one longer."""
    return len(names[place]) + len(GAP) - (place - 1 in chosen) - (place + 1 in chosen)


def _join(names: Sequence[str], chosen: Sequence[int]) -> str:
    pieces: list[str] = []
    for before, place in zip((-1, *chosen), chosen, strict=False):
        pieces += ((JOIN if place == before + 1 else GAP) if pieces else "", names[place])
    return "".join(pieces)


def _squeeze(names: Sequence[str], needed: Sequence[int], width: int) -> str:
    """Return as many of these functions as fit with their names cut, in the order in which they are given."""
    most = max(1, min(len(needed), (width + len(GAP)) // (_LEAST + len(GAP))))
    chosen = sorted(needed[:most])
    room = max(0, width - len(GAP) * (most - 1))
    cut = {place: _cut(names[place], room // most) for place in chosen}
    spare = room - sum(map(len, cut.values()))
    for place in chosen:  # what short names leave goes to the long ones
        longer = _cut(names[place], len(cut[place]) + spare)
        spare -= len(longer) - len(cut[place])
        cut[place] = longer
    return _join([cut.get(place, "") for place in range(len(names))], chosen)


def _cut(name: str, width: int) -> str:
    """Cut the middle out of a name that is too long: functions with a common beginning differ at the end."""
    if len(name) <= width:
        return name
    ending = (width - 1) // 2
    return name[: max(0, width - 1 - ending)] + _CUT * min(width, 1) + name[len(name) - ending :] * (ending > 0)


def _mark(texts: list[str], width: int) -> list[str]:
    """Return the texts with a number at the end of those that occur twice."""
    times = Counter(texts)
    if len(times) == len(texts):
        return texts
    numbers: Counter[str] = Counter()
    marked = []
    for text in texts:
        numbers[text] += 1
        marked.append(_end_with(text, f"{MARK}{numbers[text]}", width) if times[text] > 1 else text)
    if len(set(marked)) == len(marked):
        return marked
    return [_end_with(text, f"{MARK}{number}", width) for number, text in enumerate(texts, 1)]


def _end_with(text: str, mark: str, width: int) -> str:
    return f"{text[: max(0, width - len(mark) - 1)]} {mark}"[-width:] if width else ""
