"""Writes the Grafana dashboard from the definitions of the metrics: `python -m tests.tools.dashboard`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from slabtui.columns.column import MetricType
from slabtui.metrics.families import OF_CACHES, OF_HOST, Definition
from tests import ROOT

PAGE = ROOT / "docs/fleet/dashboard.json"

_COLUMNS = 24  # of Grafana's grid
_HEIGHT = 8  # rows of a panel
_SHOWN = 10  # caches in a panel
_HOSTS = 'job=~"$job", instance=~"$instance"'
_UNITS = {"bytes": "bytes", "objects": "short", "seconds": "s"}
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_BY_NAME = {one.name: one for one in (*OF_CACHES, *OF_HOST)}
_KERNEL = f"on (job, instance) group_left (kernel) slabtui_host_info{{{_HOSTS}}}"


def dashboard() -> dict[str, Any]:
    """Return the dashboard, as Grafana imports it."""
    return {
        "title": "Slab memory (slabtui)",
        "uid": "slabtui",
        "schemaVersion": 38,
        "tags": ["slabtui"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": list(_variables())},
        "panels": list(_placed()),
    }


def queries(page: Mapping[str, Any], values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the title and the query of each panel of a dashboard, with these values for its variables."""
    found = []
    for panel in page["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in values.items():
                query = query.replace(f"${name}", value)
            found.append((panel["title"], query))
    return found


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
    for name, label, query in (
        ("job", "Job", "label_values(slabtui_build_info, job)"),
        ("instance", "Host", 'label_values(slabtui_build_info{job=~"$job"}, instance)'),
    ):
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "refresh": 2,  # when the time changes
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


def _panels() -> Iterator[dict[str, Any]]:
    unreclaimable = _BY_NAME["slab_unreclaimable"].series
    for name in ("slab", "slab_reclaimable", "slab_unreclaimable"):
        yield _panel(_BY_NAME[name], f"{_BY_NAME[name].series}{{{_HOSTS}}}", "{{instance}}")
    yield _chart(
        "Growth of unreclaimable slab memory",
        "The slope of the last hour.",
        f"deriv({unreclaimable}{{{_HOSTS}}}[1h])",
        "{{instance}}",
        "Bps",
    )
    yield _chart(
        "Hours until memory is full",
        "The available memory, divided by that growth. No line: it does not grow.",
        f"{_BY_NAME['memory_available'].series}{{{_HOSTS}}}"
        f" / (deriv({unreclaimable}{{{_HOSTS}}}[1h]) > 0) / 3600 < 1000",
        "{{instance}}",
        "h",
    )
    growing = _BY_NAME["cache_growing"].series
    yield _chart(
        "Hosts on which a cache grows as a leak does, by kernel",
        "After a new kernel is rolled out: a cache that leaks with it, and with no other one.",
        f"sum by (cache, kernel) ({growing}{{{_HOSTS}}} * {_KERNEL}) > 0",
        "{{cache}} {{kernel}}",
        "short",
    )
    memory = _BY_NAME["cache_memory"].series
    yield _chart(
        "Growth of caches by kernel, mean of the hosts",
        f"The {_SHOWN} caches that grow fastest on the hosts of one kernel.",
        f"topk({_SHOWN}, avg by (cache, kernel) (deriv({memory}{{{_HOSTS}}}[1h]) * {_KERNEL}))",
        "{{cache}} {{kernel}}",
        "Bps",
    )
    for one in OF_CACHES:
        if one.name not in ("cache_reclaimable", "cache_growing"):
            yield _of_caches(one)
    for name in ("events", "lost_events", "read_errors", "probe_cpu"):
        one = _BY_NAME[name]
        yield _panel(one, f"rate({one.series}{{{_HOSTS}}}[$__rate_interval])", "{{instance}}")
    yield _chart(
        "Processor time of slabtui",
        "Seconds per second, of the process; what the probe takes from others is not in it.",
        f"rate(slabtui_process_cpu_seconds_total{{{_HOSTS}}}[$__rate_interval])",
        "{{instance}}",
        "percentunit",
    )


def _of_caches(one: Definition) -> dict[str, Any]:
    """Return the panel of a metric by cache: the sum of all hosts."""
    series = f"{one.series}{{{_HOSTS}}}"
    if one.kind is MetricType.COUNTER:
        series = f"rate({series}[$__rate_interval])"
    return _panel(one, f"topk({_SHOWN}, sum by (cache) ({series}))", "{{cache}}")


def _panel(one: Definition, query: str, legend: str) -> dict[str, Any]:
    unit = _UNITS.get(one.unit, "short")
    if one.kind is MetricType.COUNTER:
        unit = {"bytes": "Bps", "s": "percentunit"}.get(unit, "ops")
    title = one.series.removeprefix("slabtui_").removesuffix("_total").replace("_", " ")
    title = f"{title} per second" if one.kind is MetricType.COUNTER else title
    return _chart(title.capitalize(), f"{one.help}.", query, legend, unit)


def _chart(title: str, description: str, query: str, legend: str, unit: str) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": _SOURCE,
        "targets": [{"refId": "A", "expr": query, "legendFormat": legend, "datasource": _SOURCE}],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}},
    }


def _placed() -> Iterator[dict[str, Any]]:
    """Yield the panels, two beside each other."""
    width = _COLUMNS // 2
    for number, panel in enumerate(_panels()):
        row, column = divmod(number, 2)
        place = {"x": column * width, "y": row * _HEIGHT, "w": width, "h": _HEIGHT}
        yield {"id": number + 1, **panel, "gridPos": place}


if __name__ == "__main__":
    PAGE.write_text(json.dumps(dashboard(), indent=1) + "\n")
