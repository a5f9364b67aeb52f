"""The releases of Debian that are tested, and how to choose among them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from slabtui.errors import SlabtuiError, Status


@dataclass(frozen=True, slots=True)
class Suite:
    """One release of Debian.

    Attributes:
        name: for the user.
        codename: for the archive and debootstrap.
        new_enough: whether its Python can run slabtui (3.11 or newer); if not, slabtui must refuse it.
    """

    name: str
    codename: str
    new_enough: bool = True

    @property
    def title(self) -> str:
        """Its name on the page."""
        return f"Debian {self.name}"


SUITES = (
    Suite("11", "bullseye", new_enough=False),
    Suite("12", "bookworm"),
    Suite("13", "trixie"),
    Suite("sid", "sid"),
)


def choose(names: Sequence[str]) -> tuple[Suite, ...]:
    """Return the suites with these names in the order of the page; all of them if no name is given.

    Raises:
        SlabtuiError: a name is unknown.
    """
    known = {suite.name for suite in SUITES}
    for name in names:
        if name not in known:
            raise SlabtuiError(f"no release {name} is tested", f"use {', '.join(sorted(known))}", Status.USAGE)
    return tuple(suite for suite in SUITES if not names or suite.name in names)
