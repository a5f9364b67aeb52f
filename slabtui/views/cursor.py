"""The selection in a list of lines, and which lines are on the screen. Pure."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Cursor:
    """The selected line and the first visible one.

    The selection stays in view. What is on the screen moves only when the selection would leave it.

    Attributes:
        place: the selected line.
        top: the first visible line.
        height: how many lines the screen has, as it was drawn last.
        length: how many lines there are.
        skipped: lines that cannot be selected, such as a rule.
    """

    place: int = 0
    top: int = 0
    height: int = 1
    length: int = 0
    skipped: frozenset[int] = frozenset()

    def replace(self, length: int, skipped: frozenset[int] = frozenset()) -> None:
        """There are other lines now: the selection and the screen stay where they are."""
        self.length, self.skipped = length, skipped
        self._select(self.place, 1)

    def follow(self, place: int) -> None:
        """Select the line to which what is followed has moved; the top of the list is in view if that line fits."""
        if place < self.height:
            self.top = 0
        self._select(place, 1)

    def select(self, place: int) -> None:
        """Select a line; one that cannot be selected leaves the selection as it is."""
        if 0 <= place < self.length and place not in self.skipped:
            self._select(place, 1)

    def resize(self, height: int) -> None:
        """The screen has room for this many lines; on a larger one the top is in view again if the selection fits."""
        if height != self.height:
            if self.place < height and height > self.height:
                self.top = 0
            self.height = height
            self._show()

    def to_top(self) -> None:
        """Select the first line."""
        self._select(0, 1)

    def to_bottom(self) -> None:
        """Select the last line."""
        self._select(self.length - 1, -1)

    def move(self, by: int) -> None:
        """Select the line this many lines further down; less than 0: up."""
        self._select(self.place + by, 1 if by > 0 else -1)

    def turn(self, pages: int) -> None:
        """Move by this many screens; one line of the screen before stays in view."""
        self.move(pages * max(1, self.height - 1))

    def scroll(self, top: int) -> None:
        """Show the lines from this one on; the selection stays in view."""
        self.top = max(0, min(top, self.length - self.height))
        self._select(max(self.top, min(self.place, self.top + self.height - 1)), 1)

    @property
    def above(self) -> int:
        """Selectable lines above the visible ones."""
        return self.top - sum(place < self.top for place in self.skipped)

    @property
    def below(self) -> int:
        """Selectable lines below the visible ones."""
        end = self.top + self.height
        return max(0, self.length - end) - sum(place >= end for place in self.skipped)

    def _select(self, place: int, direction: int) -> None:
        """Select a line, or the next one in this direction that can be selected, or else the next in the other."""
        place = max(0, min(place, self.length - 1))
        ways = (range(place, self.length), range(place, -1, -1))
        for way in ways if direction > 0 else reversed(ways):
            if (found := next((line for line in way if line not in self.skipped), None)) is not None:
                self.place = found
                break
        else:
            self.place = 0
        self._show()

    def _show(self) -> None:
        """Bring the selection into view, and no empty lines while there are others above."""
        lowest = max(0, self.place - self.height + 1)
        if all(line in self.skipped for line in range(self.place)):
            highest = lowest  # a rule above the first row comes into view with it
        else:
            highest = max(lowest, min(self.place, self.length - self.height))
        self.top = max(lowest, min(self.top, highest))
