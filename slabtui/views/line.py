"""One line of segments: their texts are shortened, and then dropped, where they do not fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from slabtui.views.cells import cells, head

Markup = list[tuple[str | None, str]]  # (style, text); None: the style of what is around it


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a line.

    Attributes:
        style: the name of a style.
        texts: what it says, the longest form first; where none fits, the segment is dropped.
        priority: the higher, the longer it stays. Where it is equal, all are shortened before one is dropped.
    """

    style: str | None
    texts: tuple[str, ...]
    priority: int


def line(left: Sequence[Segment], right: Sequence[Segment], width: int, gap: str = "  ") -> Markup:
    """Lay segments out on one line of `width` columns, one group at each end, with `gap` between neighbours."""
    chosen = dict.fromkeys((*left, *right), 0)  # which of its texts; past the last: dropped

    def kept(group: Sequence[Segment]) -> Markup:
        texts = [(one.style, one.texts[chosen[one]]) for one in group if chosen[one] < len(one.texts)]
        return [piece for text in texts for piece in ((None, gap), text)][1:]

    def space() -> int:
        """Return how many columns are left between the groups; less than 0: they do not fit."""
        ends = kept(left), kept(right)
        used = sum(cells(head(text, width)) for end in ends for _, text in end)
        return width - used - (len(gap) if all(ends) else 0)

    while space() < 0 and (remaining := [one for one, which in chosen.items() if which < len(one.texts)]):
        chosen[min(remaining, key=lambda segment: (segment.priority, chosen[segment]))] += 1
    for one in sorted(chosen, key=lambda segment: -segment.priority):  # what fits again after a long one was dropped
        shortest = chosen[one]
        for which in range(shortest + 1):
            chosen[one] = which
            if which == shortest or space() >= 0:
                break
    ends = kept(left), kept(right)
    gaps = len(gap) if all(ends) else 0
    return [*ends[0], (None, " " * max(0, space() + gaps)), *ends[1]]
