"""Real monitoring systems that scrape slabtui: Prometheus and VictoriaMetrics, as Debian builds them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

_UNPACKED = Path(sys.prefix) / "usr/bin"  # where tests/tools/packaging/setup.sh unpacks them
_START = 30  # seconds that one may take to start
SYSTEMS = ("prometheus", "victoria-metrics")


def find(program: str) -> str | None:
    """Return the path of a program; None: it is not here, as not every release of Debian has a package of it."""
    return shutil.which(program, path=f"{os.environ['PATH']}:{_UNPACKED}")


def demand(program: str) -> str:
    """Return the path of a program, or skip the test."""
    found = find(program)
    if found is None:
        pytest.skip(f"no {program} on this machine: apt-get install {program}")
    return found


def systems() -> list[str]:
    """Return which of SYSTEMS are here; skip the test if none is."""
    found = [name for name in SYSTEMS if find(name)]
    if not found:
        demand(SYSTEMS[0])
    return found


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Monitoring:
    """One running system, which answers PromQL.

    Attributes:
        name: its program.
        url: where it answers.
        process: its process.
    """

    name: str
    url: str
    process: "subprocess.Popen[bytes]"

    def wait(self) -> None:
        """Wait until it has scraped slabtui."""
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(URLError):
                if self.query("slabtui_events_total"):
                    return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} does not start, or does not scrape")

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the series that an expression has at a time (seconds since the epoch; None: now)."""
        if self.name == "victoria-metrics":
            self._get("/internal/force_flush")  # else samples are found a few seconds later
        when = {} if at is None else {"time": f"{at:.3f}"}
        answer = json.loads(self._get(f"/api/v1/query?{urlencode({'query': expression} | when)}"))
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def value(self, expression: str, at: float | None = None) -> float:
        """Return the value of an expression that has one series."""
        (one,) = self.query(expression, at)
        return float(one["value"][1])

    def rules(self) -> list[dict[str, Any]]:
        """Return the groups of rules, as evaluated last."""
        found: list[dict[str, Any]] = json.loads(self._get("/api/v1/rules"))["data"]["groups"]
        return found

    def samples(self, metric: str, seconds: int, end: float | None = None) -> list[tuple[float, float]]:
        """Return the samples of one series in the last seconds before a time (None: now), each with its time."""
        (one,) = self.query(f"{metric}[{seconds}s]", end)
        return [(when, float(value)) for when, value in one["values"]]

    def _get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=10) as answer:
            return bytes(answer.read())


@contextmanager
def scraping(
    name: str, directory: Path, port: int, every: float = 1.0, rules: Sequence[Path] = ()
) -> Iterator[Monitoring]:
    """Run a monitoring system that scrapes this port of this host, as soon as it has started.

    Args:
        name: its program, one of SYSTEMS.
        directory: for its data.
        port: where slabtui serves metrics.
        every: seconds between scrapes.
        rules: files with rules that it evaluates; Prometheus only.
    """
    program, own = demand(name), free_port()
    config: dict[str, Any] = {
        "global": {"scrape_interval": f"{every:g}s", "scrape_timeout": f"{every:g}s"},
        "scrape_configs": [{"job_name": "slabtui", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
    }
    if rules:
        config["rule_files"] = [str(one) for one in rules]
        config["global"]["evaluation_interval"] = "1s"
    path = directory / f"{name}.json"  # JSON is YAML
    path.write_text(json.dumps(config))
    data = directory / name
    command = {
        "prometheus": [f"--config.file={path}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{own}"],
        "victoria-metrics": [
            f"-promscrape.config={path}",
            f"-storageDataPath={data}",
            f"-httpListenAddr=127.0.0.1:{own}",
            "-search.latencyOffset=0s",
        ],
    }[name]
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([program, *command], stdout=log, stderr=log)
    try:
        yield Monitoring(name, f"http://127.0.0.1:{own}", process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
