"""Metrics of the running kernel: what real monitoring systems make of them, and what the program does around them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from slabtui.metrics.series import HOLD
from slabtui.model.snapshot import Snapshot
from slabtui.recording.reader import read
from tests import ROOT
from tests.e2e.test_privileges import numbers
from tests.support import monitoring
from tests.support.keeper import keeping
from tests.support.monitoring import Monitoring, demand, free_port, scraping
from tests.support.unprivileged import OTHER_USER
from tests.support.workload import workload
from tests.tools import dashboard

pytestmark = pytest.mark.live

FLEET = ROOT / "docs/fleet"

SLABTUI = [sys.executable, "-m", "slabtui"]
BUSY = 'slabtui_cache_allocations_total{cache="kmalloc-512"}'  # what select(2) allocates from
COUNTERS = {"allocations": "allocs", "allocated_bytes": "bytes", "frees": "frees"}


@contextmanager
def metrics(where: str, *arguments: str, **more: object) -> Iterator["subprocess.Popen[str]"]:
    """Run slabtui with metrics, from its first interval on."""
    command = [*SLABTUI, "--metrics", where, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more) as process:
        try:
            assert process.stderr
            first = process.stderr.readline()
            assert first.startswith("slabtui: metrics: "), first + process.stderr.read()
            yield process
        finally:
            process.terminate()


def get(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def total(snapshot: Snapshot, field: str, cache: str | None) -> int:
    rows = (row for row in snapshot.rows if cache in (None, row.name))
    return sum(getattr(row, f"total_{field}") or 0 for row in rows)


def at(snapshots: list[Snapshot], when: float, field: str, cache: str | None) -> int:
    """Return a total as recorded last before some time."""
    known = [one for one in snapshots if one.elapsed and one.time <= when] or snapshots[:1]
    return total(known[-1], field, cache)


def check_rates(
    system: Monitoring, snapshots: list[Snapshot], end: float, seconds: int, cache: str | None, metric: str
) -> None:
    """Check that the rate in PromQL is that of the totals: at its edges it may be off by two scrapes, or intervals.

    That of all caches comes from increase(): where a series begins or ends within the time, the rate() of
    VictoriaMetrics is that of the part in which there is one.
    """
    edge, field = 2.0, COUNTERS[metric]
    series = f"slabtui_cache_{metric}_total"
    if cache is None:
        rate = system.value(f"sum(increase({series}[{seconds}s]))", end) / seconds
    else:
        rate = system.value(f'rate({series}{{cache="{cache}"}}[{seconds}s])', end)
    first, last = end - seconds, end
    least = at(snapshots, last - edge, field, cache) - at(snapshots, first + edge, field, cache)
    most = at(snapshots, last + edge, field, cache) - at(snapshots, first - edge, field, cache)
    assert least / seconds <= rate * 1.001, (system.name, cache, metric)
    assert rate <= most / (seconds - edge), (system.name, cache, metric)


def check_exactly(
    system: Monitoring, snapshots: list[Snapshot], end: float, seconds: int, cache: str, metric: str
) -> None:
    """Check that every sample is that of about its time, and a total that was recorded.

    Samples are scraped while this runs, so only those before `end` can be in the recording. A recorder that falls
    behind merges intervals, and does not record the totals in between.
    """
    field = COUNTERS[metric]
    samples = system.samples(f'slabtui_cache_{metric}_total{{cache="{cache}"}}', seconds, end)
    assert len(samples) >= seconds / 2
    known = {total(one, field, cache) for one in snapshots}
    lengths = [one.elapsed for one in snapshots if one.elapsed]
    assert {value for _, value in samples} <= known or max(lengths) >= 2 * min(lengths)
    for when, value in samples:
        assert at(snapshots, when - 1.5, field, cache) <= value <= at(snapshots, when + 0.5, field, cache)


def run_under_load(tmp_path: Path, seconds: int, interval: float, *more: str) -> None:
    """Let both systems scrape slabtui under load, beside clients that do wrong, and compare with a recording."""
    port, recording = free_port(), tmp_path / "a.jsonl"
    names, stop = monitoring.systems(), threading.Event()
    with ExitStack() as stack:
        load = stack.enter_context(workload("eventfd", 2_000))

        def allocate() -> None:
            while not stop.is_set():
                load.run()
                time.sleep(0.02)

        worker = threading.Thread(target=allocate)
        worker.start()
        stack.callback(worker.join)
        stack.callback(stop.set)
        given = {"prometheus": [FLEET / "rules.yml"], "victoria-metrics": []}  # that one's rules are vmalert's
        systems = [stack.enter_context(scraping(name, tmp_path, port, rules=given[name])) for name in names]
        arguments = ("--frees", "--record", str(recording), "-d", f"{interval:g}", *more)
        process = stack.enter_context(metrics(str(port), *arguments))
        for system in systems:
            system.wait()
        began = time.time()
        stack.enter_context(misbehaving(port, 200))
        busy = stack.enter_context(workload("select", 20_000)) if seconds > HOLD else None
        while time.time() < began + seconds + 1.5:
            if busy and time.time() > began + 30:  # a cache that was not busy before
                busy.run()
            time.sleep(0.1)
        end = time.time() - 1.5  # what is of this time has been scraped
        window = seconds - 1
        answers = [(system.name, system.value(f"min(min_over_time(up[{window - 1}s]))", end)) for system in systems]
        assert answers == [(name, 1) for name in names]  # the wrong clients kept nobody out
        assert process.poll() is None
        time.sleep(1.0)
        snapshots = list(read(recording))
        check_names(get(port))
        for system in systems:
            for metric in COUNTERS:
                check_exactly(system, snapshots, end, window, "filp", metric)
                for cache in (None, "filp"):
                    check_rates(system, snapshots, end, window, cache, metric)
            held = system.value("sum(slabtui_cache_memory_bytes)", end)
            slab = system.value("slabtui_slab_bytes", end)
            assert held == pytest.approx(slab, rel=0.15)  # read one after the other
            check_dashboard(system, end)
            if busy:  # it was announced before it counted
                values = [value for _, value in system.samples(BUSY, window)]
                assert values[0] == 0
                assert values[-1] > 0


def check_names(text: str) -> None:
    """Check what is served with promtool, where it is, which knows the practice of names."""
    if promtool := monitoring.find("promtool"):
        check = [promtool, "check", "metrics"]
        checked = subprocess.run(check, input=text, capture_output=True, text=True, check=False, timeout=30)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def check_dashboard(system: Monitoring, end: float) -> None:
    """Check that each query of the dashboard finds something, but for those that need a leak or a measurement."""
    values = {"job": ".*", "instance": ".*", "__rate_interval": "5s"}
    for title, query in dashboard.queries(json.loads(dashboard.PAGE.read_text()), values):
        assert "$" not in query
        found = system.query(query, end)
        assert found or "> 0" in query or "probe_cpu" in query, (system.name, title, query)
    if system.name == "prometheus":
        rules = [rule for group in system.rules() for rule in group["rules"]]
        assert len(rules) >= 8
        assert {rule["health"] for rule in rules} == {"ok"}, rules


@contextmanager
def misbehaving(port: int, number: int) -> Iterator[None]:
    """Abort connections, send nonsense, and keep the rest open in the middle of a request."""
    requests = (b"", b"GET /metrics HTTP/1.1\r\nA: ", b"\x16\x03\x01", b"GET /metrics HTTP/1.1\r\n\r\n")
    with ExitStack() as stack:
        for place in range(number):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            client.sendall(requests[place % len(requests)])
            if place % 3 == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
                client.close()
        yield


def test_rates_in_promql_are_those_of_the_totals(tmp_path: Path) -> None:
    run_under_load(tmp_path, seconds=5, interval=0.5)


@pytest.mark.slow
def test_rates_in_promql_are_those_of_the_totals_over_minutes(tmp_path: Path) -> None:
    """Long enough for caches to get and lose series of their own."""
    run_under_load(tmp_path, 300, 1.0, "-r", "3")


@pytest.mark.slow
def test_who_keeps_what_leaks_is_exposed_once_the_cache_is_marked(tmp_path: Path) -> None:
    """Of 50 files per second: growth is judged after 40 seconds. The query is that of the documentation."""
    port, deadline = free_port(), time.monotonic() + 150
    (query,) = re.findall("^topk.*$", (FLEET / "metrics.md").read_text(), re.MULTILINE)
    names = [name for name in monitoring.SYSTEMS if monitoring.find(name)]
    with ExitStack() as stack:
        keeper = stack.enter_context(keeping())
        process = stack.enter_context(metrics(str(port), "--metrics-held"))
        systems = [stack.enter_context(scraping(name, tmp_path, port)) for name in names]
        keeper.do("rate", 50)
        while not (found := re.search(r"^slabtui_held_info\{.*do_eventfd.*$", text := get(port), re.MULTILINE)):
            assert time.monotonic() < deadline, text
            assert process.poll() is None
            time.sleep(1)
        print(found[0])
        check_names(text)
        (label,) = re.findall('keeper="([0-9a-f]+)"', found[0])
        assert re.search(rf'^slabtui_held_objects\{{cache="[^"]+",keeper="{label}"\}} [1-9]', text, re.MULTILINE)
        for system in systems:
            while not (answers := [one for one in system.query(query) if one["metric"].get("keeper") == label]):
                assert time.monotonic() < deadline, system.query(query)
                time.sleep(1)
            print(system.name, answers)
            assert all("do_eventfd" in one["metric"]["stack"] for one in answers)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("promtool", ["check", "rules", "rules.yml"]),
        ("promtool", ["check", "config", "prometheus.yml"]),
        ("promtool", ["test", "rules", str(ROOT / "tests/fixtures/rules_test.yml")]),
        ("vmalert", ["-dryRun", "-rule=rules.yml"]),
        (
            "victoria-metrics",
            ["-dryRun", "-promscrape.config.strictParse=false", "-promscrape.config=prometheus.yml"],
        ),
    ],
)
def test_the_files_for_a_fleet_are_valid_and_the_rules_find_what_they_should(
    program: str, arguments: list[str]
) -> None:
    command = [demand(program), *arguments]
    ended = subprocess.run(command, cwd=FLEET, capture_output=True, text=True, check=False, timeout=30)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed
    assert not re.search("(?i)warn|error|duplicate", printed), printed


def capabilities(pid: int) -> list[set[int]]:
    """Return the capabilities that each thread of a process has, or can get."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        found.append(set().union(*(numbers(status, kind) for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"))))
    return found


