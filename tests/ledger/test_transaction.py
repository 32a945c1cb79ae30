"""Transactions on the wire: one form each, and a coded refusal for everything else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta
from tests.ledger.growing import KEY, LEDGER_ID, raw
from tests.ledger.toy import Fill, MoveAll, machine
from tests.support.refusals import refused

from wattproof.core.errors import Malformed, OverLimit, Refused
from wattproof.keys import cbor, cose
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import (
    NONCE_BYTES,
    Body,
    Codec,
    Part,
    Transaction,
    encode_payload,
    sign_transaction,
    transaction,
    transaction_id,
)

NONCE = bytes(range(NONCE_BYTES))
Count = Annotated[int, Meta(ge=-5, le=2**53)]
Word = Annotated[str, Meta(min_length=1, max_length=4)]


class Inner(Part):
    name: Word
    count: Count = 0


class Outer(Part):
    inner: Inner
    more: tuple[Inner, ...] | None
    pairs: tuple[tuple[int, ...], ...]


@transaction("tests.everything", 1, by=("anyone",), en="Everything", zh="全部")
class Everything(Body):
    count: Count
    word: Word
    data: Annotated[bytes, Meta(max_length=4)]
    flag: bool
    maybe: int | None
    either: Annotated[bytes, Meta(min_length=2, max_length=2)] | None
    choice: Literal["in", "out"]
    readings: UintArray
    numbers: Annotated[tuple[Count, ...], Meta(max_length=3)]
    part: Outer
    parts: Annotated[tuple[Inner, ...], Meta(max_length=2)]
    last: Inner | None = None


@transaction("tests.everything", 2, by=("anyone",), en="Nothing", zh="无")
class Nothing(Body):
    pass


CODEC = Codec([Everything, Nothing])

COUNTS = st.integers(-5, 2**53)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
INNERS = st.builds(Inner, name=WORDS, count=COUNTS)
OUTERS = st.builds(
    Outer,
    inner=INNERS,
    more=st.none() | st.lists(INNERS, max_size=2).map(tuple),
    pairs=st.lists(
        st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2).map(tuple), max_size=2
    ).map(tuple),
)
EVERYTHING = st.builds(
    Everything,
    count=COUNTS,
    word=WORDS,
    data=st.binary(max_size=4),
    flag=st.booleans(),
    maybe=st.none() | st.integers(-(2**63), 2**63 - 1),
    either=st.none() | st.binary(min_size=2, max_size=2),
    choice=st.sampled_from(["in", "out"]),
    readings=st.lists(st.integers(0, 2**64 - 1), max_size=4).map(UintArray.from_ints),
    numbers=st.lists(COUNTS, max_size=3).map(tuple),
    part=OUTERS,
    parts=st.lists(INNERS, max_size=2).map(tuple),
    last=st.none() | INNERS,
)
GOOD = Everything(
    count=7,
    word="电",
    data=b"\x00\xff",
    flag=True,
    maybe=None,
    either=b"ab",
    choice="in",
    readings=UintArray.from_ints([1, 300]),
    numbers=(1, 2),
    part=Outer(inner=Inner(name="x"), more=(Inner(name="y", count=-5),), pairs=((1,), ())),
    parts=(Inner(name="z"),),
)


def decode(payload: bytes) -> Transaction:
    raw = cose.sign(payload, KEY, aad=LEDGER_ID)
    return CODEC.decode(cose.parse(raw), raw)


def wire(body: Body) -> list[Any]:
    values = cbor.decode(encode_payload(body, nonce=NONCE))
    assert isinstance(values, list)
    return values


@given(EVERYTHING, st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
@settings(max_examples=300, deadline=None)
def test_what_is_encoded_is_decoded(body: Everything, nonce: bytes) -> None:
    raw = sign_transaction(body, KEY, ledger_id=LEDGER_ID, nonce=nonce)
    found = CODEC.decode(cose.parse(raw), raw)
    assert found.body == body
    assert type(found.body) is Everything
    assert (found.nonce, found.signer, found.raw) == (nonce, KEY.public, raw)
    assert found.id == transaction_id(raw)


def test_the_payload_is_an_array_of_arrays() -> None:
    assert wire(GOOD) == [
        "tests.everything", 1, NONCE, 7, "电", b"\x00\xff", True, None, b"ab", "in",
        UintArray.from_ints([1, 300]), [1, 2],
        [["x", 0], [["y", -5]], [[1], []]],
        [["z", 0]],
        None,
    ]  # fmt: skip
    assert wire(Nothing()) == ["tests.everything", 2, NONCE]


def test_a_nonce_is_taken_where_none_is_given() -> None:
    first, second = (sign_transaction(GOOD, KEY, ledger_id=LEDGER_ID) for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    "payload",
    [
        [], ["tests.everything"], ["tests.everything", 1], "tests.everything", 5, None, b"",
        ["tests.everything", 1, NONCE[:-1]], ["tests.everything", 1, NONCE + b"\0"],
        ["tests.everything", 1, "0123456789abcdef"], ["tests.everything", 1, None],
        [b"tests.everything", 1, NONCE], [1, 1, NONCE], [["tests.everything"], 1, NONCE],
        ["tests.everything", True, NONCE], ["tests.everything", "1", NONCE],
        ["tests.everything", None, NONCE], ["tests.everything", [1], NONCE],
        UintArray.from_ints([1, 2, 3]),
    ],
)  # fmt: skip
def test_shapes_that_are_no_transaction(payload: cbor.Value) -> None:
    refused("transaction.shape", lambda: decode(cbor.encode(payload)))


@pytest.mark.parametrize(
    ("type_", "version"),
    [("tests.nothing", 1), ("tests.everything", 3), ("tests.everything", 0), ("", -1),
     ("tests.everything ", 1), ("Tests.everything", 1), ("x" * 5000, 2**63 - 1)],
)  # fmt: skip
def test_types_that_are_not_known(type_: str, version: int) -> None:
    payload = cbor.encode([type_, version, NONCE])
    refused("transaction.unknown_type", lambda: decode(payload))
    with pytest.raises(Malformed) as caught:
        decode(payload)
    assert len(caught.value.text()) < 200


WRONG: dict[str, tuple[Any, ...]] = {
    "count": (-6, 2**53 + 1, True, "7", b"7", None, [7], UintArray.from_ints([7])),
    "word": ("", "12345", b"word", 5, None, ["word"], False),
    "data": (b"12345", "data", None, 1, [1], UintArray.from_ints([1])),
    "flag": (0, 1, None, "true", b"\x01", []),
    "maybe": (True, "5", b"", [], UintArray.from_ints([])),
    "either": (b"", b"1", b"123", "ab", 5, []),
    "choice": ("", "IN", "up", b"in", 0, None),
    "readings": ([1, 300], [], b"\x01", None, 1, "x"),
    "numbers": (None, [1, 2, 3, 4], [True], [None], ["1"], [[1]], [-6], 1, "12",
                UintArray.from_ints([1, 2])),
    "part": (None, [], [["x", 0]], [["x", 0], None], [["x", 0], None, [], 1], "part",
             [["x", 0, 1], None, []], [["x"], None, []], [[], None, []], [None, None, []],
             [["x", 0], [None], []], [["x", 0], ["y", 0], []], [["x", 0], None, None],
             [["x", 0], None, [1]], [["x", 0], None, [["1"]]], [["", 0], None, []],
             [["x", -6], None, []], UintArray.from_ints([1, 2, 3])),
    "parts": (None, [None], [[]], [["z", 0], ["z", 0], ["z", 0]], ["z", 0], [["z", True]],
              [[["z", 0]]], 1, b""),
    "last": ([], ["x"], [["x", 0]], ["x", 0, 0], ["xxxxx", 0], "x", 0, False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values]
)
def test_fields_outside_their_type_or_bounds(field: str, value: Any) -> None:
    values = wire(GOOD)
    values[3 + Everything.__struct_fields__.index(field)] = value
    refused("transaction.fields", lambda: decode(cbor.encode(values)))


@pytest.mark.parametrize("change", [lambda v: v[:-1], lambda v: [*v, None], lambda v: v[:3]])
def test_a_field_too_few_or_too_many(change: Any) -> None:
    refused("transaction.fields", lambda: decode(cbor.encode(change(wire(GOOD)))))


def test_defaults_do_not_shorten_the_wire() -> None:
    values = wire(GOOD)
    assert values[-1] is None
    refused("transaction.fields", lambda: decode(cbor.encode(values[:-1])))


def strange() -> st.SearchStrategy[Any]:
    leaf = (
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        | st.lists(st.integers(0, 2**64 - 1), max_size=4).map(UintArray.from_ints)
    )  # fmt: skip
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


def accepts_only_its_own(raw: bytes) -> None:
    """Whatever is taken encodes to the very bytes it came from; all else is `Refused`."""
    try:
        envelope = cose.parse(raw)
        found = CODEC.decode(envelope, raw)
    except Refused as refusal:
        assert refusal.text("en")
        assert refusal.text("zh")
    else:
        assert encode_payload(found.body, nonce=found.nonce) == envelope.payload


@given(st.lists(st.tuples(st.integers(0, 15), strange()), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_other_values_in_place_of_fields(changes: list[tuple[int, Any]]) -> None:
    values = wire(GOOD)
    for place, value in changes:
        values[place : place + 1] = [value]
    accepts_only_its_own(cose.sign(cbor.encode(values), KEY, aad=LEDGER_ID))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_a_transaction_or_its_payload(data: bytes) -> None:
    accepts_only_its_own(data)
    accepts_only_its_own(cose.sign(data, KEY, aad=LEDGER_ID))


RAW = sign_transaction(GOOD, KEY, ledger_id=LEDGER_ID, nonce=NONCE)
PAYLOAD = encode_payload(GOOD, nonce=NONCE)


def test_every_bit_of_a_transaction_flipped() -> None:
    for bit in range(len(RAW) * 8):
        changed = bytearray(RAW)
        changed[bit // 8] ^= 1 << bit % 8
        raw = bytes(changed)
        accepts_only_its_own(raw)
        try:
            envelope = cose.parse(raw)
        except Refused:
            continue
        assert not cose.verify(envelope, aad=LEDGER_ID)


def test_every_bit_of_a_payload_flipped_and_signed_again() -> None:
    for bit in range(len(PAYLOAD) * 8):
        changed = bytearray(PAYLOAD)
        changed[bit // 8] ^= 1 << bit % 8
        accepts_only_its_own(cose.sign(bytes(changed), KEY, aad=LEDGER_ID))


def test_every_truncation_and_every_extension() -> None:
    for end in range(len(RAW)):
        with pytest.raises(Refused):
            cose.parse(RAW[:end])
    for end in range(len(PAYLOAD)):
        with pytest.raises(Malformed):
            decode(PAYLOAD[:end])
    for more in (b"\0", b"\xf6", RAW):
        with pytest.raises(Malformed):
            cose.parse(RAW + more)
        with pytest.raises(Malformed):
            decode(PAYLOAD + more)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_spliced_transactions(data: st.DataObject) -> None:
    left, right = data.draw(st.integers(0, len(RAW))), data.draw(st.integers(0, len(RAW)))
    filling = data.draw(st.binary(max_size=8))
    accepts_only_its_own(RAW[:left] + filling + RAW[right:])


def test_a_transaction_of_another_ledger_does_not_verify() -> None:
    envelope = cose.parse(raw(0))
    assert cose.verify(envelope, aad=LEDGER_ID)
    assert not cose.verify(envelope, aad=bytes(32))
    assert not cose.verify(envelope, aad=LEDGER_ID[:-1])


def test_more_than_60_kib_is_too_much() -> None:
    body = MoveAll(moves=(), label=bytes(61_440))
    with pytest.raises(OverLimit):
        sign_transaction(body, KEY, ledger_id=LEDGER_ID)
    with pytest.raises(OverLimit):
        cose.parse(RAW.ljust(61_441, b"\0"))


def test_a_type_is_declared_once() -> None:
    with pytest.raises(AssertionError, match="declared twice"):
        Codec([Everything, Nothing, Everything])


def test_specs_are_printed_in_order() -> None:
    specs = [(spec.type, spec.version, spec.by) for spec in machine().specs]
    assert specs == sorted(specs)
    assert ("toy.fill", 1, ("anyone",)) in specs


def test_fields_from_json() -> None:
    fields = {"jar": "a", "shelf": "b", "beans": 3}
    codec = machine().codec
    assert codec.from_json("toy.fill", 1, fields=fields) == Fill(jar="a", shelf="b", beans=3)
    moves = [{"source": "a", "target": "b", "beans": 1}]
    made = codec.from_json("toy.move", 1, fields={"moves": moves, "label": "AAE="})
    assert isinstance(made, MoveAll)
    assert made.label == b"\x00\x01"
    assert made.moves[0].target == "b"
    as_json = msgspec.to_builtins(GOOD, enc_hook=lambda array: list(array))
    assert CODEC.from_json("tests.everything", 1, fields=as_json) == GOOD


@pytest.mark.parametrize(
    "fields",
    [{}, {"jar": "a", "shelf": "b", "beans": "3"}, {"jar": "a", "shelf": "b", "beans": -1},
     {"jar": "a", "shelf": "b", "beans": 3, "more": 1}, {"jar": "a", "shelf": "b", "beans": 1.5}],
)  # fmt: skip
def test_wrong_fields_from_json(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        machine().codec.from_json("toy.fill", 1, fields=fields)


@pytest.mark.parametrize("readings", [[-1], [2**64], ["1"], [1.5], [None], [[1]], "12", 5, None])
def test_wrong_readings_from_json(readings: Any) -> None:
    as_json = msgspec.to_builtins(GOOD, enc_hook=lambda array: list(array))
    with pytest.raises((msgspec.ValidationError, Malformed)):
        CODEC.from_json("tests.everything", 1, fields={**as_json, "readings": readings})


def test_an_unknown_type_from_json() -> None:
    refused(
        "transaction.unknown_type",
        lambda: machine().codec.from_json("toy.nothing", 1, fields={}),
    )
