"""The Parquet lake, a disposable projection of the log, and the SQL that adds it up."""
