"""The probe at work on the running kernel, and how its counts are held against what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slabtui.detail import Watch
from slabtui.kernel import layout
from slabtui.kernel.probe import Probe
from slabtui.kernel.whose import Whose


@contextmanager
def probing(*pids: int, cgroup: Path | None = None) -> Iterator[Probe]:
    """Count what these processes and this control group allocate; without any, everybody."""
    probe = Probe(layout.read(), Whose(pids, cgroup))
    try:
        yield probe
    finally:
        probe.close()


def watch(probe: Probe, wanted: Watch) -> None:
    """Let a probe count what is wanted, and wait until it does."""
    probe.watch(wanted)


def assert_exact(counted: int, happened: int, lost: int | None) -> None:
    """Check that every event is either counted or reported as lost, and none twice."""
    print(f"counted {counted} of {happened}, reported as lost {lost}")
    assert lost is not None
    assert counted <= happened <= counted + lost
