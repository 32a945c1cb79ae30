"""Metering: packets of readings signed by meters, and the continuity of each meter's stream."""
