"""Engines: who puts transactions in an order."""
