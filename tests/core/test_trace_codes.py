"""Trace codes: one text, one packed form, and no mistake in typing goes unnoticed."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.core.codes import energy_sources, provinces, technologies
from wattproof.core.errors import Malformed
from wattproof.core.trace_codes import (
    KINDS,
    PACKED_BYTES,
    TEXT_CHARACTERS,
    TraceCode,
    check_character,
    check_trace,
    check_trace_technology,
    pack_trace,
    parse_trace,
    trace_province,
    trace_text,
    unpack_trace,
)

REGIONS = [
    *(province.iso3166_2 for province in provinces()),
    "CN", "KR", "US-CA", "GB-SCT", "AT-9", "FR-75C", "310115", "659004",
]  # fmt: skip
CODES = st.builds(
    TraceCode,
    kind=st.sampled_from(KINDS),
    region=st.sampled_from(REGIONS),
    technology=st.sampled_from([*technologies(), *energy_sources()]),
    start_s=st.integers(0, 253_402_300_799),
    length_s=st.integers(1, 99_999_999),
    meter=st.integers(1, 2**32 - 1),
    record=st.integers(0, 999_999_999_999),
)
TYPED = st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-* .")

WORKED = TraceCode(
    kind="supply",
    region="CN-SH",
    technology="T010100",
    start_s=1_748_736_000,  # 2025-06-01T00:00:00Z
    length_s=3600,
    meter=42,
    record=17,
)


def test_a_worked_code() -> None:
    text = trace_text(WORKED)
    assert text == "1-00CNSH-T01010000-20250601000000-00003600-0000000042-000000000017-P"
    assert len(text) == TEXT_CHARACTERS
    assert parse_trace(text) == WORKED
    assert parse_trace(f"  {text.lower()} ") == WORKED
    assert parse_trace(text.replace("0", "０")) == WORKED  # full width, as typed in Chinese


def test_the_example_in_the_documents_is_a_code() -> None:
    code = parse_trace(
        "2-310115-F01050100-20250601000000-00003600-0000000042-000000000017-"
        + check_character("2310115F0105010020250601000000000036000000000042000000000017")
    )
    assert (code.kind, code.region, code.technology) == ("consumption", "310115", "F01050100")
    assert code.province == "CN-SH"


def test_the_check_character_is_that_of_others() -> None:
    """A published example of ISO 7064, MOD 37-2, and one whose check character is no letter."""
    assert check_character("G123489654321") == "Y"
    assert check_character("1") == "*"


@given(CODES)
def test_every_code_has_one_text_and_one_packed_form(code: TraceCode) -> None:
    text, packed = trace_text(code), pack_trace(code)
    assert len(text) == TEXT_CHARACTERS
    assert len(packed) == PACKED_BYTES
    assert parse_trace(text) == code == unpack_trace(packed) == check_trace(code)


@given(CODES, CODES)
def test_different_codes_have_different_forms(one: TraceCode, other: TraceCode) -> None:
    assert (one == other) == (trace_text(one) == trace_text(other))
    assert (one == other) == (pack_trace(one) == pack_trace(other))


@given(CODES, st.integers(0, TEXT_CHARACTERS - 1), TYPED)
def test_every_wrong_character_is_noticed(code: TraceCode, place: int, character: str) -> None:
    text = trace_text(code)
    if character != text[place]:
        with pytest.raises(Malformed):
            parse_trace(text[:place] + character + text[place + 1 :])


@given(CODES, st.integers(0, TEXT_CHARACTERS - 2))
def test_every_swap_of_neighbours_is_noticed(code: TraceCode, place: int) -> None:
    text = trace_text(code)
    if text[place] != text[place + 1]:
        with pytest.raises(Malformed):
            parse_trace(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


@given(st.binary(min_size=PACKED_BYTES, max_size=PACKED_BYTES))
def test_any_bytes_are_a_code_in_its_one_form_or_refused(packed: bytes) -> None:
    try:
        code = unpack_trace(packed)
    except Malformed:
        return
    assert pack_trace(code) == packed


@given(CODES, st.integers(0, 8 * PACKED_BYTES - 1))
def test_a_flipped_bit_never_gives_the_same_code(code: TraceCode, bit: int) -> None:
    flipped = (int.from_bytes(pack_trace(code), "big") ^ 1 << bit).to_bytes(PACKED_BYTES, "big")
    with suppress(Malformed):
        assert unpack_trace(flipped) != code


def test_refusals_are_coded() -> None:
    text = trace_text(WORKED)
    refused("core.trace.form", lambda: parse_trace(text[:-1]))
    refused("core.trace.form", lambda: parse_trace(""))
    refused("core.trace.check", lambda: parse_trace(text[:-1] + ("0" if text[-1] != "0" else "1")))
    refused("core.trace.packed", lambda: unpack_trace(bytes(PACKED_BYTES)))
    refused("core.trace.packed", lambda: unpack_trace(b""))
    for body in (
        "1-310000-T01010000-20250601000000-00003600-0000000042-000000000017",  # not canonical
        "1-00XXSH-T01010000-20250601000000-00003600-0000000042-000000000017",  # no such country
        "1-00CNSH-T01010001-20250601000000-00003600-0000000042-000000000017",  # T codes end in 00
        "1-00CNSH-T99999900-20250601000000-00003600-0000000042-000000000017",  # no such technology
        "1-00CNSH-T01010000-20250631000000-00003600-0000000042-000000000017",  # no such day
        "1-00CNSH-T01010000-20250601000000-00000000-0000000042-000000000017",  # no length
        "1-00CNSH-T01010000-20250601000000-00003600-9999999999-000000000017",  # no such meter
    ):
        typed = f"{body}-{check_character(body.replace('-', ''))}"
        refused("core.trace.field", partial(parse_trace, typed))


def test_provinces_and_technologies() -> None:
    assert [trace_province(region) for region in ("310115", "CN-SH", "CN", "US-CA", "KR")] == [
        "CN-SH", "CN-SH", "CN", "US-CA", "KR",
    ]  # fmt: skip
    assert check_trace_technology(" t010100 ") == "T010100"
    assert check_trace_technology("f01050100") == "F01050100"
    with pytest.raises(Malformed):
        check_trace_technology("F99999999")
