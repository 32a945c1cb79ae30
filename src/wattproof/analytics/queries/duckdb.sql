-- What DuckDB must be taught before the queries: whole-number division.
CREATE OR REPLACE TEMP MACRO int_div(a, b) AS a // b;
