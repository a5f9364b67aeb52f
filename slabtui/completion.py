"""What a shell completes where argparse does not know the values: names of columns and caches, and PIDs."""

from slabtui import columns

Completion = dict[str, str | dict[str, str]]  # shell -> function or command; "preamble" -> shell -> what defines it


def _words(name: str, command: str) -> Completion:
    """Return a completion by the words that a shell command prints at the moment of completing.

    Args:
        name: what they are, as part of the name of a shell function.
        command: for any shell: fish reads it in double quotes, so it has no dollar sign. bash expands the words, so
            they have nothing in them that it would act on.
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


COLUMNS = _words("columns", f"printf '%s\\n' {' '.join(columns.SORTS)}")
CACHES = _words("caches", "ls /sys/kernel/slab 2>/dev/null | grep -v '[^A-Za-z0-9_.-]'")
PROCESSES = _words("processes", "ls /proc | grep -v '[^0-9]'")
