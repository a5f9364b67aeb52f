"""Makes the rows that docs/fleet/load.sql writes of a fleet, with DuckDB, from the plan and the shape of a host."""

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from tests.tools.fleet import plan, shape
from tests.tools.fleet.plan import Host, Plan

# Each host has a level of its own of each cache, and a daily rhythm with a phase of its own. After a boot the caches
# fill within half an hour. The noise is the sum of two even distributions, both parts of one hash of each row. What
# does not depend on all three of host, time and cache is worked out once: there are hundreds of millions of rows.
_ROWS = """
CREATE OR REPLACE TEMP MACRO even(number, shift) AS (number >> shift & 65535) / 65536.0::FLOAT;
CREATE OR REPLACE TEMP TABLE moment AS
SELECT
    host, number, time,
    changes IS NOT NULL AND time > changes AS has_changed,
    if(has_changed, new_kernel, old_kernel) AS kernel,
    if(has_changed, changes, begins - INTERVAL 3 DAY) AS since,
    (1 - exp(-epoch(time - since) / 400))
        * (1 + 0.03 * sin(2 * pi() * (epoch(time) / 86400 + even(hash(host, seed), 0)))) AS filled,
    epoch(time - begins) AS recorded,
    if(leaks AND has_changed, epoch(time - since), 0) AS leaked,
    coalesce(greatest(0, epoch(time - leaks_alone)), 0) AS leaked_alone
FROM host, fleet, (SELECT unnest(range(1, intervals + 1)) AS number FROM fleet),
LATERAL (SELECT begins + to_seconds(number * seconds) AS time);

CREATE OR REPLACE TEMP TABLE level AS
SELECT
    host, shape.*, live * (0.8 + 0.4 * even(hash(host, name, seed), 0)) AS level,
    coalesce(everywhere, 0) AS everywhere, coalesce(leak, 0) AS leak, coalesce(lone, 0) AS lone,
    hash(host, name, seed, 'noise') >> 16 AS numbers
FROM host, fleet, shape LEFT JOIN growth USING (name);

CREATE OR REPLACE TEMP VIEW generated AS
WITH
    drawn AS (
        SELECT *, hash(numbers + number) AS drawn FROM level JOIN moment USING (host)
    ),
    counted AS (
        SELECT
            *,
            greatest(0, round(
                level * filled + noise * 2.45 * (even(drawn, 0) + even(drawn, 16) - 1)
                + everywhere * recorded + leak * leaked + lone * leaked_alone
            ))::BIGINT AS objects,
            round(rate * seconds * (0.5 + even(drawn, 32)))::BIGINT AS allocs
        FROM drawn, (SELECT seconds FROM fleet)
    )
SELECT
    strftime(time, '%Y-%m-%d') AS day, host, kernel, since, time, seconds::DOUBLE AS elapsed_s, name, size,
    reclaimable::BOOLEAN AS reclaimable, objects AS live,
    ceil(objects * object_bytes / 4096)::BIGINT * 4096 AS mem,
    allocs, allocs * size AS bytes, NULL::BIGINT AS frees
FROM counted
"""


def prepare(
    connection: DuckDBPyConnection, fleet: Plan, hosts: Sequence[Host], seed: int, most_caches: int | None = None
) -> None:
    """Create the view `generated`: the rows of these hosts of a fleet, of all caches or of those with most objects."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fleet AS SELECT $1::TIMESTAMPTZ AS begins, $2::BIGINT AS intervals,"
        " $3::BIGINT AS seconds, $4 AS old_kernel, $5 AS new_kernel, $6::VARCHAR AS seed",
        [fleet.begin, fleet.intervals, fleet.seconds, plan.OLD, plan.NEW, str(seed)],
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE host (host VARCHAR, changes TIMESTAMPTZ, leaks BOOLEAN, leaks_alone TIMESTAMPTZ)"
    )
    connection.executemany(
        "INSERT INTO host VALUES (?, ?, ?, ?)", [(one.name, one.changes, one.leaks, one.leaks_alone) for one in hosts]
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE shape AS FROM read_csv('{shape.FILE}') ORDER BY live DESC LIMIT $1",
        [most_caches],
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE growth (name VARCHAR, everywhere DOUBLE, leak DOUBLE, lone DOUBLE)"
    )
    connection.executemany("INSERT INTO growth VALUES (?, ?, ?, ?)", _growth())
    connection.execute(_ROWS)


def _growth() -> list[tuple[str, float, float, float]]:
    """Return what grows, in objects per second: everywhere, with the new kernel, and on the one host."""
    per_object = {one.name: one.object_bytes for one in shape.load()}
    follower, followed = plan.FOLLOWER
    everywhere = dict(plan.RECLAIMABLE) | {
        follower: plan.RECLAIMABLE[followed] / per_object[followed] * per_object[follower]
    }
    names = {*everywhere, *plan.LEAKS, *plan.LONE}
    return [
        (name, *(kind.get(name, 0) / per_object[name] / 3600 for kind in (everywhere, plan.LEAKS, plan.LONE)))
        for name in sorted(names)
    ]
