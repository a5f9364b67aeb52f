"""The key map is whole: nothing without a key, a help text and something that it does."""

from collections import Counter

import pytest

from slabtui.columns import caches
from slabtui.views import help, keymap
from slabtui.views.app import App
from slabtui.views.state import State


@pytest.mark.parametrize("action", keymap.ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_key_a_help_text_and_a_category(action: keymap.Action) -> None:
    assert action.keys
    assert all(action.keys)
    assert action.help
    assert action.category


def test_no_key_and_no_name_is_used_twice() -> None:
    keys = Counter(key for action in keymap.ACTIONS for key in action.keys)
    names = Counter(action.name for action in keymap.ACTIONS)
    assert max(keys.values()) == 1
    assert max(names.values()) == 1


def test_every_action_is_done_by_the_application_or_by_the_list_and_by_one_of_them() -> None:
    done_here = set(App(State(1.0)).actions)
    for action in keymap.ACTIONS:
        assert (action.name in done_here) != (action.command is not None), action.name
    assert done_here <= {action.name for action in keymap.ACTIONS}


def test_every_column_can_be_sorted_by_a_key() -> None:
    assert {keymap.SORTS[action.name] for action in keymap.ACTIONS if action.name in keymap.SORTS} == set(caches.SORTS)


def test_the_help_screen_has_every_action_and_every_column() -> None:
    text = "\n".join(line for entry in help.content() for line in entry.render((400,)).decoded_text)
    for action in keymap.ACTIONS:
        assert action.help in text
        assert all(keymap.shown(key) in text for key in action.keys)
    for column in caches.COLUMNS:
        assert column.help in text


@pytest.mark.parametrize(
    ("key", "written"),
    [("esc", "Esc"), ("ctrl l", "Ctrl-L"), (" ", "Space"), ("page down", "PgDn"), ("G", "G"), ("home", "Home")],
)
def test_keys_are_shown_as_people_write_them(key: str, written: str) -> None:
    assert keymap.shown(key) == written
