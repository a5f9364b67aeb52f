"""Tries every order in which the steps of BPF programs and of user space can interleave."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.support.machine import Machine


class Actor(Protocol):
    """Acts on a machine step by step, as a Run does."""

    @property
    def ended(self) -> bool:
        """Whether it has done all its steps."""

    def step(self) -> None:
        """Do one step that others can see."""

    def snapshot(self) -> object:
        """Return its own state, on which its next steps depend besides the machine."""


@dataclass(slots=True)
class Once:
    """An actor that does one thing in one step: user space that writes into a map."""

    act: Callable[[], object]
    ended: bool = False

    def step(self) -> None:
        """Do it."""
        self.act()
        self.ended = True

    def snapshot(self) -> object:
        """Return whether it is done."""
        return self.ended


@dataclass(frozen=True, slots=True)
class InTurn:
    """Actors one after the other: programs that run on the same CPU."""

    actors: Sequence[Actor]

    @property
    def ended(self) -> bool:
        """Whether the last one has done all its steps."""
        return self.actors[-1].ended

    def step(self) -> None:
        """Do the next step of the first one that has not ended."""
        next(actor for actor in self.actors if not actor.ended).step()

    def snapshot(self) -> object:
        """Return the state of all actors, on which their next steps depend."""
        return tuple(actor.snapshot() for actor in self.actors)


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine, and the actors that act on it at the same time."""

    machine: Machine
    actors: Sequence[Actor]

    def snapshot(self) -> int:
        """Return a number that identifies the state of the machine and the actors."""
        return hash((self.machine.snapshot(), *(actor.snapshot() for actor in self.actors)))


def interleave(begin: Callable[[], Scene]) -> Iterator[tuple[Scene, Sequence[int]]]:
    """Yield each final state of a scene, and one order of the actors' steps that leads to it.

    All orders are tried. An order that reaches a state that another order has reached before is not continued, because
    the same steps would follow: this leaves thousands of orders instead of billions.

    Args:
        begin: makes the scene; always the same one.
    """
    waiting: list[tuple[int, ...]] = [()]
    seen: set[int] = set()
    while waiting:
        order = waiting.pop()
        scene = begin()
        for number in order:
            scene.actors[number].step()
        while (now := scene.snapshot()) not in seen:
            seen.add(now)
            able = [number for number, actor in enumerate(scene.actors) if not actor.ended]
            if not able:
                yield scene, order
                break
            waiting += [(*order, number) for number in able[1:]]
            order = (*order, able[0])
            scene.actors[able[0]].step()
