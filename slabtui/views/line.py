"""One line of segments: their texts are shortened, and then dropped, where they do not fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slabtui.views.cells import cells, clip, head

Markup = list[tuple[str | None, str]]  # (style, text); None: the style of what is around it
Pieces = tuple[tuple[str | None, str], ...]  # the same as a value that does not change


@dataclass(frozen=True, slots=True)
class Later:
    """A form of a segment that is drawn only if it is chosen, such as a chart.

    Attributes:
        width: columns that it takes.
        draw: draws it.
    """

    width: int
    draw: Callable[[], Pieces]


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a line.

    Attributes:
        style: the name of a style.
        texts: what it says, the longest form first, each a text or pieces with styles of their own, or drawn later;
            where none fits, the segment is dropped.
        priority: the higher, the longer it stays. Where it is equal, all are shortened before one is dropped.
    """

    style: str | None
    texts: tuple[str | Pieces | Later, ...]
    priority: int

    def pieces(self, form: int) -> Pieces:
        """Return one of its forms; past the last: nothing."""
        if form >= len(self.texts):
            return ()
        text = self.texts[form]
        if isinstance(text, Later):
            return text.draw()
        return ((self.style, text),) if isinstance(text, str) else text

    def measure(self, form: int, width: int) -> int | None:
        """Return how many columns a form takes, more than `width` if it does; None: it says nothing, and has no gap."""
        if form < len(self.texts) and isinstance(later := self.texts[form], Later):
            return later.width
        pieces = self.pieces(form)
        return sum([cells(head(text, width)) for _, text in pieces]) if pieces else None


def line(
    left: Sequence[Segment], right: Sequence[Segment], width: int, gap: str = "  ", *, shorten: bool = False
) -> Markup:
    """Lay segments out on one line of `width` columns, one group at each end, with `gap` between neighbours.

    Args:
        left: those at the left end.
        right: those at the right end.
        width: columns.
        gap: what stands between neighbours.
        shorten: whether all are shortened, from the right end on, before one is dropped.
    """
    segments = [*left, *right]
    chosen = [0] * len(segments)  # the form of each; past its last: dropped
    lengths = [[one.measure(form, width) for form in range(len(one.texts) + 1)] for one in segments]

    def group(begin: int, end: int) -> Markup:
        kept = [pieces for place in range(begin, end) if (pieces := segments[place].pieces(chosen[place]))]
        return [piece for pieces in kept for piece in ((None, gap), *pieces)][1:]

    def space() -> int:
        """Return how many columns are left between the groups; less than 0: they do not fit."""
        kept = [length for forms, form in zip(lengths, chosen, strict=True) if (length := forms[form]) is not None]
        return width - sum(kept) - len(gap) * max(0, len(kept) - 1)

    def rank(place: int) -> tuple[bool, int, bool, int]:
        """Return which segment becomes shorter first: the least."""
        shortest = chosen[place] == len(segments[place].texts) - 1
        if shorten and not shortest:
            return False, -place, False, 0
        return shorten, segments[place].priority, shortest, chosen[place]

    while space() < 0:
        remaining = [place for place, one in enumerate(segments) if chosen[place] < len(one.texts)]
        if not remaining:
            break
        chosen[min(remaining, key=rank)] += 1
    # What fits again after a long one was dropped.
    for place in sorted(range(len(segments)), key=lambda place: 0 if shorten else -segments[place].priority):
        shortest = chosen[place]
        for form in range(shortest + 1):
            chosen[place] = form
            if form == shortest or space() >= 0:
                break
    both = group(0, len(left)), group(len(left), len(segments))
    gaps = len(gap) if all(both) else 0
    return [*both[0], (None, " " * max(0, space() + gaps)), *both[1]]


def padded(width: int, *forms: Pieces, right: bool = False) -> Pieces:
    """Return the first form that fits a width, else the last one cut, filled up with spaces: its width never changes.

    Args:
        width: columns.
        forms: the longest first.
        right: whether the text stands at the right end.
    """
    for pieces in forms:
        blank = width - sum(cells(head(text, width)) for _, text in pieces)
        if blank >= 0:
            space = ((None, " " * blank),) if blank else ()
            return (*space, *pieces) if right else (*pieces, *space)
    style = forms[-1][-1][0]
    return ((style, clip("".join(text for _, text in forms[-1]), width)),)


def piece_at(markup: Markup, column: int, row: int = 0) -> int | None:
    """Return which piece of some lines is at a place; None: none is. Between lines there is a newline."""
    begin = line_number = 0
    for place, (_, text) in enumerate(markup):
        if text == "\n":
            begin, line_number = 0, line_number + 1
            continue
        begin += cells(text)
        if line_number == row and column < begin:
            return place
    return None
