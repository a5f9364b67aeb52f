"""slabtui on another host, started there by ssh(1), which records to its standard output."""

import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BufferedReader
from tempfile import TemporaryFile
from typing import cast

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.recording import reader

# Root needs no sudo, and may have none. sudo cannot ask for a password: standard output is the recording.
_AS_ROOT = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n "$@"; fi'
_MOST_OF_ERRORS = 4096  # bytes; the last line is shown
_PATIENCE = 0.2  # seconds to wait for ssh once it is told to end
_FROM_SLABTUI = "slabtui: "  # begins its error, which ends in the remedy
_OWN_ERROR = 255  # exit status of ssh for an error of its own, ssh(1)


class Remote:
    """A stream of snapshots from another host.

    ssh asks on the terminal for what it needs, before the first snapshot comes.

    Args:
        host: as ssh takes it.
        options: for slabtui there.

    Raises:
        SlabtuiError: this is no host, or there is no ssh.
    """

    def __init__(self, host: str, options: Sequence[str]) -> None:
        if not host or host.startswith("-"):
            raise SlabtuiError(f"--ssh {host!r} is no host", "name one, as in slabtui --ssh web1", Status.USAGE)
        self._host = host
        self._errors = TemporaryFile()  # noqa: SIM115  ssh writes to it as long as it runs
        command = shlex.join(["sh", "-c", _AS_ROOT, "sh", "slabtui", *options, "--record", "-"])
        try:
            self._process = subprocess.Popen(
                ["ssh", "-C", "--", host, command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            raise SlabtuiError(f"cannot start ssh ({error.strerror})", "apt-get install openssh-client") from error

    def read(self) -> Iterator[Snapshot]:
        """Yield the snapshots as they come.

        Raises:
            SlabtuiError: ssh or slabtui there has failed; it has the last line that they wrote.
        """
        yield from reader.follow(cast("BufferedReader", self._process.stdout), self._host)
        status = self._process.wait()
        if status:
            found = self._last_error(status)
            cause, _, remedy = found.removeprefix(_FROM_SLABTUI).rpartition(": ")
            if not found.startswith(_FROM_SLABTUI) or not cause:
                command = "slabtui --version" if status != _OWN_ERROR else "true"
                cause, remedy = found, f"try ssh {self._host} {command}"
            raise SlabtuiError(f"{self._host}: {cause}", remedy)

    def close(self) -> None:
        """End ssh; slabtui there ends when it can write no more."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)

    def _last_error(self, status: int) -> str:
        end = self._errors.seek(0, 2)
        self._errors.seek(max(0, end - _MOST_OF_ERRORS))
        written = self._errors.read().decode(errors="replace").strip().splitlines()
        return written[-1] if written else f"ssh ended with status {status}"
