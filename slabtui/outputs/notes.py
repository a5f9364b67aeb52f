"""Notes for the user: each is said once."""

from collections.abc import Callable, Iterable


def once(complain: Callable[[str], None]) -> Callable[[Iterable[str]], None]:
    """Return a function that says some lines, without those that it has said before.

    Args:
        complain: says one line.
    """
    said: set[str] = set()

    def say(lines: Iterable[str]) -> None:
        for line in lines:
            if line not in said:
                said.add(line)
                complain(line)

    return say
