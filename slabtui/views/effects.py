"""What transitions of the state ask the program to do, and the error of a transition that is not possible."""

import enum


class NothingToDoError(Exception):
    """The transition is not possible now; `str()` says why."""


class Effect(enum.Enum):
    """What a transition asks for."""

    QUIT = enum.auto()
    REDRAW = enum.auto()
    MEASURE = enum.auto()
    MARK = enum.auto()
    FASTER = enum.auto()
    SLOWER = enum.auto()
    STEP = enum.auto()
    JUMP = enum.auto()
    SEARCH = enum.auto()
    EXPORT = enum.auto()
