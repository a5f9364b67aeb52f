"""The scroll bar beside a list of lines: where its thumb is, and how far the list scrolls when it is moved. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScrollBar:
    """The bar of a list that does not fit on the screen.

    Attributes:
        top: the first visible line.
        length: how many lines the list has: more than are visible.
        height: how many lines are visible, and how many the bar has; 1 or more.
    """

    top: int
    length: int
    height: int

    @property
    def thumb(self) -> range:
        """The lines of the thumb: as long a part of the bar as the visible lines are of the list."""
        free = self._free
        begin = round(free * self.top / self._most)
        if 0 < self.top < self._most and free > 1:  # at an end of the bar only where the list is at its end
            begin = max(1, min(begin, free - 1))
        return range(begin, begin + self.height - free)

    def top_at(self, line: int) -> int:
        """Return the first visible line of the list if the thumb begins at this line of the bar."""
        free = self._free
        return round(self._most * max(0, min(line, free)) / free) if free else 0

    @property
    def _most(self) -> int:
        """The largest possible `top`."""
        return self.length - self.height

    @property
    def _free(self) -> int:
        """The lines of the bar that are not of the thumb."""
        return self.height - max(1, round(self.height * self.height / self.length))
