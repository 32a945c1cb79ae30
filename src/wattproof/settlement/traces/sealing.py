"""Makes what the opener of an epoch signs: the opening, copies of the key, batches of codes.

Codes are put together by day, kind, technology and province and cut into full batches, whatever
group ends where: so a search has few batches to open, and the sizes of batches tell nothing but
how many codes there are. In which order groups are cut and batches numbered follows from the key:
to anybody else it is random, and a batch's number tells nothing of what is in it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wattproof.core.trace_codes import TraceCode, TraceKind, pack_trace
from wattproof.keys.blind_index import BlindIndex
from wattproof.keys.sealed import KEY_BYTES, KEY_ID_BYTES, MAX_PLACE, EpochKey
from wattproof.keys.wrapping import wrap
from wattproof.settlement.traces.model import (
    MAX_CODES,
    MAX_TOKENS,
    PLAIN_ABOUT_BYTES,
    GrantKey,
    KeyCopy,
    OpenKey,
    PublishTraces,
)
from wattproof.settlement.traces.refusals import ABOUT

__all__ = [
    "ABOUT_PLACE",
    "DAY_S",
    "granting",
    "new_epoch_key",
    "opening",
    "publishing",
    "values_of",
]

DAY_S: Final = 86_400
"""Days are those of UTC in tokens; a local day lies in two of them."""

ABOUT_PLACE: Final = MAX_PLACE
"""The place for which is sealed what an epoch is about; no batch has it."""

_Group = tuple[int, TraceKind, str, str]


def new_epoch_key(ledger_id: bytes) -> EpochKey:
    """A random key with a random id."""
    return EpochKey(os.urandom(KEY_BYTES), ledger_id=ledger_id, key_id=os.urandom(KEY_ID_BYTES))


def opening(key: EpochKey, *, region: str, note: str = "", holders: Mapping[str, bytes]) -> OpenKey:
    """Open the epoch of a key for parties, by id, with their public keys.

    `region` is what it is for, `note` anything else that its holders should know; both are sealed.
    The opener should be among the holders, or it will have to keep the key by other means. Raises
    ``settlement.key.about`` where the two are too long.
    """
    about = f"{region}\0{note}".encode()
    if len(about) > PLAIN_ABOUT_BYTES:
        raise ABOUT(limit=PLAIN_ABOUT_BYTES - 1, bytes=len(about) - 1)
    (sealed,) = key.seal([about.ljust(PLAIN_ABOUT_BYTES, b"\0")], place=ABOUT_PLACE)
    return OpenKey(key=key.key_id, check=key.check, about=sealed, copies=_copies(key, holders))


def granting(key: EpochKey, holders: Mapping[str, bytes]) -> GrantKey:
    """Give the key of an epoch to more parties, by id, with their public keys."""
    return GrantKey(key=key.key_id, copies=_copies(key, holders))


def publishing(key: EpochKey, codes: Iterable[TraceCode], *, first: int) -> Iterator[PublishTraces]:
    """The batches of checked codes, the first with this number; none where there are no codes.

    The same codes give the same batches, in whatever order they come. What is the same code twice
    stands in a batch once.
    """
    index = BlindIndex(key)
    for number, (chunk, values) in enumerate(_shuffled(key, codes, first=first), start=first):
        yield PublishTraces(
            key=key.key_id,
            number=number,
            rows=b"".join(sorted(set(key.seal(map(pack_trace, chunk), place=number)))),
            tokens=index.tokens(values, place=number),
        )


def values_of(
    *, day: int, kind: str, technology: str, province: str
) -> tuple[tuple[str, str], ...]:
    """The fields by which a code is found, and their values; `day` counts from 1970, UTC."""
    return (
        ("day", str(day)),
        ("kind", kind),
        ("technology", technology),
        ("province", province),
    )


def _copies(key: EpochKey, holders: Mapping[str, bytes]) -> tuple[KeyCopy, ...]:
    return tuple(
        KeyCopy(party=party, wrapped=wrap(key.secret, public))
        for party, public in sorted(holders.items())
    )


_Chunk = tuple[list[TraceCode], set[tuple[str, str]]]


def _shuffled(key: EpochKey, codes: Iterable[TraceCode], *, first: int) -> list[_Chunk]:
    """Codes of one batch each, with the values that are in it, in an order that the key gives."""
    secret = key.derived(b"wattproof order v1")

    def place_of(*parts: object) -> bytes:
        text = "\0".join(map(str, (first, *parts)))
        return hmac.digest(secret, text.encode(), hashlib.sha256)

    groups: dict[_Group, list[TraceCode]] = {}
    for code in codes:
        group = (code.start_s // DAY_S, code.kind, code.technology, code.province)
        groups.setdefault(group, []).append(code)
    # What is alike stays together: first days are put in order, then kinds within each day ...
    order = sorted(
        groups, key=lambda group: [place_of(*group[: depth + 1]) for depth in range(len(group))]
    )
    chunks = enumerate(_cut((group, groups[group]) for group in order))
    return [chunk for _, chunk in sorted(chunks, key=lambda each: place_of("batch", each[0]))]


def _cut(groups: Iterable[tuple[_Group, list[TraceCode]]]) -> Iterator[_Chunk]:
    """Full batches and a last one; a batch ends early only where it would have too many tokens."""
    chunk: list[TraceCode] = []
    values: set[tuple[str, str]] = set()
    for (day, kind, technology, province), rest in groups:
        own = values_of(day=day, kind=kind, technology=technology, province=province)
        if chunk and len(values.union(own)) > MAX_TOKENS:
            yield chunk, values
            chunk, values = [], set()
        if len(rest) + len(chunk) > MAX_CODES:
            rest.sort()
        at = 0
        while at < len(rest):
            taken = rest[at : at + MAX_CODES - len(chunk)]
            at += len(taken)
            chunk += taken
            values.update(own)
            if len(chunk) == MAX_CODES:
                yield chunk, values
                chunk, values = [], set()
    if chunk:
        yield chunk, values
