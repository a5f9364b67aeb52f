"""Runs commands as another user, who need not be able to reach the checkout, such as one below a home directory."""

import stat
from pathlib import Path

OTHER_USER = 65534

_CHECKOUT = Path(__file__).parents[1]
_REACH = """
mount --bind "$0" /mnt
mount -t tmpfs -o mode=755 none "$1"
shift
mkdir -p "$0"
mount --bind /mnt "$0"
umount /mnt
cd "$0"
exec "$@"
"""


def reachable() -> list[str]:
    """Return what runs a command so that any user can reach the checkout, at the same path, in mounts of its own."""
    for directory in reversed(_CHECKOUT.parents):
        if not directory.stat().st_mode & stat.S_IXOTH:
            return ["unshare", "--mount", "sh", "-ec", _REACH, str(_CHECKOUT), str(directory)]
    return []


def unprivileged() -> list[str]:
    """Return what runs a command as another user without any capability."""
    return [*reachable(), "setpriv", f"--reuid={OTHER_USER}", "--clear-groups"]
