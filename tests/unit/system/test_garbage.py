"""The pauses of Python's collector of cycles."""

import subprocess
import sys

WITH_HISTORY = """
import gc, sys
from slabtui.system import garbage
{call}
history = [[number] for number in range(300_000)]
full = gc.get_stats()[2]["collections"]
for _ in range(200_000):
    cycle = []
    cycle.append(cycle)
walks = 0 if sys.version_info >= (3, 14) else gc.get_stats()[2]["collections"] - full  # 3.14 walks it in parts
print(walks, gc.get_freeze_count() > 0)
"""


def collections(call: str) -> list[str]:
    script = WITH_HISTORY.format(call=call)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_a_long_history_is_not_walked_while_keys_are_pressed() -> None:
    assert collections("garbage.shorten_pauses()") == ["0", "True"]
    assert collections("")[1] == "False"
