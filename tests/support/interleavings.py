"""Every way in which runs of BPF programs, and what user space does meanwhile, can come to interleave."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.support.machine import Machine


class Actor(Protocol):
    """What acts on a machine step by step, such as a Run."""

    @property
    def ended(self) -> bool:
        """Whether it has done all."""

    def step(self) -> None:
        """Do what others can see at once, and nothing more of that kind."""

    def snapshot(self) -> object:
        """Return what decides its next steps, beside the machine."""


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
        """Whether the last one has done all."""
        return self.actors[-1].ended

    def step(self) -> None:
        """Do the next step of the first one that has not ended."""
        next(actor for actor in self.actors if not actor.ended).step()

    def snapshot(self) -> object:
        """Return what decides the next steps of all."""
        return tuple(actor.snapshot() for actor in self.actors)


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine, and who acts on it at the same time."""

    machine: Machine
    actors: Sequence[Actor]

    def snapshot(self) -> int:
        """Return a number for what can happen from here on."""
        return hash((self.machine.snapshot(), *(actor.snapshot() for actor in self.actors)))


def interleave(begin: Callable[[], Scene]) -> Iterator[tuple[Scene, Sequence[int]]]:
    """Yield each end that a scene can come to, and one order of the actors' steps that leads there.

    All orders are tried. One that comes to where another order has been before goes no further, since the same would
    follow; that is what makes thousands of orders out of billions.

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
