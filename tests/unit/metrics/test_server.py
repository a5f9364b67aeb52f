"""The server answers what it should, and nothing that a client does keeps others out."""

import base64
import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path

import bcrypt
import pytest

from slabtui.errors import SlabtuiError
from slabtui.metrics import server as module
from slabtui.metrics import web_config
from slabtui.metrics.address import Address
from slabtui.metrics.families import registry
from slabtui.metrics.server import MOST_CLIENTS, MOST_HEAD, Server
from slabtui.metrics.web_config import WebConfig
from tests.unit.metrics.test_families import WHOLE, families


@contextmanager
def serving(web: WebConfig | None = None) -> Iterator[Server]:
    server = Server(Address("127.0.0.1", 0).listen(), registry(families(WHOLE)), web or WebConfig(), lambda: None)
    server.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Server]:
    with serving() as server:
        yield server


def port(server: Server) -> int:
    return server.socket.getsockname()[1]


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port(server), timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


def say(server: Server, request: bytes) -> bytes:
    """Return everything that the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port(server)), 10) as connection:
        connection.sendall(request)
        parts = []
        try:
            while part := connection.recv(4096):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def test_it_serves_metrics_and_a_page_with_a_link(server: Server) -> None:
    answer, body = ask(server, "/metrics")
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'\nslabtui_cache_allocations_total{cache="filp"} 9.0\n' in body
    answer, body = ask(server, "/")
    assert answer.status == 200
    assert b'<a href="/metrics">' in body
    answer, body = ask(server, "/metrics", "HEAD")
    assert (answer.status, body) == (200, b"")


def test_the_client_chooses_the_format_the_compression_and_the_families(server: Server) -> None:
    answer, body = ask(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert str(answer.getheader("Content-Type")).startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    answer, packed = ask(server, "/metrics", Accept_Encoding="gzip")
    assert answer.getheader("Content-Encoding") == "gzip"
    assert b"slabtui_cache_memory_bytes" in gzip.decompress(packed)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics/", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("BREW", "/metrics", 405),
        ("POST", "/x", 404),
    ],
)
def test_everything_else_is_refused(server: Server, method: str, path: str, status: int) -> None:
    answer, _ = ask(server, path, method)
    assert answer.status == status
    assert answer.getheader("Allow") == ("GET, HEAD" if status == 405 else None)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /metrics HTTP/x\r\n\r\n", b"400"),
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET /" + b"a" * MOST_HEAD + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 150 + b"\r\n", b"431"),
        (b"<script>alert(1)</script> HTTP/1.1\r\n\r\n", b"400"),
    ],
)
def test_malformed_and_long_requests_are_answered_with_an_error(server: Server, request_: bytes, status: bytes) -> None:
    answer = say(server, request_)
    assert status in answer
    assert b"<script>" not in answer.partition(b"\r\n\r\n")[2]


def test_an_ipv6_literal_that_is_none_is_no_path(server: Server) -> None:
    assert b" 404 " in say(server, b"GET http://[/metrics HTTP/1.1\r\n\r\n")


def test_a_client_that_sends_its_request_too_slowly_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.5)
    with serving() as server, socket.create_connection(("127.0.0.1", port(server)), 5) as connection:
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 5:
                connection.sendall(b"x")
                time.sleep(0.02)
        assert 0.4 < time.monotonic() - began < 4


def test_slow_aborted_and_malformed_clients_change_nothing(server: Server) -> None:
    """200 clients of these kinds at a time, while another one reads."""
    requests = (b"", b"GET /metrics HTTP/1.1\r\nA: ", b"\x16\x03\x01\x02", b"GET /metrics HTTP/1.1\r\n\r\n", b"\n" * 99)
    expected = ask(server, "/")[1]
    before = threading.active_count()
    clients = []
    for number in range(200):
        client = socket.create_connection(("127.0.0.1", port(server)), 5)
        client.sendall(requests[number % len(requests)])
        if number % 3 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
            client.close()
        clients.append(client)
        if number % 20 == 0:
            assert ask(server, "/")[1] == expected
    assert threading.active_count() - before <= MOST_CLIENTS
    answer, body = ask(server, "/metrics")
    assert answer.status == 200
    assert b'cache="filp"} 9.0' in body
    for client in clients:
        client.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a web config with a certificate and two users."""
    place = tmp_path_factory.mktemp("web")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.crt"],
        cwd=place, check=True, capture_output=True,
    )  # fmt: skip
    hashed = {name: bcrypt.hashpw(password, bcrypt.gensalt(4)).decode() for name, password in PASSWORDS.items()}
    users = "".join(f"  {name}: {one}\n" for name, one in hashed.items())
    path = place / "web.yml"
    path.write_text(f"tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\nbasic_auth_users:\n{users}")
    return path


PASSWORDS = {"prometheus": "päss:word".encode(), "long": b"x" * 72}


def test_only_its_users_can_read_over_tls(certified: Path) -> None:
    client = ssl.create_default_context(cafile=str(certified.parent / "tls.crt"))

    def status(*words: bytes) -> int:
        connection = HTTPSConnection("127.0.0.1", port(server), timeout=10, context=client)
        headers = {"Authorization": f"Basic {base64.b64encode(b':'.join(words)).decode()}"} if words else {}
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200 or answer.getheader("WWW-Authenticate") == 'Basic realm="slabtui", charset="UTF-8"'
        return answer.status

    with serving(web_config.read(certified)) as server:
        slow = socket.create_connection(("127.0.0.1", port(server)), 5)  # begins no handshake
        assert say(server, b"GET /metrics HTTP/1.1\r\n\r\n")[:5] != b"HTTP/"
        for name, password in (*PASSWORDS.items(), ("long", b"x" * 80)):  # bcrypt uses 72 bytes
            assert status(name.encode(), password) == 200
        assert status() == 401
        assert status(b"prometheus", b"wrong") == 401
        assert status(b"nobody", b"") == 401
        assert status(b"prometheus", b"\0") == 401
        assert status(b"\xff") == 401
        clients = [socket.create_connection(("127.0.0.1", port(server)), 5) for _ in range(3 * MOST_CLIENTS)]
        assert status(b"prometheus", PASSWORDS["prometheus"]) == 200
        for one in (slow, *clients):
            one.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a", "the file is not a mapping"),
        ("a: [", "it is not YAML"),
        ("tls_server_config: {cert_file: a}", "tls_server_config has no key_file"),
        ("tls_server_config: {cert_file: a, key_file: b}", r"cannot load .*/a and .*/b \(No such file or directory\)"),
        (
            "tls_server_config: {client_ca_file: a}",
            "client_ca_file is not supported in tls_server_config: cert_file and",
        ),
        ("http_server_config: {}", "http_server_config is not supported in the file"),
        ("basic_auth_users: {a: secret}", "the password of a is no bcrypt hash, as htpasswd -nB makes it"),
        ("basic_auth_users: [a]", "basic_auth_users is not a mapping"),
    ],
)
def test_a_web_config_that_would_protect_less_than_it_says_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.yml"
    path.write_text(content)
    with pytest.raises(SlabtuiError, match=message):
        web_config.read(path)


def test_a_web_config_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlabtuiError, match=r"^cannot read .*/x \(No such file or directory\): check the path$"):
        web_config.read(tmp_path / "x")
