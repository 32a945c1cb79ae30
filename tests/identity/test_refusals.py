"""No refusal without a test that gets it."""

from __future__ import annotations

from tests.support.declared import codes_in, codes_tested_under

from wattproof.identity import refusals


def test_every_code_is_raised_in_a_test_of_this_room() -> None:
    declared = codes_in(refusals)
    assert len(declared) == len(refusals.__all__)
    assert all(code.startswith("identity.") for code in declared)
    assert [code for code in declared if code not in codes_tested_under("identity")] == []
