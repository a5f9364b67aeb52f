"""Turns keys into transitions of the state, by the key map; the message line says when a key does nothing. Pure."""

from collections.abc import Callable
from functools import partial

from slabtui.model.inspection import InspectionKind
from slabtui.views import keymap
from slabtui.views.effects import NothingToDoError
from slabtui.views.paste import pasted
from slabtui.views.state import State


def _show_tab(kind: InspectionKind, state: State) -> None:
    state.pages.show_tab(kind)


TRANSITIONS: dict[str, Callable[[State], None]] = {
    "quit": State.quit,
    "quit-anywhere": State.quit,
    "help": State.open_help,
    "clear-filter": State.clear_filter,
    "leave": lambda state: state.pages.leave(),
    "leave-leaks": State.toggle_leaks,
    "leaks": State.toggle_leaks,
    "mark": State.mark,
    "units": State.turn_basis,
    "digits": State.turn_style,
    "follow": State.follow,
    "sort-next": lambda state: state.sort_by_next(1),
    "sort-previous": lambda state: state.sort_by_next(-1),
    "filter": State.ask_for_filter,
    "pause": State.toggle_pause,
    "pause-processes": State.toggle_pause,
    "open-page": State.open_page,
    "holders": State.open_held,
    "turn-rows": lambda state: state.pages.turn_rows(),
    "open-row": lambda state: state.pages.enter(),
    "open-process": lambda state: state.pages.enter(),
    "fold": lambda state: state.pages.fold(),
    "text-right": lambda state: state.pages.shift(1),
    "text-left": lambda state: state.pages.shift(-1),
    "next-tab": lambda state: state.pages.turn(1),
    "previous-tab": lambda state: state.pages.turn(-1),
    "frees": State.toggle_frees,
    "idle": State.toggle_idle,
    "reverse": State.reverse,
    "measure": State.measure,
    "back": State.step_back,
    "forward": State.step_forward,
    "back-ten": lambda state: state.step_back(10),
    "forward-ten": lambda state: state.step_forward(10),
    "begin": lambda state: state.time.jump_to_begin(),
    "end": lambda state: state.time.jump_to_end(),
    "jump": State.ask_for_moment,
    "seek": State.seek_growth,
    "seek-all": State.seek_growth_of_all,
    "faster": lambda state: state.time.faster(),
    "slower": lambda state: state.time.slower(),
    "export": State.ask_for_export,
    "redraw": State.redraw,
    "close": State.close,
    "accept": State.accept,
    "cancel": State.cancel,
    **{action: partial(State.sort_by, column=column) for action, column in keymap.SORTS.items()},
    **{name: partial(_show_tab, kind) for name, kind in keymap.TABS.items()},
}


def press(state: State, key: str) -> bool:
    """Do what a key does in the topmost window; False: the list or the line of text there must be given the key."""
    state.expire_message()
    action = keymap.find(state.context, key)
    if action is None:
        if state.prompt is not None:
            return False
        refuse(state, key)
    elif action.command:
        return False
    else:
        try:
            TRANSITIONS[action.name](state)
        except NothingToDoError as error:
            state.message = _nothing(key, str(error))
    return True


def refuse(state: State, key: str) -> None:
    """Say that a key does nothing in the topmost window."""
    state.message = _nothing(key, keymap.why_nothing(state.context, key))


def _nothing(key: str, why: str) -> str:
    what = "Pasted text" if pasted(key) is not None else keymap.shown(key)
    return f"{what} does nothing here: {why}"
