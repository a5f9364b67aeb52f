-- Which hosts are unlike the others, and since when? The score is a robust z-score: the distance from the median of all
-- hosts in robust standard deviations (1.4826 x the median absolute deviation).

CREATE OR REPLACE TEMP TABLE outlier AS
WITH
    -- a host without the cache counts as one where it holds nothing
    measured AS (
        SELECT host, name, coalesce(mem, 0) AS mem, coalesce(bytes_per_hour, 0) AS bytes_per_hour, grows IS true AS grows
        FROM (SELECT DISTINCT host FROM growth) CROSS JOIN (SELECT DISTINCT name FROM growth)
        LEFT JOIN (FROM growth WHERE is_last) USING (host, name)
    ),
    -- what is usual; a difference that is too small to matter is no outlier, however alike the others are
    usual AS (
        SELECT
            name, count(*) AS hosts,
            median(mem) AS mem, greatest(1.4826 * mad(mem), 0.05 * median(mem), 1048576) AS mem_deviation,
            median(bytes_per_hour) AS bytes_per_hour,
            greatest(1.4826 * mad(bytes_per_hour), any_value(least_growth) / any_value(least_score)) AS growth_deviation
        FROM measured, limits GROUP BY name
    )
SELECT
    host, name, measured.mem, measured.bytes_per_hour,
    (measured.mem - usual.mem) / mem_deviation AS mem_score,
    if(grows, (measured.bytes_per_hour - usual.bytes_per_hour) / growth_deviation, 0) AS growth_score
FROM measured JOIN usual USING (name), limits
WHERE greatest(mem_score, growth_score) >= least_score
QUALIFY count(*) OVER (PARTITION BY name) <= greatest(3, most_outliers * hosts);

-- Growth begins where the memory is farthest below the straight line from its first value to its last one. The memory is
-- the least of five minutes, without the noise.
WITH
    least AS (
        SELECT host, name, time_bucket(INTERVAL 5 MINUTE, time) AS time, min(recorded.mem) AS mem
        FROM recorded SEMI JOIN outlier USING (host, name)
        JOIN (SELECT host, max(since) AS since FROM period GROUP BY host) AS last USING (host, since), limits
        WHERE epoch(time) - epoch(since) >= warm_up
        GROUP BY ALL
    ),
    below AS (
        SELECT
            host, name, time, mem, last_value(mem) OVER whole - first_value(mem) OVER whole AS rise,
            first_value(mem) OVER whole + rise * (epoch(time) - epoch(first_value(time) OVER whole))
                / (epoch(last_value(time) OVER whole) - epoch(first_value(time) OVER whole)) - mem AS distance
        FROM least
        WINDOW whole AS (
            PARTITION BY host, name ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ),
    beginning AS (
        SELECT
            host, name,
            if(max(distance) >= 0.1 * any_value(rise), arg_max(time, distance), NULL) AS begins,
            (arg_max(mem, time) - arg_max(mem, distance)) / (epoch(max(time)) - epoch(begins)) * 3600 AS since_then
        FROM below WHERE rise > 0 GROUP BY ALL
    )
SELECT
    host, name,
    format_bytes(mem) AS mem, round(mem_score, 1) AS mem_score,
    format_bytes(bytes_per_hour::BIGINT) AS growth_per_hour, round(growth_score, 1) AS growth_score,
    if(growth_score > 0, begins, NULL) AS begins, -- null: before the recording, or in its first tenth
    if(growth_score > 0, format_bytes(since_then::BIGINT), NULL) AS per_hour_since_then
FROM outlier LEFT JOIN beginning USING (host, name)
ORDER BY greatest(mem_score, growth_score) DESC, host, name;
