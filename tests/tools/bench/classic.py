"""Measures what classic tracepoints cost, by the processor time of the load."""

from collections.abc import Sequence
from statistics import median

from slabtui.kernel.bpf.settings import Way
from slabtui.kernel.probe import Probe
from tests.support import probes
from tests.tools.bench import load
from tests.tools.bench.report import Report, times

_TITLES = ("what counts", "ns for an open and close", "added", "x raw tracepoints")
_NOTHING, _RAW, _CLASSIC = "nothing", "raw tracepoints", "classic tracepoints"


def show(report: Report, calls: int, rounds: int, cpus: Sequence[int]) -> None:
    """Measure the processor time of a process without programs and with each kind of programs, and report."""
    found: dict[str, list[float]] = {_NOTHING: [], _RAW: [], _CLASSIC: []}
    with load.ready("opens", calls, cpus[:1]) as loaded, probes.tracefs():
        for _ in range(rounds):
            found[_NOTHING].append(loaded.run())
            probe = Probe(probes.as_preemptible())
            try:
                loaded.run()  # so that its caches are known
                found[_RAW].append(loaded.run())
                probes.hand_over(probe)
                assert probe.way is Way.CLASSIC
                while probes.read(probe).nanoseconds is None:  # the kernel's statistics are on, and cost time
                    loaded.run()
                found[_CLASSIC].append(loaded.run())
            finally:
                probe.close()
    each = {name: median(seconds) / calls * 1e9 for name, seconds in found.items()}
    added = {name: nanoseconds - each[_NOTHING] for name, nanoseconds in each.items()}
    report.heading("Classic tracepoints")
    report.text(
        "Classic tracepoints replace raw ones on Linux 7, where raw ones miss events. The kernel then prepares a "
        "record of each event, which the statistics of BPF programs do not include. The figures are therefore the "
        f"processor time of a process that opens and closes a file {calls:,} times; rounds: {rounds}, median."
    )
    report.table(
        _TITLES,
        [
            (
                name,
                f"{each[name]:.0f}",
                "-" if name == _NOTHING else f"{added[name]:.0f}",
                "-" if name == _NOTHING else times(added[name], added[_RAW]),
            )
            for name in found
        ],
    )
    report.learn(
        f"Classic tracepoints add {times(added[_CLASSIC], added[_RAW])} the time of raw ones to an open and close."
    )
