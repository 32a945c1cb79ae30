"""A log entry in words: which transaction, signed by whom, with which fields, and what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Refused, filled_in
from wattproof.keys import cose
from wattproof.keys.did import did_of
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.machine import Event
from wattproof.ledger.store import Entry
from wattproof.ledger.transaction import Codec, Transaction

__all__ = ["Sentence", "decode_entry", "events_of", "plain", "sentence_of", "signer_of"]

UNREADABLE = ErrorCode(
    Broken,
    "gateway.entry_unreadable",
    en="Log entry {index} is not a transaction that this version can read: {reason}",
    zh="日志条目 {index} 不是本版本可读取的交易：{reason}",
)


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """The same in English and in Chinese."""

    en: str
    zh: str


def decode_entry(codec: Codec, entry: Entry) -> Transaction:
    """The transaction of a stored entry. Raises `Broken` where it cannot be read."""
    raw = leaf_parts(entry.leaf)[2]
    try:
        return codec.decode(cose.parse(raw), raw)
    except Refused as refusal:
        raise UNREADABLE(index=entry.index, reason=refusal.text()) from refusal


def signer_of(transaction: Transaction) -> str:
    """The did:key of who signed."""
    return did_of(transaction.signer)


def plain(value: Any) -> Any:
    """A value as JSON shows it: Structs as objects with every field, byte strings in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UintArray):
        return list(value.ints())
    if isinstance(value, msgspec.Struct):
        return {field: plain(getattr(value, field)) for field in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def events_of(entry: Entry) -> list[dict[str, Any]]:
    """What a transaction made happen, as receipts show it: ``event`` and the event's fields."""
    receipt = receipt_of(entry, first=False)
    return [{"event": name, **plain(fields)} for name, fields in receipt.events]


def sentence_of(event: dict[str, Any]) -> Sentence:
    """An event of `events_of` as a sentence; its name where its room is not part of this program.

    Fields that were left out because they hold their default are filled in.
    """
    name = str(event["event"])
    kind = _kinds().get(name)
    if kind is None:
        return Sentence(en=name, zh=name)
    fields = {**_defaults(kind), **event}
    return Sentence(en=filled_in(kind.en, fields), zh=filled_in(kind.zh, fields))


@cache
def _defaults(kind: type[Event]) -> Mapping[str, Any]:
    return {
        field.name: plain(field.default)
        for field in msgspec.structs.fields(kind)
        if field.default is not msgspec.NODEFAULT
    }


_KINDS: Final[dict[str, type[Event]]] = {}


def _kinds() -> dict[str, type[Event]]:
    """Every declared event by its name; looked for again when rooms were imported since."""
    declared = list(_subclasses(Event))
    if len(declared) != len(_KINDS):
        _KINDS.update({kind.name: kind for kind in declared})
    return _KINDS


def _subclasses(kind: type[Event]) -> Iterator[type[Event]]:
    for subclass in kind.__subclasses__():
        if "name" in subclass.__dict__:
            yield subclass
        yield from _subclasses(subclass)
