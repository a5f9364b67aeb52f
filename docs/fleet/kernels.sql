-- Which caches grow since a new kernel? Each host is compared with itself before the change, and the hosts that changed
-- with those that still run the old one.
WITH
    kernel_of AS (
        SELECT host, kernel, min(begins) AS begins FROM growth GROUP BY ALL
    ),
    change AS (
        SELECT host, lag(kernel) OVER in_order AS old_kernel, kernel AS new_kernel
        FROM kernel_of
        WINDOW in_order AS (PARTITION BY host ORDER BY begins)
        QUALIFY old_kernel IS NOT NULL
    ),
    changed AS (
        SELECT old_kernel, new_kernel, count(*) AS hosts FROM change GROUP BY ALL
    ),
    compared AS (
        SELECT
            change.*, after.name,
            coalesce(before.bytes_per_hour, 0) AS before, -- a cache that was not there did not grow
            after.bytes_per_hour AS after,
            after.grows AND after.bytes_per_hour - coalesce(before.bytes_per_hour, 0) >= limits.least_growth AS grows_more
        FROM change
        JOIN growth AS after ON after.host = change.host AND after.kernel = new_kernel
        LEFT JOIN growth AS before
            ON before.host = change.host AND before.kernel = old_kernel AND before.name = after.name
        CROSS JOIN limits
    ),
    unchanged AS (
        SELECT kernel AS old_kernel, name, count(*) FILTER (grows) AS growing, count(*) AS hosts
        FROM growth WHERE host NOT IN (SELECT host FROM change) GROUP BY ALL
    )
SELECT
    old_kernel, new_kernel, name,
    count(*) FILTER (grows_more) AS hosts_growing,
    any_value(changed.hosts) AS hosts_changed,
    format_bytes(median(before) FILTER (grows_more)::BIGINT) AS before_per_hour,
    format_bytes(median(after) FILTER (grows_more)::BIGINT) AS after_per_hour,
    coalesce(any_value(unchanged.growing), 0) AS unchanged_growing,
    coalesce(any_value(unchanged.hosts), 0) AS unchanged_hosts
FROM compared
JOIN changed USING (old_kernel, new_kernel)
LEFT JOIN unchanged USING (old_kernel, name)
GROUP BY old_kernel, new_kernel, name
HAVING hosts_growing >= 2
ORDER BY hosts_growing DESC, name;
