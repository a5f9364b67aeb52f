"""Writes completion scripts: a shell then completes options, PIDs, and names of columns and caches."""

import argparse
from collections.abc import Iterable

import shtab

from slabtui.columns import text

Completion = dict[str, str | dict[str, str]]  # shell -> function or command; "preamble" -> shell -> its definition


def _words(name: str, command: str) -> Completion:
    """Return a completion with the words that a shell command prints when the user asks for completions.

    Args:
        name: of the words, part of the name of a shell function.
        command: works in any shell. It has no dollar sign, because fish reads it in double quotes. Its words have no
            special characters, because bash expands them.
    """
    function = f"_slabtui_{name}"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({command})",
        "preamble": {
            "bash": f'{function}() {{ compgen -W "$({command})" -- "$1"; }}',
            "zsh": f"{function}() {{ compadd -- $({command}) }}",
        },
    }


def _list(name: str, words: Iterable[str]) -> Completion:
    """Return a completion with words of which the user may type several, with commas between them.

    bash completes what stands behind the last comma, fish the first word only.
    """
    function = f"_slabtui_{name}"
    joined = " ".join(words)
    return {
        "bash": function,
        "zsh": function,
        "fish": f"(printf '%s\\n' {joined})",
        "preamble": {
            "bash": f"""{function}() {{ compgen -P "${{1%"${{1##*,}}"}}" -W "{joined}" -- "${{1##*,}}"; }}""",
            "zsh": f"{function}() {{ _values -s , {name} {joined} }}",
        },
    }


_CACHES = _words("caches", "ls /sys/kernel/slab 2>/dev/null | grep -v '[^A-Za-z0-9_.-]'")
_VALUES = {  # by the destination of the option
    "sort": _words("column", f"printf '%s\\n' {' '.join(text.BY_ID)}"),
    "columns": _list("columns", text.BY_ID),
    "filter": _CACHES,
    "pid": _words("processes", "ls /proc | grep -v '[^0-9]'"),
    "cgroup": shtab.DIRECTORY,
    "callers": _CACHES,
    "stacks": _CACHES,
    "processes": _CACHES,
    "metrics": shtab.FILE,
    "metrics_include": _CACHES,
    "metrics_exclude": _CACHES,
    "web_config": shtab.FILE,
    "record": shtab.FILE,
    "replay": shtab.FILE,
}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script of a command line for a shell.

    Raises:
        NotImplementedError: there is none for this shell.
    """
    for action in parser._actions:
        if action.dest in _VALUES:
            action.complete = _VALUES[action.dest]  # type: ignore[attr-defined]
        elif action.dest == "print_completion":
            action.choices = shtab.SUPPORTED_SHELLS
    return shtab.complete(parser, shell)
