"""The mouse: which of its events do something. Pure.

The left button and the wheel act when they are pressed. What follows of a press, a drag or a release, matters to the
scroll bar alone.
"""

WHEEL_ROWS = 3  # rows for each notch of the wheel

_PRESS, _DRAG, _RELEASE = "mouse press", "mouse drag", "mouse release"
_LEFT, _WHEEL_UP, _WHEEL_DOWN = 1, 4, 5


def is_click(event: str, button: int) -> bool:
    """Return whether an event is a press of the left button alone: with Shift and Ctrl it belongs to the terminal."""
    return event == _PRESS and button == _LEFT


def wheel(event: str, button: int) -> int:
    """Return -1 where the wheel turns up, 1 where it turns down, else 0."""
    return {_WHEEL_UP: -1, _WHEEL_DOWN: 1}.get(button, 0) if event == _PRESS else 0


def follows_press(event: str) -> bool:
    """Return whether an event is a drag or a release; its button is not always known."""
    return event in (_DRAG, _RELEASE)


def is_drag(event: str) -> bool:
    """Return whether the mouse moves with a button down."""
    return event == _DRAG
