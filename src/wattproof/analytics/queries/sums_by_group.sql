-- The same over groups of meters: `members` tells the group (a number) of each meter.
-- Meters are added up first, so that the join sees few rows.
SELECT
    members.member_of AS member_of,
    meter_sums.meter_factor % 1048576 AS factor,
    meter_sums.bucket AS bucket,
    CAST(SUM(meter_sums.amount) AS BIGINT) AS amount,
    CAST(SUM(meter_sums.emission_g) AS BIGINT) AS emission_g
FROM (
    SELECT
        meter_factor,
        bucket,
        CAST(SUM(amount) AS BIGINT) AS amount,
        CAST(SUM(emission_g) AS BIGINT) AS emission_g
    FROM (
        SELECT meter_factor, {bucket} AS bucket, amount, emission_g
        FROM {readings} AS readings
        WHERE {chosen}
    ) AS placed
    GROUP BY meter_factor, bucket
) AS meter_sums
INNER JOIN members
    ON members.meter * 1048576 = meter_sums.meter_factor - meter_sums.meter_factor % 1048576
GROUP BY members.member_of, meter_sums.meter_factor % 1048576, meter_sums.bucket
ORDER BY member_of, bucket, factor
