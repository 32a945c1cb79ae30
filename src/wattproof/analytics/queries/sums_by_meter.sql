-- Amount (base units) and emission (grams) of each meter, factor and bucket.
-- Three places are filled in: the relation, the index of a row's bucket, a condition on rows.
-- A sum that does not fit 64 bits is an error in every engine, never another number.
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
ORDER BY meter_factor - meter_factor % 1048576, bucket, meter_factor
