"""The harness itself: what is written is read back, what is refused leaves nothing."""

from __future__ import annotations

import pytest
from tests.support.memory_ledger import MemoryLedger, key_of

from wattproof.core.actor import Actor
from wattproof.core.errors import Conflict, ErrorCode
from wattproof.ledger.machine import Context, Contract, Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, transaction

TAKEN = ErrorCode(Conflict, "tests.note.taken", en="{id} is taken.", zh="{id} 已被占用。")


class Note(Record):
    id: str
    words: str


@transaction("tests.note", 1, by=("anyone",), en="Write a note", zh="写便条")
class WriteNote(Body):
    id: str
    words: str


@event("tests.note.written", en="{id} was written", zh="{id} 已写入")
class NoteWritten(Event):
    id: str


NOTES = Collection("notes", Note, key=("id",), indexes={"words": ("words",)})
CONTRACT = Contract("notes", collections=(NOTES,))


@CONTRACT.rule(WriteNote)
def write_note(ctx: Context, body: WriteNote) -> None:
    known = ctx.state.get(NOTES, body.id)
    ctx.state.put(NOTES, Note(id=body.id, words=body.words))
    ctx.emit(NoteWritten(id=body.id))
    if known is not None:
        raise TAKEN(id=body.id)


def nobody(ctx: Context, by: tuple[str, ...]) -> Actor:
    assert by == ctx.body.spec.by
    return Actor(kind="nobody", id="")


def test_what_is_accepted_is_read_back_from_its_encoded_form() -> None:
    ledger = MemoryLedger([CONTRACT], nobody)
    accepted = ledger.submit(WriteNote(id="a", words="one"), key_of("someone"))
    assert accepted.index == 0
    assert accepted.event(NoteWritten).id == "a"
    ledger.forget()
    assert ledger.one(NOTES, "a").words == "one"
    assert [note.id for note in ledger.state.find(NOTES, "words", "one")] == ["a"]


def test_what_is_refused_leaves_nothing() -> None:
    ledger = MemoryLedger([CONTRACT], nobody)
    ledger.submit(WriteNote(id="a", words="one"), key_of("someone"))
    with pytest.raises(Conflict, match=r"tests\.note\.taken"):
        ledger.submit(WriteNote(id="a", words="two"), key_of("someone"))
    assert ledger.one(NOTES, "a").words == "one"
    assert ledger.size == 1
