"""Pasted text is text: it goes into an open prompt, and does nothing elsewhere."""

import sys
import time
from pathlib import Path

import pytest

from slabtui.views.paste import Pastes, pasted
from slabtui.views.state import State
from tests.support.fakes import cache
from tests.support.terminal import Terminal
from tests.unit.views.test_app import Screen

BEGIN, END = "\x1b[200~", "\x1b[201~"
FAULTY = [sys.executable, "-m", "tests.support.faulty", "many", "0.1"]


def many(directory: Path) -> Terminal:
    return Terminal(["env", "-C", str(directory), f"PYTHONPATH={Path.cwd()}", *FAULTY], size=(120, 24))


def joined(*parts: list[str]) -> list[str]:
    """Return the keys that come out of several reads, pastes as `<TEXT>`."""
    pastes = Pastes()
    keys = [key for part in parts for key in pastes.join(part)]
    return [key if pasted(key) is None else f"<{pasted(key)}>" for key in keys]


def test_keys_that_are_pressed_stay() -> None:
    assert joined(["q", "enter"], ["up"]) == ["q", "enter", "up"]


@pytest.mark.parametrize("newline", ["enter", "ctrl j"])
def test_a_paste_is_one_key_with_its_first_line(newline: str) -> None:
    assert joined(["/", "begin paste", "a", " ", "b", newline, "e", newline, "end paste", "q"]) == ["/", "<a b>", "q"]


def test_a_paste_in_parts_is_one_key() -> None:
    assert joined(["begin paste"], ["a"], ["q", "tab", "\x85"], ["end paste"], ["x"]) == ["<aq>", "x"]


def test_the_end_of_a_paste_that_came_in_parts_is_an_end() -> None:
    for end in (["esc"], ["[", "2"], ["0", "1", "~"]), (["meta ["], ["2", "0", "1", "~"]):
        assert joined(["begin paste", "a", "enter"], *end, ["x"])[-1] == "x"


def test_a_paste_right_after_esc_is_a_paste() -> None:
    assert joined(["meta begin paste", "q", "meta end paste", "x"]) == ["esc", "<q>", "x"]


def test_an_end_without_a_beginning_is_nothing() -> None:
    assert joined(["end paste", "x"]) == ["x"]


def test_a_paste_that_is_longer_than_any_prompt_needs_is_cut() -> None:
    (key,) = Pastes().join(["begin paste", *"x" * 10_000, "end paste"])
    assert pasted(key) == "x" * 4096


def test_a_resize_during_a_paste_is_seen_at_once() -> None:
    pastes = Pastes()
    assert pastes.join(["begin paste", "a", "window resize"]) == ["window resize"]
    assert pastes.join(["b", "end paste"]) == ["paste ab"]


def test_a_terminal_that_is_resized_during_a_paste_is_drawn_in_its_new_size() -> None:
    with Terminal(FAULTY, size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("\x1b[200~" + "x" * 100)
        terminal.draw_for(0.5)
        terminal.resize((60, 20))
        terminal.draw_for(0.5)
        terminal.type("\x1b[201~")
        terminal.wait_for(lambda: terminal.lines[-1].startswith("?Help"))
        assert "CACHE" in terminal.lines[2]


def test_a_paste_filters_once(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(cache(1, "dentry", allocs=1), cache(2, "inode_cache", allocs=1))
    filters, really = [], State.filter_by
    monkeypatch.setattr(State, "filter_by", lambda state, text: (filters.append(text), really(state, text)))
    screen.type("/")
    screen.type(*Pastes().join(["begin paste", *"dent" * 500, "end paste"]))
    assert len(filters) == 1


def test_what_is_pasted_into_the_filter_runs_no_command(tmp_path: Path) -> None:
    with many(tmp_path) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        terminal.type(f"/{BEGIN}cache-49\re\r{END}")
        terminal.wait_for(lambda: "11 of 500 caches" in terminal.text)
        terminal.draw_for(0.3)
        assert terminal.lines[-1].startswith("Filter: cache-49")
        terminal.type("\rn")
        terminal.wait_for(lambda: "CACHE▲" in terminal.text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["dentry\rq", "e\r", "q", "?", "/q\r"])
def test_what_is_pasted_on_the_table_or_a_dialog_does_nothing(text: str, tmp_path: Path) -> None:
    with many(tmp_path) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        footer = terminal.lines[-1]
        terminal.type(f"{BEGIN}{text}{END}")
        terminal.draw_for(0.5)
        assert terminal.lines[-1] == footer
        terminal.type("?")
        terminal.wait_for(lambda: "slabtui help" in terminal.text)
        terminal.type(f"{BEGIN}{text}{END}")
        terminal.draw_for(0.5)
        assert "slabtui help" in terminal.text
        terminal.type("qq")
        assert terminal.wait_for_exit() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_long_paste_does_not_freeze_the_screen(tmp_path: Path) -> None:
    with many(tmp_path) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        terminal.type("/")
        terminal.wait_for(lambda: "Filter:" in terminal.text)
        for part in (BEGIN, *["cache" * 160] * 20, END):
            terminal.type(part)
        began = time.monotonic()
        terminal.wait_for(lambda: "0 of 500 caches" in terminal.text)
        assert time.monotonic() - began < 10


def test_the_terminal_is_asked_to_mark_what_is_pasted() -> None:
    with Terminal(FAULTY) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        assert b"\x1b[?2004h" in terminal.output
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert terminal.output.rfind(b"\x1b[?2004l") > terminal.output.rfind(b"\x1b[?2004h")
