"""Tracking: nodes that emit carbon themselves, ports, bindings, thresholds and error reports."""
