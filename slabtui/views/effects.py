"""What a transition of the state asks of the rest of the program, and how one says that it is not possible."""

import enum


class NothingToDoError(Exception):
    """The transition is not possible now; `str()` says why."""


class Effect(enum.Enum):
    """What a transition asks for."""

    QUIT = enum.auto()
    REDRAW = enum.auto()
    MEASURE = enum.auto()
    FASTER = enum.auto()
    SLOWER = enum.auto()
    STEP = enum.auto()
    EXPORT = enum.auto()
