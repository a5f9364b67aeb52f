"""Where metrics go: an address at which a server listens, or a file for node_exporter. Each takes what is exposed."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest

from slabtui.metrics.server import Server
from slabtui.metrics.web_config import WebConfig
from slabtui.system import files

_READABLE = 0o644  # node_exporter runs as another user


class Destination(Protocol):
    """Where metrics go."""

    def publish(self) -> None:
        """Expose what the registry has now; OSError where that fails."""

    def close(self) -> None:
        """Expose nothing more."""


class Textfile:
    """A file that always is complete, for the textfile collector of node_exporter.

    Args:
        path: the file. Its end must be `.prom`, because node_exporter reads no others.
        registry: what is exposed.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path = path
        self._registry = registry

    def publish(self) -> None:
        """Replace the file."""
        files.replace(self._path, generate_latest(self._registry), _READABLE, synced=False)

    def close(self) -> None:
        """Remove the file: node_exporter would go on to expose what it says."""
        self._path.unlink(missing_ok=True)


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
