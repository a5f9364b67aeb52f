"""The screen in every kind of encoding: names as they are in UTF-8, and ASCII in all others."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

LOCALES = {  # as Python calls the encoding -> what localedef(1) makes the locale of
    "EUC-JP": ("ja_JP", "EUC-JP"),
    "EUC-KR": ("ko_KR", "EUC-KR"),
    "BIG5": ("zh_TW", "BIG5"),
    "GBK": ("zh_CN", "GBK"),
    "GB18030": ("zh_CN", "GB18030"),
    "SHIFT_JIS": ("ja_JP", "SHIFT_JIS"),
    "ISO-8859-1": ("de_DE", "ISO-8859-1"),
    "KOI8-R": ("ru_RU", "KOI8-R"),
    "ANSI_X3.4-1968": ("en_US", "ANSI_X3.4-1968"),
}
DEMO = [sys.executable, "-m", "slabtui", "--demo"]


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for LOCPATH with all of these locales."""
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/ja_JP").exists():
        pytest.fail("the locales cannot be made: apt-get install locales")
    place = tmp_path_factory.mktemp("locales")
    for name, (language, charmap) in LOCALES.items():
        # -c: it warns that Shift JIS has a yen sign in the place of a backslash
        command = ["localedef", "-c", "-i", language, "-f", charmap, str(place / f"{language}.{name}")]
        subprocess.run(command, capture_output=True, check=False)
        assert (place / f"{language}.{name}" / "LC_CTYPE").exists()
    return place


def of(name: str, place: Path) -> dict[str, str]:
    """Return the environment with this encoding, of which Python makes UTF-8 in the "C" locale only."""
    return {
        "LOCPATH": str(place),
        "LC_ALL": f"{LOCALES[name][0]}.{name}",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }


@pytest.mark.parametrize("name", LOCALES)
def test_the_locale_is_the_one_that_is_meant(name: str, locales: Path) -> None:
    command = [sys.executable, "-c", "import locale; print(locale.getpreferredencoding(False))"]
    said = subprocess.run(command, env={**os.environ, **of(name, locales)}, capture_output=True, text=True, check=True)
    assert said.stdout.strip().upper() == name


@pytest.mark.parametrize("name", LOCALES)
def test_every_view_is_drawn_in_ascii(name: str, locales: Path) -> None:
    command = [sys.executable, "-m", "tests.support.faulty", "foreign", "0.1"]
    with Terminal(command, size=(160, 24), env=of(name, locales)) as terminal:
        terminal.wait_for(lambda: "8 of 8 caches" in terminal.text)
        assert r"e\u0301\u0301" in terminal.text
        assert r"caf\u00e9" in terminal.text
        assert "BYTES/sv" in terminal.text
        for keys, *seen in (
            ("n", "CACHE^"),
            ("/\u0645\u0301\u540d.5\r", "filter: .5"),
            ("\x1b", "8 of 8"),
            ("?", "+----"),
            ("q", "CACHE^"),
            ("\r2", " STACK ", "12.5%"),
            ("\r", "2 frames"),
            ("q3", "CGROUP", r"\u540d\u524d"),
            ("4", "CALL SITE", "12.5%"),
            ("5", r"Aliases     e\u0301\u0301"),
            ("\x1b", "HISTORY"),
            ("p", "PAUSED"),
        ):
            terminal.type(keys)
            terminal.wait_for(lambda seen=seen: all(one in terminal.text for one in seen), 20)
        for size in ((40, 10), (21, 5), (10, 3), (80, 24)):
            terminal.resize(size)
            terminal.draw_for(0.2)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert bytes(terminal.output).isascii()
        assert b"????" not in terminal.output
        assert not re.search(rb"[^\x1b]\x0e", terminal.output)  # the characters for drawing lines


@pytest.mark.parametrize("name", LOCALES)
def test_the_demo_has_its_history_and_marks(name: str, locales: Path) -> None:
    with Terminal(DEMO, env=of(name, locales)) as terminal:
        terminal.wait_for(lambda: "names_cache" in terminal.text)
        terminal.type("+++++")
        terminal.wait_for(lambda: bool(re.search(r" [-=+*%#.]{5,}", terminal.text)))
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert bytes(terminal.output).isascii()


@pytest.mark.parametrize("name", LOCALES)
def test_outputs_and_messages_work(name: str, locales: Path) -> None:
    for arguments in (["-C", "0.1", "2"], ["--output", "csv", "0.1", "2"], ["--help"], ["--print-completion", "bash"]):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.support.faulty", "foreign", *arguments],
            env={**os.environ, **of(name, locales)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, b"")


def test_in_utf_8_names_are_drawn_as_they_are() -> None:
    with Terminal([sys.executable, "-m", "tests.support.faulty", "foreign", "0.1"], size=(160, 24)) as terminal:
        terminal.wait_for(lambda: "BYTES/s▼" in terminal.text)
        terminal.wait_for(lambda: "\u540d" in terminal.text)
        terminal.type("?")
        terminal.wait_for(lambda: "┌" in terminal.text)
        terminal.type("qq")
        assert terminal.wait_for_exit() == 0
