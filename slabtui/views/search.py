"""The search for the moments of a recording at which the memory of a cache grew most. Pure."""

from dataclasses import dataclass

from slabtui.columns import numbers
from slabtui.columns.numbers import Unit
from slabtui.model.course import Course, Rise
from slabtui.model.identity import CacheKey

MOST = 5  # moments of a search; the next one is the first again


@dataclass(slots=True)
class Search:
    """What is looked for, and what was found.

    Attributes:
        cache: whose growth; None: that of all slab memory.
        name: how it is called.
        rises: the moments, the strongest growth first; None: they are not known yet.
        place: which of them is shown.
        is_waiting: whether they are looked for.
        spans_days: whether a message needs the date of a moment.
    """

    cache: CacheKey | None = None
    name: str = ""
    rises: tuple[Rise, ...] | None = None
    place: int = 0
    is_waiting: bool = False
    spans_days: bool = False

    def seek(self, cache: CacheKey | None, name: str) -> None:
        """Go to the next moment, or look for those of another cache."""
        if self.rises is not None and (cache, name) == (self.cache, self.name):
            self.place = (self.place + 1) % max(1, len(self.rises))
        else:
            self.cache, self.name, self.rises, self.is_waiting = cache, name, None, True

    def take(self, course: Course) -> None:
        """Find the moments in the course of the memory."""
        self.rises, self.place, self.is_waiting = course.rises(MOST), 0, False
        self.spans_days = numbers.date(course.begin) != numbers.date(course.end)

    @property
    def rise(self) -> Rise | None:
        """The growth at the moment that is shown; None: it never grew."""
        return self.rises[self.place] if self.rises else None

    @property
    def message(self) -> str:
        """What was found, in one line."""
        rise = self.rise
        if rise is None or self.rises is None:
            return f"{self.name} never grew in this recording, or its memory is not in it"
        when = numbers.date_and_clock(rise.time) if self.spans_days else numbers.clock(rise.time)
        amount, seconds = numbers.human(rise.amount, Unit.BYTES), numbers.duration(rise.seconds)
        return f"{self.name} +{amount}B in {seconds} at {when}, {self.place + 1} of {len(self.rises)}"
