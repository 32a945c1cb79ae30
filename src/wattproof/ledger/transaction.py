"""Transactions: one frozen Struct a type, and its one deterministic form on the wire.

On the wire a transaction is a COSE_Sign1 whose payload is the CBOR array
``[type, version, nonce, ...fields]``, the fields in the order in which the Struct declares them.
A `Part` inside a field is an array of its own fields. Its id is SHA-256 of the exact signed bytes.
"""

from __future__ import annotations

import hashlib
import os
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform, get_args, get_origin

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.keys import cbor, cose
from wattproof.keys.cbor import UintArray, Value
from wattproof.keys.ed25519 import SigningKey

__all__ = [
    "EVERYONE",
    "NONCE_BYTES",
    "Body",
    "Codec",
    "Part",
    "Spec",
    "Transaction",
    "content_nonce",
    "encode_payload",
    "new_nonce",
    "sign_transaction",
    "transaction",
    "transaction_id",
]

NONCE_BYTES: Final = 16
"""Length of a nonce: enough that two random ones never meet."""

EVERYONE: Final = ("device", "party", "anyone")
"""Signers that are not roles: an active device for itself, any active party, any key at all."""

BAD_SHAPE = ErrorCode(
    Malformed,
    "transaction.shape",
    en="The payload is not an array of type, version, nonce and fields.",
    zh="载荷不是由类型、版本、随机数和字段组成的数组。",
)
UNKNOWN_TYPE = ErrorCode(
    Malformed,
    "transaction.unknown_type",
    en="This ledger knows no transaction type {type} in version {version}.",
    zh="本账本没有类型为 {type}、版本为 {version} 的交易。",
)
BAD_FIELDS = ErrorCode(
    Malformed,
    "transaction.fields",
    en="A field of {type} is not as it must be: {reason}.",
    zh="{type} 的字段不符合要求：{reason}。",
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A group of fields inside a transaction; an array of its own on the wire."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The fields of one type of transaction. Subclasses are declared with `transaction`."""

    spec: ClassVar[Spec]


B = TypeVar("B", bound=Body)
Shape = Callable[[object], object]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of a transaction type: name, version, who may sign it, and its words."""

    type: str
    version: int
    by: tuple[str, ...]
    en: str
    zh: str


def transaction(
    type_: str, version: int, *, by: tuple[str, ...], en: str, zh: str
) -> Callable[[type[B]], type[B]]:
    """Declare a `Body` subclass as a transaction type.

    `by` lists who may sign it: names of roles, or one of `EVERYONE`. Rules may ask for more, such
    as being the owner of what is touched. `en` and `zh` say in a few words what it does.
    """

    def declare(cls: type[B]) -> type[B]:
        cls.spec = Spec(type=type_, version=version, by=by, en=en, zh=zh)
        return cls

    return declare


class Transaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decoded transaction: its id, exact bytes, signer's public key, nonce and fields."""

    id: bytes
    raw: bytes
    signer: bytes
    nonce: bytes
    body: Body


def transaction_id(raw: bytes) -> bytes:
    """SHA-256 of the exact bytes, 32 bytes."""
    return hashlib.sha256(raw).digest()


def encode_payload(body: Body, *, nonce: bytes) -> bytes:
    """The deterministic CBOR array ``[type, version, nonce, ...fields]``."""
    spec = body.spec
    return cbor.encode([spec.type, spec.version, nonce, *_fields(body)])


def new_nonce() -> bytes:
    """A random nonce."""
    return os.urandom(NONCE_BYTES)


def content_nonce(body: Body) -> bytes:
    """A nonce that follows from the fields: the same content, signed again, is the same bytes.

    For work that may be done twice and must count once, such as an import.
    """
    return hashlib.sha256(encode_payload(body, nonce=bytes(NONCE_BYTES))).digest()[:NONCE_BYTES]


def sign_transaction(
    body: Body, key: SigningKey, *, ledger_id: bytes, nonce: bytes | None = None
) -> bytes:
    """Sign `body` for the ledger `ledger_id`; without a `nonce` a random one is taken."""
    payload = encode_payload(body, nonce=new_nonce() if nonce is None else nonce)
    return cose.sign(payload, key, aad=ledger_id)


class Codec:
    """Turns payloads into Structs, for the transaction types that a ledger knows."""

    def __init__(self, bodies: Iterable[type[Body]]) -> None:
        self._plans: dict[tuple[object, object], _Plan] = {}
        for body in bodies:
            key = (body.spec.type, body.spec.version)
            assert key not in self._plans, f"transaction type {key} is declared twice"
            self._plans[key] = _Plan(body)

    def decode(self, envelope: cose.Envelope, raw: bytes) -> Transaction:
        """Decode a parsed envelope; whether its signature holds is not looked at here.

        Raises `Malformed` for another encoding than the deterministic one, an unknown type, or
        a field outside its declared type and bounds.
        """
        nonce, body = self._open(envelope.payload)
        return Transaction(
            id=hashlib.sha256(raw).digest(),
            raw=raw,
            signer=envelope.kid,
            nonce=nonce,
            body=body,
        )

    def body_of(self, payload: bytes) -> Body:
        """The fields of a payload that is not signed yet. Raises `Malformed` as `decode` does."""
        return self._open(payload)[1]

    def _open(self, payload: bytes) -> tuple[bytes, Body]:
        values = cbor.decode(payload)
        if not isinstance(values, list) or len(values) < 3:
            raise BAD_SHAPE()
        type_, version, nonce = values[0], values[1], values[2]
        if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
            raise BAD_SHAPE()
        if not isinstance(type_, str) or type(version) is not int:
            raise BAD_SHAPE()
        plan = self._plans.get((type_, version))
        if plan is None:
            raise UNKNOWN_TYPE(type=type_[:64], version=version)
        return nonce, plan.build(values)

    def from_json(self, type_: str, version: int, *, fields: dict[str, Any]) -> Body:
        """Build the fields of a transaction from a JSON object; byte strings in base64.

        Raises `Malformed` for an unknown type, `msgspec.ValidationError` for a wrong field.
        """
        plan = self._plans.get((type_, version))
        if plan is None:
            raise UNKNOWN_TYPE(type=type_[:64], version=version)
        return msgspec.convert(fields, plan.body, dec_hook=_json_hook)


class _Plan:
    """How the wire array of one type becomes its Struct."""

    def __init__(self, body: type[Body]) -> None:
        self.body = body
        self._names = body.__struct_fields__
        hints = typing.get_type_hints(body, include_extras=True)
        shapes = [(name, _shape(hints[name])) for name in self._names]
        self._nested = tuple((name, shape) for name, shape in shapes if shape is not None)

    def build(self, values: Sequence[Value]) -> Body:
        names = self._names
        if len(values) != len(names) + 3:
            raise BAD_FIELDS(
                type=self.body.spec.type, reason=f"{len(names)} fields, not {len(values) - 3}"
            )
        fields: dict[str, object] = dict(zip(names, values[3:], strict=True))
        try:
            for name, shape in self._nested:
                fields[name] = shape(fields[name])
            return msgspec.convert(
                fields, self.body, builtin_types=_BUILTIN_TYPES, dec_hook=_array_hook
            )
        except msgspec.ValidationError as error:
            raise BAD_FIELDS(type=self.body.spec.type, reason=str(error)) from None


_BUILTIN_TYPES: Final = (bytes,)


def _array_hook(kind: type, value: object) -> object:
    if kind is UintArray and isinstance(value, UintArray):
        return value
    raise msgspec.ValidationError("Expected a typed array of unsigned integers")


def _json_hook(kind: type, value: object) -> object:
    if kind is UintArray and isinstance(value, list):
        return UintArray.from_ints(value)
    raise msgspec.ValidationError("Expected an array of unsigned integers")


def _fields(struct: Body | Part) -> list[Value]:
    return [_wire(getattr(struct, name)) for name in struct.__struct_fields__]


def _wire(value: Any) -> Value:
    if isinstance(value, Part):
        return _fields(value)
    if isinstance(value, tuple):
        return [_wire(item) for item in value]
    return typing.cast("Value", value)


def _shape(hint: object) -> Shape | None:
    """A function that gives nested arrays the names of their fields; None where nothing nests."""
    if isinstance(hint, type) and issubclass(hint, Part):
        return _part_shape(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _shape(arguments[0])
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _sequence_shape(_shape(arguments[0]))
    if origin in (typing.Union, types.UnionType):
        inner = [shape for shape in map(_shape, arguments) if shape is not None]
        assert len(inner) <= 1, f"ambiguous union {hint}"
        return _optional_shape(inner[0]) if inner else None
    return None


def _part_shape(part: type[Part]) -> Shape:
    names = part.__struct_fields__
    hints = typing.get_type_hints(part, include_extras=True)
    nested = [(name, inner) for name in names if (inner := _shape(hints[name])) is not None]

    def shape(value: object) -> object:
        if not isinstance(value, list) or len(value) != len(names):
            raise msgspec.ValidationError(f"Expected an array of {len(names)} fields")
        fields = dict(zip(names, value, strict=True))
        for name, inner in nested:
            fields[name] = inner(fields[name])
        return fields

    return shape


def _sequence_shape(inner: Shape | None) -> Shape | None:
    if inner is None:
        return None
    each: Shape = inner

    def shape(value: object) -> object:
        if not isinstance(value, list):
            raise msgspec.ValidationError("Expected an array")
        return [each(item) for item in value]

    return shape


def _optional_shape(inner: Shape) -> Shape:
    return lambda value: None if value is None else inner(value)
