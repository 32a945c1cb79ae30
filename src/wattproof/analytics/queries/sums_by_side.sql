-- Two sides of groups of meters, beside each other in one row: `members` tells the group and the
-- side (0 left, 1 right) of each meter; a meter may be named several times and counts each time.
-- A row's `known` are readings with an emission, `present` the members with any
-- reading, `right_present` those of them on the right.
-- Meters are added up first, so that the join sees few rows.
SELECT
    members.member_of AS member_of,
    meter_sums.bucket AS bucket,
    CAST(SUM(CASE WHEN members.side = 0 THEN amount ELSE 0 END) AS BIGINT) AS left_amount,
    CAST(SUM(CASE WHEN members.side = 1 THEN amount ELSE 0 END) AS BIGINT) AS right_amount,
    CAST(SUM(CASE WHEN members.side = 0 THEN emission_g ELSE 0 END) AS BIGINT) AS left_g,
    CAST(SUM(CASE WHEN members.side = 1 THEN emission_g ELSE 0 END) AS BIGINT) AS right_g,
    CAST(SUM(CASE WHEN members.side = 0 THEN known ELSE 0 END) AS BIGINT) AS left_known,
    CAST(SUM(CASE WHEN members.side = 1 THEN known ELSE 0 END) AS BIGINT) AS right_known,
    CAST(SUM(readings - known) AS BIGINT) AS unknown,
    COUNT(*) AS present,
    CAST(SUM(members.side) AS BIGINT) AS right_present
FROM (
    SELECT
        meter,
        bucket,
        CAST(SUM(amount) AS BIGINT) AS amount,
        CAST(COALESCE(SUM(emission_g), 0) AS BIGINT) AS emission_g,
        COUNT(emission_g) AS known,
        COUNT(*) AS readings
    FROM (
        SELECT meter, {bucket} AS bucket, amount, emission_g
        FROM {readings} AS readings
        WHERE {chosen}
    ) AS placed
    GROUP BY meter, bucket
) AS meter_sums
INNER JOIN members ON members.meter = meter_sums.meter
GROUP BY members.member_of, meter_sums.bucket
ORDER BY member_of, bucket
