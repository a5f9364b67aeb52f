"""An HTTP server for a few clients that are not trusted: their number, their requests and their time are limited."""

import base64
import binascii
import io
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app

from slabtui.metrics.web_config import WebConfig
from slabtui.system import threads

MOST_CLIENTS = 16  # connections at a time; one monitoring system needs one or two
MOST_HEAD = 8192  # bytes of the request line and all headers; Prometheus sends some 300
SECONDS = 5.0  # for the handshake and the request, and again for the answer

_CHUNK = 4096
_PATH = "/metrics"
_PAGE = f'<!doctype html><title>slabtui</title><h1>slabtui</h1><p><a href="{_PATH}">Metrics</a></p>\n'.encode()
_READ = ("GET", "HEAD")


class Server(ThreadingMixIn, TCPServer):
    """Serves metrics, each client in a thread of its own.

    If MOST_CLIENTS are connected and one more comes, the connection that has waited longest for its request is closed:
    so no number of slow clients keeps others out. The server does not keep connections open between requests.

    Args:
        listener: a socket that listens.
        registry: what is served.
        web: who may read, and the certificate.
        drop: gives up the capabilities of the thread that calls it; the threads of all clients inherit that.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, listener: socket.socket, registry: CollectorRegistry, web: WebConfig, drop: Callable[[], None]
    ) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.app = make_wsgi_app(registry)
        self.web = web
        self._drop = drop
        self._slots = threading.Semaphore(MOST_CLIENTS)
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, None] = {}  # connections without a whole request, the oldest first
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to serve.

        Raises:
            SlabtuiError: the process may not create another thread.
        """
        threads.start(self._thread)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the handshake comes in the thread of the client."""
        connection, address = super().get_request()
        if self.web.tls:
            connection.settimeout(SECONDS)
            connection = self.web.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a client, as soon as there is room for it."""
        if not self._slots.acquire(blocking=False):
            self._close_oldest()
            self._slots.acquire()
        with self._lock:
            self._waiting[request] = None
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread: the caller closes the connection
            self.has_request(request)
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a client, and make room for another one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_request(request)
            self._slots.release()

    def has_request(self, connection: socket.socket) -> None:
        """Note that a connection has its whole request, or has ended: it makes no room for others any more."""
        with self._lock:
            self._waiting.pop(connection, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that is gone, too slow, or speaks no TLS: anybody can cause that."""

    def _close_oldest(self) -> None:
        with self._lock:
            oldest = next(iter(self._waiting), None)
            if oldest is not None:
                del self._waiting[oldest]
                with suppress(OSError):  # the client is gone
                    # That of an SSL socket would take the TLS state away from the thread that uses it.
                    socket.socket.shutdown(oldest, socket.SHUT_RDWR)

    def _run(self) -> None:
        self._drop()
        self.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    """Reads one request, with limits, and answers it."""

    server: Server
    server_version, sys_version = "slabtui", ""

    def setup(self) -> None:
        """Read the request, and keep the answer until it is complete."""
        self.connection = self.request
        end = time.monotonic() + SECONDS
        self._head = _read_head(self.connection, end, is_tls=self.server.web.tls is not None)
        self.server.has_request(self.connection)
        self.rfile = io.BufferedReader(io.BytesIO(self._head))
        self.wfile: io.BytesIO = io.BytesIO()

    def handle(self) -> None:
        """Answer the request. Python's own method would answer 501 to methods that this server does not have."""
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline:
            return
        if len(self._head) > MOST_HEAD:
            self.requestline, self.request_version, self.command = "", self.default_request_version, "GET"
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.parse_request():
            self._answer()

    def finish(self) -> None:
        """Send the answer."""
        self.connection.settimeout(SECONDS)
        self.connection.sendall(self.wfile.getvalue())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name of the parameter is Python's
        """Log nothing: clients could fill a disk."""

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        if not self._is_allowed():
            self._send(HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="slabtui", charset="UTF-8"')])
        elif path not in ("/", _PATH):
            self._send(HTTPStatus.NOT_FOUND)
        elif self.command not in _READ:
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, [("Allow", ", ".join(_READ))])
        elif path == "/":
            self._send(HTTPStatus.OK, [("Content-Type", "text/html; charset=utf-8")], _PAGE)
        else:
            self._send_metrics(query)

    def _send_metrics(self, query: str) -> None:
        """Let prometheus_client choose the format and the compression."""
        environment = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": _PATH,
            "QUERY_STRING": query,
            "HTTP_ACCEPT": self.headers.get("Accept", ""),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
        }
        headers: list[tuple[str, str]] = []
        body = b"".join(self.server.app(environment, lambda status, found, *_: headers.extend(found)))
        self._send(HTTPStatus.OK, headers, body)

    def _send(
        self, status: HTTPStatus, headers: list[tuple[str, str]] | None = None, body: bytes | None = None
    ) -> None:
        content = f"{status} {status.phrase}\n".encode() if body is None else body
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _is_allowed(self) -> bool:
        if not self.server.web.users:
            return True
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self.server.web.allows(user, password)


def _read_head(connection: Any, end: float, *, is_tls: bool) -> bytes:
    """Return a request up to its empty line; or as much of it as shows that it is too long.

    Args:
        connection: where it comes from.
        end: until when, in seconds of the monotonic clock.
        is_tls: whether the handshake comes first.

    Raises:
        OSError: the time is over (TimeoutError), or the client is gone.
    """
    if is_tls:
        connection.settimeout(end - time.monotonic())
        connection.do_handshake()
    head = b""
    while len(head) <= MOST_HEAD and b"\r\n\r\n" not in head and b"\n\n" not in head:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        if not (data := connection.recv(_CHUNK)):
            raise ConnectionError
        head += data
    return head
