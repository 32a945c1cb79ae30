"""Errors: what their sentences look like."""

from __future__ import annotations

from wattproof.core.errors import filled_in


def test_instants_are_said_as_people_read_them() -> None:
    template = "from {from_s:time} to {to_s:time} ({count:03})"
    said = filled_in(template, {"from_s": 1_769_875_200, "to_s": 0, "count": 7})
    assert said == "from 2026-01-31T16:00:00Z to 0 (007)"
    assert filled_in("{at:time}", {"at": "1 February"}) == "1 February"
    assert filled_in("{at:time}", {"at": 10**18}) == str(10**18)
