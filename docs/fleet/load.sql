-- Writes the recordings of many hosts to Parquet: one row for each cache, interval and host.
--
--     recordings/HOST/slabtui-*.jsonl.zst    the segments of each host, as rsync copies them
--     fleet/day=DAY/host=HOST/*.parquet      what this writes; loading a day again replaces it
SET TimeZone = 'UTC';

-- The lines as they were recorded. A line that was torn by a crash is left out.
CREATE OR REPLACE TEMP TABLE line AS
SELECT
    parse_path(filename)[-2] AS host,
    filename AS segment,
    row_number() OVER in_order AS number,
    count(*) FILTER (schema = 'slabtui/2') OVER in_order AS part, -- a whole line, and the changes that follow it
    * EXCLUDE (filename, schema)
FROM read_json(
    coalesce(getvariable('recordings'), 'recordings/*/slabtui-*.jsonl.zst'),
    format = 'newline_delimited', compression = 'zstd', ignore_errors = true, filename = true,
    maximum_object_size = 16777216, -- the longest line that slabtui writes
    columns = {
        schema: 'VARCHAR', time: 'TIMESTAMPTZ', elapsed_s: 'DOUBLE', kernel: 'VARCHAR', since: 'TIMESTAMPTZ',
        gone: 'VARCHAR[]', caches: 'JSON[]'
    }
)
WHERE time IS NOT NULL
WINDOW in_order AS (PARTITION BY filename ORDER BY time ROWS UNBOUNDED PRECEDING);

-- What the lines say of each cache, and how long that is true: until a line says something else of it, or that it is
-- gone. In a line of changes, a field that is missing has the value that it had before; a field that is null is the JSON
-- value null here, not SQL's NULL.
CREATE OR REPLACE TEMP TABLE said AS
WITH
    row_of_line AS (
        SELECT segment, part, number, unnest(caches) AS fields FROM line
    ),
    given AS (
        SELECT
            segment, part, number, fields ->> 'cache' AS cache, false AS is_gone, fields ->> 'name' AS name,
            fields -> 'size' AS size, fields -> 'reclaimable' AS reclaimable, fields -> 'live' AS live,
            fields -> 'mem' AS mem, fields -> 'allocs' AS allocs, fields -> 'bytes' AS bytes, fields -> 'frees' AS frees
        FROM row_of_line
        UNION ALL BY NAME
        SELECT segment, part, number, unnest(gone) AS cache, true AS is_gone FROM line
    )
SELECT
    segment, number, is_gone,
    coalesce(lead(number) OVER in_order, last_of_part + 1) AS until,
    last_value(name IGNORE NULLS) OVER in_order AS name,
    last_value(size IGNORE NULLS) OVER in_order::BIGINT AS size,
    last_value(reclaimable IGNORE NULLS) OVER in_order::BOOLEAN AS reclaimable,
    last_value(live IGNORE NULLS) OVER in_order::BIGINT AS live,
    last_value(mem IGNORE NULLS) OVER in_order::BIGINT AS mem,
    last_value(frees IGNORE NULLS) OVER in_order::BIGINT IS NOT NULL AS counts_frees,
    coalesce(allocs::BIGINT, 0) AS allocs,
    bytes::BIGINT AS bytes,
    frees::BIGINT AS frees
FROM given
JOIN (SELECT segment, part, max(number) AS last_of_part FROM line GROUP BY ALL) USING (segment, part)
WINDOW in_order AS (PARTITION BY segment, part, cache ORDER BY number ROWS UNBOUNDED PRECEDING);

-- Each cache in each interval. Counts are those of the interval: 0 where the line does not name the cache. Caches of one
-- name are added up, because only the name is the same after a restart of slabtui or of the host.
COPY (
    WITH each AS (
        SELECT *, unnest(range(number, until)) AS at_number FROM said WHERE NOT is_gone
    )
    SELECT
        strftime(line.time, '%Y-%m-%d') AS day,
        line.host, line.kernel, line.since, line.time, line.elapsed_s,
        name,
        max(size) AS size,
        bool_and(reclaimable) AS reclaimable,
        sum(live)::BIGINT AS live,
        sum(mem)::BIGINT AS mem,
        sum(if(at_number = each.number, allocs, 0))::BIGINT AS allocs,
        sum(if(at_number = each.number, coalesce(bytes, allocs * size, 0), 0))::BIGINT AS bytes,
        sum(if(at_number = each.number, coalesce(frees, if(counts_frees, 0, NULL)), if(counts_frees, 0, NULL)))::BIGINT AS frees
    FROM each
    JOIN line ON line.segment = each.segment AND line.number = each.at_number
    GROUP BY ALL
    ORDER BY day, line.host, name, line.time
) TO 'fleet' (FORMAT parquet, PARTITION_BY (day, host), OVERWRITE_OR_IGNORE, COMPRESSION zstd);
