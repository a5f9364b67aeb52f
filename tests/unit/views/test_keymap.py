"""The key map is complete: every action has keys, contexts, a help text and an effect."""

from collections import Counter

import pytest

from slabtui.columns import caches, leaks
from slabtui.columns.numbers import Style
from slabtui.model.inspection import ON_PAGE
from slabtui.views import dialogs, keymap
from slabtui.views.actions import TRANSITIONS
from slabtui.views.footer import hints
from slabtui.views.keymap import KeyContext


@pytest.mark.parametrize("action", keymap.ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_key_a_context_a_help_text_and_a_category(action: keymap.Action) -> None:
    assert action.keys
    assert all(action.keys)
    assert action.contexts
    assert action.help
    assert action.category


@pytest.mark.parametrize("context", KeyContext)
def test_no_key_does_two_things_in_one_context(context: KeyContext) -> None:
    keys = Counter(key for action in keymap.in_context(context) for key in action.keys)
    assert set(keys.values()) == {1}
    assert all(keymap.find(context, key) in keymap.in_context(context) for key in keys)


def test_no_name_is_used_twice() -> None:
    assert max(Counter(action.name for action in keymap.ACTIONS).values()) == 1


def test_every_action_is_done_by_a_transition_or_by_the_list_and_by_one_of_them() -> None:
    for action in keymap.ACTIONS:
        assert (action.name in TRANSITIONS) != bool(action.command), action.name
    assert set(TRANSITIONS) <= {action.name for action in keymap.ACTIONS}


def test_every_column_has_a_key_that_sorts_and_every_inspection_has_a_key_that_shows_it() -> None:
    """Frees have only the keys that go from column to column: F follows, as in htop."""
    names = {action.name for action in keymap.ACTIONS}
    assert {keymap.SORTS[name] for name in names & set(keymap.SORTS)} == {*caches.SORTS} - {"frees"}
    assert {keymap.TABS[name] for name in names & set(keymap.TABS)} == set(ON_PAGE)


def test_every_context_has_a_key_that_leaves_it_or_ends_the_program() -> None:
    leaving = {"quit", "leave", "leave-leaks", "close", "cancel"}
    for context in KeyContext:
        assert leaving & {action.name for action in keymap.in_context(context)}


def test_keys_of_the_table_do_nothing_on_a_page() -> None:
    for key in ("b", "a", "l", "n", "s", "d", "F", "o", "c", "r", "I", "z", "f", "/", "u", "0", "<", ">", "f6"):
        assert keymap.find(KeyContext.TABLE, key)
        for context in set(KeyContext) - {KeyContext.TABLE, KeyContext.LEAKS}:
            assert keymap.find(context, key) is None


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("f1", {"help"}),
        ("f3", {"filter"}),
        ("f4", {"filter"}),
        ("f6", {"sort-next"}),
        ("f10", {"quit-anywhere"}),
        ("<", {"sort-previous"}),
        (">", {"sort-next"}),
        ("I", {"reverse"}),
        ("F", {"follow"}),
    ],
)
def test_keys_are_those_of_htop(key: str, names: set[str]) -> None:
    for context in (KeyContext.TABLE, KeyContext.LEAKS):
        action = keymap.find(context, key)
        assert {action and action.name} == names


@pytest.mark.parametrize(
    ("context", "key", "why"),
    [
        (KeyContext.PAGE, "b", "it works on the table"),
        (KeyContext.STACKS, "/", "it works on the table"),
        (KeyContext.TABLE, "1", "it works on the page of a cache"),
        (KeyContext.PAGE, "enter", "it works on a stack or a process"),
        (KeyContext.STACKS, "f5", "it works on the tab of processes"),
        (KeyContext.TABLE, "f7", "? shows all keys"),
        (KeyContext.LEAKS, "b", "it works on the table, and l returns there"),
        (KeyContext.TABLE, "v", "it works on the page of a cache"),
        (KeyContext.PAGE, "v", "it works on the tab of what is held, where that has rows"),
        (KeyContext.LEAKS, "1", "it works on the page of a cache"),
        (KeyContext.DIALOG, "b", "Esc closes the dialog"),
        (KeyContext.PROMPT, "f7", "Enter accepts the text, Esc leaves the prompt"),
    ],
)
def test_a_key_without_effect_says_where_it_works(context: KeyContext, key: str, why: str) -> None:
    assert keymap.find(context, key) is None
    assert keymap.why_nothing(context, key) == why


@pytest.mark.parametrize("context", KeyContext)
@pytest.mark.parametrize("width", [0, 10, 40, 80, 400])
def test_the_footer_has_whole_labels_of_keys_that_work_in_its_context(context: KeyContext, width: int) -> None:
    markup = hints(context, width)
    assert sum(len(text) for _, text in markup) <= width
    labels = [text for style, text in markup if style == "label"]
    wanted = [action.label for action in keymap.in_context(context) if action.label]
    assert sorted(labels) == sorted(wanted) if width == 400 else set(labels) <= set(wanted)


@pytest.mark.parametrize("context", KeyContext)
def test_the_help_screen_has_every_action_and_every_column(context: KeyContext) -> None:
    text = "\n".join(line for entry in dialogs.content(context) for line in entry.render((400,)).decoded_text)
    for action in keymap.ACTIONS:
        assert action.help in text
        assert all(keymap.shown(key) in text for key in action.keys)
    for column in (*caches.COLUMNS, *leaks.on_screen(Style.HUMAN)):
        assert column.help in text


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("esc", "Esc"),
        ("ctrl l", "Ctrl-L"),
        (" ", "Space"),
        ("page down", "PgDn"),
        ("G", "G"),
        ("home", "Home"),
        ("f5", "F5"),
        ("\u200b", r"\u200b"),
    ],
)
def test_keys_are_shown_as_people_write_them(key: str, written: str) -> None:
    assert keymap.shown(key) == written
