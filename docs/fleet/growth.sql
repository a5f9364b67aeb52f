-- Finds how the memory of each cache grows on each host, for the three questions: memory.sql, kernels.sql, outliers.sql.
SET TimeZone = 'UTC';

CREATE OR REPLACE TABLE limits AS SELECT
    1800 AS warm_up,                -- seconds; after a start the caches fill, which is no leak
    1048576 AS least_growth,        -- bytes per hour
    0.8 AS least_fit,               -- 1: the memory is on a line. One step has at most 0.75, a wave of one day 0.6.
    6 AS least_score,               -- robust standard deviations
    0.05 AS most_outliers;          -- part of the hosts; where more are unlike the others, it is no single host

CREATE OR REPLACE VIEW recorded AS
FROM read_parquet('fleet/*/*/*.parquet', hive_partitioning = true, hive_types = {day: DATE, host: VARCHAR});

-- A line through the memory of each cache in each period. A period ends where slabtui or the host was restarted: what is
-- between two periods is not growth.
CREATE OR REPLACE TABLE period AS
SELECT
    host, kernel, since, name,
    bool_and(reclaimable) AS reclaimable,
    min(time) AS begins,
    max(time) AS ends,
    arg_max(mem, time) AS mem,
    regr_slope(mem, hours) AS bytes_per_hour,
    regr_r2(mem, hours) AS fit
FROM (SELECT *, (epoch(time) - epoch(since)) / 3600 AS hours FROM recorded), limits
WHERE mem IS NOT NULL AND hours * 3600 >= warm_up
GROUP BY ALL
HAVING count(*) >= 10;

-- All periods of a kernel together, each as far as it is long, and only what the kernel cannot reclaim. lsm_inode_cache and
-- selinux_inode_security have an object for each inode, and grow with the inodes, which can be reclaimed.
CREATE OR REPLACE TABLE growth AS
WITH of_kernel AS (
    SELECT
        host, kernel, name,
        min(begins) AS begins,
        arg_max(mem, ends) AS mem,
        sum(bytes_per_hour * seconds) / sum(seconds) AS bytes_per_hour,
        sum(fit * seconds) / sum(seconds) AS fit
    FROM (SELECT *, epoch(ends) - epoch(begins) AS seconds FROM period)
    WHERE reclaimable IS NOT true AND name NOT IN ('lsm_inode_cache', 'selinux_inode_security')
    GROUP BY ALL
)
SELECT
    of_kernel.*,
    bytes_per_hour >= least_growth AND fit >= least_fit AS grows,
    kernel = arg_max(kernel, begins) OVER (PARTITION BY host) AS is_last -- the kernel that the host ran last
FROM of_kernel, limits;