def test_the_threads_that_serve_have_no_capability() -> None:
    """Those are the one that accepts, and one for each client: of a client that has sent half a request, too."""
    port = free_port()
    with metrics(str(port)) as process, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /metrics")
        deadline = time.monotonic() + 4  # the client is cut off later
        while capabilities(process.pid).count(set()) != 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        found = capabilities(process.pid)
        assert found.count(set()) == 2
        assert len(found) == 4  # and the main thread and the collector, which count
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_a_file_for_node_exporter_is_complete_readable_and_removed_at_the_end(tmp_path: Path) -> None:
    """Its directory may belong to another user, for which root needs a capability."""
    directory = tmp_path / "node-exporter"
    directory.mkdir(mode=0o755)
    os.chown(directory, OTHER_USER, OTHER_USER)
    path = directory / "slabtui.prom"
    with metrics(str(path), "-d", "0.1", "--record", str(tmp_path / "a.jsonl"), umask=0o077) as process:
        seen = set()
        until = time.monotonic() + 1
        while time.monotonic() < until:
            text = path.read_text()
            assert text.startswith("# HELP slabtui_build_info ")
            assert text.endswith("\n")
            seen.add(text)
        assert len(seen) > 3
        second = subprocess.run(
            [*SLABTUI, "--metrics", str(path)], capture_output=True, text=True, check=False, timeout=30
        )
        expected = f"slabtui: another slabtui writes {path}: stop it, or name another file\n"
        assert (second.returncode, second.stderr) == (1, expected)
        assert path.stat().st_mode & 0o777 == 0o644
        assert re.search(r'^slabtui_cache_allocations_total\{cache="filp"\} [1-9]', text, re.MULTILINE)
        assert not re.search("^process_", text, re.MULTILINE)  # node_exporter has these of its own
        process.terminate()
        process.wait(10)
    assert list(directory.iterdir()) == []


def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ModuleNotFoundError('no', name='prometheus_client')")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    ended = subprocess.run(
        [*SLABTUI, "--metrics", "0"], capture_output=True, text=True, check=False, timeout=30, env=environment
    )
    remedy = "apt-get install python3-prometheus-client, or pip install prometheus-client"
    expected = f"slabtui: --metrics needs the module prometheus_client: {remedy}\n"
    assert (ended.returncode, ended.stderr) == (1, expected)
