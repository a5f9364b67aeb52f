"""The load of a busy host: commands that each run until they are stopped, or until their time is over."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from subprocess import DEVNULL, Popen

CONNECTIONS = 100  # per second
_FUNCTIONS = 2000  # in the source that is compiled
_SHELL = {
    # A search of the disk reads every directory and every inode again and again.
    "find": "while :; do find / -xdev -size +1000000k; done",
    "compile": f"""
        while :; do
            i=0
            while [ $i -lt {_FUNCTIONS} ]; do
                echo "int f$i(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += i * $i; return s; }}"
                i=$((i + 1))
            done | cc -O2 -x c -c -o /dev/null -
        done""",
    "processes": "while :; do /bin/true; sleep 0.02; done",
}
_COMMANDS: dict[str, Sequence[str]] = {
    **{name: ("sh", "-c", script) for name, script in _SHELL.items()},
    "connections": (sys.executable, "-m", "tests.tools.busy.connections", str(CONNECTIONS)),
}


@contextmanager
def running(seconds: float) -> Iterator[None]:
    """Run all of them with low priority during this block; `timeout` ends each, with its children, in any case."""
    with ExitStack() as stack:
        for command in _COMMANDS.values():
            process = Popen(
                ("timeout", f"{seconds:.0f}", "nice", "-n", "10", *command),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)  # timeout passes it on to its process group
        yield
