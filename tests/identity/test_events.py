"""Events and their sentences."""

from __future__ import annotations

from tests.support.declared import events_in, fields_of_template

from wattproof.identity import events


def test_every_sentence_names_fields_of_its_event() -> None:
    kinds = events_in(events)
    assert {kind.__name__ for kind in kinds} == set(events.__all__)
    for kind in kinds:
        fields = set(kind.__struct_fields__)
        assert kind.name.startswith("identity.")
        assert fields_of_template(kind.en) <= fields
        assert fields_of_template(kind.zh) == fields_of_template(kind.en)
        assert not kind.zh.isascii()
