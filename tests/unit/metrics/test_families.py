"""What a monitoring system reads: names, types, units, and label values that no name of a cache breaks."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from slabtui.columns import caches
from slabtui.columns.column import MetricType
from slabtui.metrics.families import OF_CACHES, OF_HOST, OF_KEEPERS, Families, registry
from slabtui.metrics.keepers import KeeperSeries
from slabtui.metrics.listing import OTHER
from slabtui.metrics.series import CacheSeries, Exposed
from slabtui.model.host import Origin
from slabtui.model.memory import HostMemory
from slabtui.text import printable

MEMORY = HostMemory(total=100, available=50, slab=30, reclaimable=20, unreclaimable=10)
WHOLE = Exposed(
    origin=Origin(kernel="6.12.0", scope="pid 7 a"),
    created=1000.0,
    time=2000.0,
    caches=(
        CacheSeries("filp", 1500.0, allocs=9, bytes=1800, frees=3, live=6, mem=4096, reclaimable=False, growing=True),
        CacheSeries(OTHER, 1000.0, allocs=2, bytes=64),
    ),
    memory=MEMORY,
    lost=4,
    events=12,
    probe_s=0.25,
    errors=1,
    keepers=(KeeperSeries("filp", "9590c7c08d2e", "do_eventfd < x", 'a"b', "cron.service", 7),),
)


def families(exposed: Exposed) -> Families:
    found = Families("1.2.3")
    found.exposed = exposed
    return found


def test_every_column_that_is_a_metric_is_one() -> None:
    columns = {one.metric: sum(other.metric is one.metric for other in caches.COLUMNS) for one in caches.COLUMNS}
    of_columns = OF_CACHES[: sum(columns[kind] for kind in MetricType)]
    assert {kind: sum(one.kind is kind for one in of_columns) for kind in MetricType} == {
        kind: columns[kind] for kind in MetricType
    }


def test_openmetrics_has_units_totals_and_the_time_of_creation() -> None:
    text = exposition.generate_latest(registry(families(WHOLE))).decode()
    found = {family.name: family for family in parse_openmetrics(text)}
    values = {
        (sample.name, sample.labels.get("cache")): sample.value
        for family in found.values()
        for sample in family.samples
    }
    assert values["slabtui_cache_allocations_total", "filp"] == 9
    assert values["slabtui_cache_allocations_created", "filp"] == 1500
    assert values["slabtui_cache_allocated_bytes_total", OTHER] == 64
    assert values["slabtui_cache_frees_total", "filp"] == 3
    assert values["slabtui_cache_live_objects", "filp"] == 6
    assert values["slabtui_cache_memory_bytes", "filp"] == 4096
    assert values["slabtui_cache_reclaimable", "filp"] == 0
    assert values["slabtui_cache_growing", "filp"] == 1
    assert values["slabtui_lost_events_total", None] == 4
    assert values["slabtui_lost_events_created", None] == 1000
    assert values["slabtui_probe_cpu_seconds_total", None] == 0.25
    assert values["slabtui_slab_unreclaimable_bytes", None] == 10
    assert values["slabtui_process_resident_memory_bytes", None] > 0
    assert ("slabtui_cache_live_objects", OTHER) not in values  # unknown
    assert found["slabtui_cache_memory_bytes"].unit == "bytes"
    assert found["slabtui_host"].samples[0].labels == {"kernel": "6.12.0", "scope": "pid 7 a"}
    assert values["slabtui_held_objects", "filp"] == 7
    (who,) = found["slabtui_held"].samples
    assert (who.name, who.value) == ("slabtui_held_info", 1)
    named = {"stack": "do_eventfd < x", "comm": 'a"b', "place": "cron.service"}
    assert who.labels == {"cache": "filp", "keeper": "9590c7c08d2e"} | named
    assert all(found[one.family].documentation == one.help for one in (*OF_CACHES, *OF_HOST, *OF_KEEPERS))


def test_before_the_first_interval_there_are_no_caches() -> None:
    names = {family.name for family in parse_text(generate_latest(registry(families(Exposed()))).decode())}
    assert "slabtui_build_info" in names
    assert not any(name.startswith("slabtui_cache") for name in names)


@given(st.lists(st.binary(max_size=40), unique=True))
def test_no_name_breaks_the_text(names: list[bytes]) -> None:
    shown = [printable(name) for name in names]
    rows = tuple(CacheSeries(name, 0.0, allocs=number) for number, name in enumerate(shown))
    text = generate_latest(registry(families(Exposed(caches=rows)))).decode()
    (found,) = [one for one in parse_text(text) if one.name == "slabtui_cache_allocations"] or [None]
    read = {one.labels["cache"]: one.value for one in found.samples if one.name.endswith("_total")} if found else {}
    assert read == {name: number for number, name in enumerate(shown)}
