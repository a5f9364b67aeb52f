"""Parquet of a thousand hosts and a day, which DuckDB makes itself.

The codec would take hours for 340 million rows, so load.sql has no part in this; small.py makes recordings for it.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.tools.fleet import rows
from tests.tools.fleet.plan import Plan

_AT_ONCE = 10  # hosts: three million rows, which fit in memory
_WRITE = """
COPY (FROM generated) TO 'fleet'
(FORMAT parquet, PARTITION_BY (day, host), OVERWRITE_OR_IGNORE, COMPRESSION zstd)
"""


def generate(fleet: Plan, seed: int) -> Iterator[int]:
    """Write the rows of all hosts that are not there yet, in the current directory; yield how many hosts are there."""
    with duckdb.connect() as connection:
        for first in range(0, len(fleet.hosts), _AT_ONCE):
            hosts = fleet.hosts[first : first + _AT_ONCE]
            done = Path(f"done-{first}")
            if not done.exists():
                rows.prepare(connection, fleet, hosts, seed)
                connection.execute(_WRITE)
                done.touch()
            yield first + len(hosts)
