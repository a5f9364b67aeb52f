"""Completion scripts name every option, and complete values: words, and words with commas between them."""

import shutil
import subprocess

import pytest

from slabtui.cli import completion
from slabtui.cli.parser import parser
from slabtui.columns import text


def script(shell: str) -> str:
    return completion.script(parser(), shell)


def completions(word: str, function: str) -> list[str]:
    """Return what bash offers for a word."""
    code = f"{script('bash')}\n{function} {word!r}"
    ended = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_every_option(shell: str) -> None:
    try:
        written = script(shell)
    except NotImplementedError:
        assert shell == "fish"  # an older shtab
        return
    for action in parser()._actions:
        for name in action.option_strings:
            assert (name if shell != "fish" else name.lstrip("-")) in written
    assert "folded" in written


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_can_parse_its_script(shell: str) -> None:
    if shell == "zsh" and not shutil.which("zsh"):
        assert "_values -s , columns" in script(shell)
        return
    assert subprocess.run([shell, "-n"], input=script(shell), text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("word", "offered"),
    [
        ("", list(text.BY_ID)),
        ("m", ["mem"]),
        ("name,m", ["name,mem"]),
        ("name,live,re", ["name,live,recent", "name,live,reclaim"]),
        ("name,", [f"name,{column}" for column in text.BY_ID]),
        ("name,x", []),
    ],
)
def test_bash_completes_the_last_of_several_columns(word: str, offered: list[str]) -> None:
    assert completions(word, "_slabtui_columns") == offered


def test_bash_completes_the_column_to_sort_by() -> None:
    assert completions("r", "_slabtui_column") == ["rate", "recent", "reclaim"]
