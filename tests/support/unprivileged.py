"""Runs commands as another user, even if that user cannot reach this checkout or its Python (as below /root)."""

import shlex
import stat
import sys
from pathlib import Path

from tests import ROOT

OTHER_USER = 65534

_NEEDED = (ROOT, Path(sys.base_prefix))


def reachable() -> list[str]:
    """Return a command that runs another one in a mount namespace where any user can reach both, at the same paths."""
    hidden = {path: above for path in _NEEDED if (above := _first_closed(path))}
    if not hidden:
        return []
    kept = {path: f"/mnt/{number}" for number, path in enumerate(hidden)}
    script = ["mount -t tmpfs none /mnt"]
    script += [f"mkdir {place}; mount --bind {shlex.quote(str(path))} {place}" for path, place in kept.items()]
    script += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(above))}" for above in set(hidden.values())]
    for path, place in kept.items():
        there = shlex.quote(str(path))
        script.append(f"mkdir -p {there}; mount --bind {place} {there}")
    script += ["umount -R /mnt", 'cd "$PWD"', 'exec "$@"']
    return ["unshare", "--mount", "sh", "-ec", "\n".join(script), "sh"]


def unprivileged() -> list[str]:
    """Return a command that runs another one as another user without any capability."""
    return [*reachable(), "setpriv", f"--reuid={OTHER_USER}", "--clear-groups"]


def _first_closed(path: Path) -> Path | None:
    """Return the uppermost directory above a path that other users cannot search."""
    above = (directory for directory in reversed(path.parents) if not directory.stat().st_mode & stat.S_IXOTH)
    return next(above, None)
