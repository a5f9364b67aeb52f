-- Where did the memory go? What the kernel cannot reclaim, on all hosts and on each one.

-- The caches that hold most over the fleet.
SELECT
    name,
    count(*) AS hosts,
    format_bytes(sum(mem)::BIGINT) AS mem,
    format_bytes(max(mem)) AS most,
    arg_max(host, mem) AS most_on
FROM growth WHERE is_last GROUP BY name ORDER BY sum(mem) DESC, name LIMIT 10;

-- The caches that grow most over the fleet.
SELECT
    name,
    count(*) AS hosts_growing,
    format_bytes(sum(bytes_per_hour)::BIGINT) AS growth_per_hour,
    format_bytes(max(bytes_per_hour)::BIGINT) AS most_per_hour,
    arg_max(host, bytes_per_hour) AS most_on
FROM growth WHERE is_last AND grows GROUP BY name ORDER BY sum(bytes_per_hour) DESC, name LIMIT 10;

-- The three caches of each host that hold most.
SELECT host, name, format_bytes(mem) AS mem
FROM growth WHERE is_last
QUALIFY row_number() OVER (PARTITION BY host ORDER BY mem DESC, name) <= 3
ORDER BY host, growth.mem DESC, name;

-- The three caches of each host that grow most.
SELECT host, name, format_bytes(bytes_per_hour::BIGINT) AS growth_per_hour, format_bytes(mem) AS mem
FROM growth WHERE is_last AND grows
QUALIFY row_number() OVER (PARTITION BY host ORDER BY bytes_per_hour DESC, name) <= 3
ORDER BY bytes_per_hour DESC, host, name;
