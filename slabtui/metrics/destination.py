"""Where metrics go: an address at which a server listens, or a file for node_exporter. Each takes what is exposed."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest

from slabtui.errors import SlabtuiError, Status
from slabtui.metrics.server import Server
from slabtui.metrics.web_config import WebConfig
from slabtui.system import files

_READABLE = 0o644  # node_exporter runs as another user


class Destination(Protocol):
    """Where metrics go."""

    def publish(self) -> None:
        """Expose what the registry has now; SlabtuiError where that fails."""

    def close(self) -> None:
        """Expose nothing more; more than once."""


class Textfile:
    """A file that always is complete, for the textfile collector of node_exporter.

    A hidden file beside it, which is removed with it, keeps other writers out: the file itself is another one after
    each interval.

    Args:
        path: the file. Its end must be `.prom`, because node_exporter reads no others.
        registry: what is exposed.

    Raises:
        SlabtuiError: another slabtui writes it, or it cannot be written.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path = path
        self._registry = registry
        self._lock = path.with_name(f".{path.name}.lock")
        self._locked: int | None = None
        try:
            files.demand_replaceable(path)
            self._locked = files.lock(self._lock)
        except BlockingIOError as error:
            raise SlabtuiError(f"another slabtui writes {path}", "stop it, or name another file") from error
        except OSError as error:
            raise files.unwritable(path, error, Status.USAGE) from error

    def publish(self) -> None:
        """Replace the file."""
        try:
            files.replace(self._path, generate_latest(self._registry), _READABLE, synced=False)
        except OSError as error:
            raise files.unwritable(self._path, error, Status.FAILED) from error

    def close(self) -> None:
        """Remove the file: node_exporter would go on to expose what it says. Then let others write it."""
        locked, self._locked = self._locked, None
        if locked is None:
            return
        try:
            self._path.unlink(missing_ok=True)
            self._lock.unlink(missing_ok=True)
        finally:
            os.close(locked)


class Listener:
    """A server, which answers from the first interval on.

    Args:
        listener: a socket that listens.
        registry: what is exposed.
        web: who may read, and the certificate.
        drop: gives up the capabilities of the thread that calls it.
    """

    def __init__(
        self, listener: socket.socket, registry: CollectorRegistry, web: WebConfig, drop: Callable[[], None]
    ) -> None:
        self._server = Server(listener, registry, web, drop)
        self._is_started = False

    def publish(self) -> None:
        """Begin to serve; the server reads the registry at each request."""
        if not self._is_started:
            self._is_started = True
            self._server.start()

    def close(self) -> None:
        """Do nothing: its threads end with the process, and to wait for them takes half a second."""
