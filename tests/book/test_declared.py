"""No refusal without a test that gets it, no event without its sentences."""

from __future__ import annotations

from tests.support.declared import codes_in, codes_tested_under, events_in, fields_of_template

from wattproof.book import model, refusals


def test_every_code_is_raised_in_a_test_of_this_room() -> None:
    declared = codes_in(refusals)
    assert len(declared) == len(refusals.__all__)
    assert all(code.startswith("book.") for code in declared)
    assert [code for code in declared if code not in codes_tested_under("book")] == []


def test_every_sentence_names_fields_of_its_event() -> None:
    for kind in events_in(model):
        fields = set(kind.__struct_fields__)
        assert kind.name.startswith("book.")
        assert fields_of_template(kind.en) <= fields
        assert fields_of_template(kind.zh) == fields_of_template(kind.en)
        assert not kind.zh.isascii()
