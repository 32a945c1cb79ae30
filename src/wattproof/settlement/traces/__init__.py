"""Trace codes on the log, sealed, and found again by those who hold their epoch's key."""
