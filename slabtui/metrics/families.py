"""The metrics by name: their types, units and help, and what prometheus_client makes of the values."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from slabtui.columns import caches
from slabtui.columns.column import MetricType
from slabtui.metrics.keepers import KeeperSeries
from slabtui.metrics.series import CacheSeries, Exposed

_PREFIX = "slabtui"


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric.

    Attributes:
        name: without the prefix, the unit and `_total`.
        kind: its type.
        help: what it means.
        read: returns its value from a CacheSeries, a KeeperSeries or Exposed; None: it has none now.
        unit: the last word of its name; empty: none.
    """

    name: str
    kind: MetricType
    help: str
    read: Callable[[Any], float | None]
    unit: str = ""

    @property
    def family(self) -> str:
        """Its name in OpenMetrics."""
        return "_".join(filter(None, (_PREFIX, self.name, self.unit)))

    @property
    def series(self) -> str:
        """The name of its series."""
        return f"{self.family}_total" if self.kind is MetricType.COUNTER else self.family


_COUNTER, _GAUGE = MetricType.COUNTER, MetricType.GAUGE
_COLUMNS = {  # the id of a column -> the metric that it is
    "allocs": ("cache_allocations", "", "Objects allocated"),
    "frees": ("cache_frees", "", "Objects freed; only with --frees, and not of size classes"),
    "bytes": ("cache_allocated", "bytes", "Bytes allocated: objects times the bytes that each takes in its slab"),
    "live": ("cache_live", "objects", "Objects in use, as in /proc/slabinfo"),
    "mem": ("cache_memory", "bytes", "Memory that the caches hold, for used and free objects"),
}


def _of_column(name: str) -> Definition:
    """Return the metric of a column of the table: a total since counting began, or what is so now."""
    column, (metric, unit, text) = caches.BY_ID[name], _COLUMNS[name]
    assert column.metric is not None
    attribute = column.fields[0]
    return Definition(metric, column.metric, text, lambda one: getattr(one, attribute), unit)


def _of_memory(name: str) -> Callable[[Exposed], float | None]:
    return lambda exposed: getattr(exposed.memory, name, None)


OF_CACHES = (
    *map(_of_column, _COLUMNS),
    Definition(
        "cache_reclaimable",
        _GAUGE,
        "Whether the kernel can free the objects when memory is short: 1 or 0",
        lambda one: one.reclaimable,
    ),
    Definition(
        "cache_growing",
        _GAUGE,
        "Whether the cache grows as a leak does: 1 or 0; by more than its noise, and not reclaimable",
        lambda one: one.growing,
    ),
)
OF_KEEPERS = (
    Definition(
        "held",
        _GAUGE,
        "Objects that a keeper has allocated since tracking began and that are not freed, estimated",
        lambda one: one.objects,
        "objects",
    ),
)
OF_HOST = (
    Definition("slab", _GAUGE, "Memory of all slab caches (Slab in /proc/meminfo)", _of_memory("slab"), "bytes"),
    Definition(
        "slab_reclaimable",
        _GAUGE,
        "The part of it that the kernel can free when memory is short (SReclaimable)",
        _of_memory("reclaimable"),
        "bytes",
    ),
    Definition(
        "slab_unreclaimable", _GAUGE, "The part that it cannot (SUnreclaim)", _of_memory("unreclaimable"), "bytes"
    ),
    Definition("memory_size", _GAUGE, "Usable memory (MemTotal)", _of_memory("total"), "bytes"),
    Definition(
        "memory_available",
        _GAUGE,
        "Memory that new programs can get without swapping (MemAvailable)",
        _of_memory("available"),
        "bytes",
    ),
    Definition("events", _COUNTER, "Allocations and frees that the probe saw", lambda exposed: exposed.events),
    Definition("lost_events", _COUNTER, "Allocations and frees that were not counted", lambda exposed: exposed.lost),
    Definition(
        "probe_cpu",
        _COUNTER,
        "Processor time that the probe takes from those who allocate and free, estimated; only where it is measured",
        lambda exposed: exposed.probe_s,
        "seconds",
    ),
    Definition("read_errors", _COUNTER, "Intervals that ended without a reading", lambda exposed: exposed.errors),
    Definition(
        "last_reading_timestamp",
        _GAUGE,
        "When the counters were read last, since the epoch",
        lambda exposed: exposed.time,
        "seconds",
    ),
)
INFOS = {
    "build": "The version of slabtui",
    "host": "The kernel of the machine, and which processes are counted (empty: all)",
    "held": "The stack that a keeper stands for, and the processes that hold most by it; only with --metrics-held",
}
_KEEPER = ("cache", "keeper")  # the labels of what a keeper holds, and the first ones of its info
_OWNER = ("stack", "comm", "place")


class Families(Collector):
    """What is exposed, as families of metrics: a collector of prometheus_client.

    Args:
        version: of slabtui.

    Attributes:
        exposed: what is exposed now. Another thread may replace it at any time.
    """

    def __init__(self, version: str) -> None:
        self.exposed = Exposed()
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Yield every family that has values."""
        exposed = self.exposed
        values = {"build": {"version": self._version}}
        if exposed.time is not None:
            values["host"] = {"kernel": exposed.origin.kernel, "scope": exposed.origin.scope}
        for name, labels in values.items():
            yield InfoMetricFamily(f"{_PREFIX}_{name}", INFOS[name], value=labels)
        for definition in OF_HOST:
            yield from _family(definition, (), [((), exposed, exposed.created)])
        for definition in OF_CACHES:
            rows: list[tuple[tuple[str, ...], CacheSeries, float]]
            rows = [((one.name,), one, one.created) for one in exposed.caches]
            yield from _family(definition, ("cache",), rows)
        yield from _of_keepers(exposed.keepers)


def _of_keepers(keepers: Iterable[KeeperSeries]) -> Iterator[Metric]:
    """Yield what keepers hold, and who they are: two metrics, so that only the second one has labels that change."""
    for definition in OF_KEEPERS:
        yield from _family(definition, _KEEPER, [((one.cache, one.keeper), one, 0.0) for one in keepers])
    info = InfoMetricFamily(f"{_PREFIX}_held", INFOS["held"], labels=_KEEPER)
    for one in keepers:
        info.add_metric((one.cache, one.keeper), {name: getattr(one, name) for name in _OWNER})
    if info.samples:
        yield info


def registry(families: Families) -> CollectorRegistry:
    """Return a registry with what is exposed, and with what this process costs."""
    found = CollectorRegistry(auto_describe=False)
    found.register(families)
    ProcessCollector(_PREFIX, registry=found)  # node_exporter exposes its own under the usual names
    return found


def _family(
    definition: Definition, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], Any, float]]
) -> Iterator[Metric]:
    """Yield a family, if any of its series has a value.

    Args:
        definition: of the metric.
        labels: the names of its labels.
        rows: of each series the values of the labels, what its value is read from, and when it was 0.
    """
    values = [
        (words, float(value), created) for words, one, created in rows if (value := definition.read(one)) is not None
    ]
    if not values:
        return
    if definition.kind is MetricType.COUNTER:
        counter = CounterMetricFamily(definition.family, definition.help, labels=labels, unit=definition.unit)
        for words, value, created in values:
            counter.add_metric(words, value, created=created)
        yield counter
    else:
        gauge = GaugeMetricFamily(definition.family, definition.help, labels=labels, unit=definition.unit)
        for words, value, _ in values:
            gauge.add_metric(words, value)
        yield gauge
