"""Where metrics go, as users write it, and what is refused."""

import socket
from pathlib import Path

import pytest

from slabtui.cli import command_line
from slabtui.errors import SlabtuiError, Status
from slabtui.metrics.address import Address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9811", Address("127.0.0.1", 9811)),
        ("0.0.0.0:9811", Address("0.0.0.0", 9811)),
        ("[::1]:9811", Address("::1", 9811)),
        ("localhost:0", Address("localhost", 0)),
        ("/run/slabtui.prom", Path("/run/slabtui.prom")),
        ("9811.prom", Path("9811.prom")),
    ],
)
def test_an_address_or_a_file(text: str, expected: Address | Path) -> None:
    assert command_line.parse(["--metrics", text]).metrics == expected


@pytest.mark.parametrize(
    "text", ["", "x", ":9811", "::1:9811", "[::1]", "65536", "-1", "1.5", "٣", "a:b:1", "f.txt", "[]:1"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SlabtuiError, match="is neither an address") as caught:
        command_line.parse([f"--metrics={text}"])
    assert caught.value.status is Status.USAGE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "1", "-C"], "--metrics does not go with -C, -b, -o or --output: leave one out"),
        (["--metrics", "1", "-s", "bytes"], "--metrics does not go with -s or --all: leave one out"),
        (["--metrics", "1", "--all"], "--metrics does not go with -s or --all: leave one out"),
        (["--metrics", "1", "--demo"], "--metrics does not go with a recording or another host: leave one out"),
        (
            ["--metrics", "1", "--held", "filp"],
            "--metrics does not go with an inspection, --leaks or --report: leave one out",
        ),
        (["--metrics", "1", "-f", "x"], "-f chooses rows, not metrics: use --metrics-include or --metrics-exclude"),
        (["--metrics", "a.prom", "--web-config", "x"], "--web-config applies to a server, not to a file: leave it out"),
        (["--metrics-include", "x"], "--metrics-include applies to metrics: add --metrics"),
        (["--metrics-exclude", "x"], "--metrics-exclude applies to metrics: add --metrics"),
        (["--metrics-held"], "--metrics-held applies to metrics: add --metrics"),
        (["--web-config", "x"], "--web-config applies to metrics: add --metrics"),
        (
            ["--metrics", "1", "--metrics-held", "-p", "1"],
            "--metrics-held needs the live objects, which the kernel counts for all processes together: "
            "leave out -p and --cgroup",
        ),
    ],
)
def test_what_does_not_go_together(arguments: list[str], message: str) -> None:
    with pytest.raises(SlabtuiError) as caught:
        command_line.parse(arguments)
    assert (str(caught.value), caught.value.status) == (message, Status.USAGE)


def test_an_address_that_cannot_be_used_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SlabtuiError, match=rf"^cannot listen at 127\.0\.0\.1:{port} \(Address already in use\): choose"
        ):
            Address("127.0.0.1", port).listen()
    with pytest.raises(SlabtuiError, match=r"^cannot listen at 192\.0\.2\.1:0 \(Cannot assign requested address\)"):
        Address("192.0.2.1", 0).listen()
    with pytest.raises(SlabtuiError, match=r"^cannot listen at \.\.x:0 \("):
        Address("..x", 0).listen()


def test_all_addresses_are_those_of_both_protocols() -> None:
    with Address("::", 0).listen() as listener:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, listener.getsockname()[1]), 5).close()
