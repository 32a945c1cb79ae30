-- What Spark SQL must be taught before the queries: whole-number division.
CREATE OR REPLACE TEMPORARY FUNCTION int_div(a BIGINT, b BIGINT) RETURNS BIGINT RETURN a DIV b
