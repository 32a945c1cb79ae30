"""Epochs, copies and batches: what the contract takes, and what it refuses."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.memory_ledger import key_of
from tests.support.people import organisation
from tests.support.refusals import submit_refused
from tests.support.traced import GRID, Traces, codes_of, keys_of

from wattproof.core.trace_codes import PACKED_BYTES
from wattproof.identity.model import SuspendParty
from wattproof.keys import blind_index, sealed, wrapping
from wattproof.keys.sealed import EpochKey
from wattproof.settlement.traces import model
from wattproof.settlement.traces.model import (
    BATCHES,
    COPIES,
    EPOCHS,
    KEY_ID_BYTES,
    MAX_CODES,
    ROW_BYTES,
    TOKEN_BYTES,
    GrantKey,
    KeyCopy,
    PublishTraces,
    TracesPublished,
)
from wattproof.settlement.traces.sealing import granting, new_epoch_key, opening, publishing


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture
def key(traces: Traces) -> EpochKey:
    return traces.open(GRID, "consumer")


def batch(key: EpochKey, count: int, number: int = 0) -> PublishTraces:
    (body,) = publishing(key, codes_of(count), first=number)
    return body


def test_sizes_are_those_of_the_code_that_seals() -> None:
    assert ROW_BYTES == PACKED_BYTES + sealed.TAG_BYTES
    assert KEY_ID_BYTES == sealed.KEY_ID_BYTES
    assert model.WRAPPED_BYTES == sealed.KEY_BYTES + wrapping.WRAPPING_BYTES
    assert model.ABOUT_BYTES == model.PLAIN_ABOUT_BYTES + sealed.TAG_BYTES
    assert (TOKEN_BYTES, model.STEP_TOKENS) == (blind_index.TOKEN_BYTES, blind_index.STEP_TOKENS)


def test_an_epoch_and_its_batches(traces: Traces, key: EpochKey) -> None:
    assert traces.publish(key, codes_of(MAX_CODES + 10)) == 2
    epoch = traces.ledger.one(EPOCHS, key.key_id)
    assert (epoch.opener, epoch.batches, epoch.codes) == (GRID, 2, MAX_CODES + 10)
    assert epoch.check == key.check
    assert [copy.party for copy in traces.ledger.state.scan(COPIES, key.key_id)] == [
        "consumer", GRID,
    ]  # fmt: skip
    kept = list(traces.ledger.state.scan(BATCHES, key.key_id))
    assert [one.number for one in kept] == [0, 1]
    assert sorted(one.codes for one in kept) == [10, MAX_CODES]


def test_the_largest_batch_fits_into_a_transaction(traces: Traces, key: EpochKey) -> None:
    body = batch(key, MAX_CODES)
    tokens = b"".join(number.to_bytes(TOKEN_BYTES, "big") for number in range(model.MAX_TOKENS))
    raw = traces.ledger.sign(replace(body, tokens=tokens, number=0), key_of(GRID))
    assert len(raw) <= 61_440
    accepted = traces.ledger.submit_raw(raw)
    assert accepted.event(TracesPublished).codes == MAX_CODES


def test_the_most_copies_fit_into_a_transaction(traces: Traces) -> None:
    key = new_epoch_key(traces.ledger.ledger_id)
    holders = {f"party-{number:058}": key_of(GRID).public for number in range(model.MAX_COPIES)}
    body = opening(key, region="CN-SH", holders=holders)
    assert len(traces.ledger.sign(body, key_of(GRID))) <= 61_440


def test_only_grid_companies_open_epochs(traces: Traces) -> None:
    body = opening(
        new_epoch_key(traces.ledger.ledger_id), region="CN-SH", holders=keys_of("consumer")
    )
    submit_refused(traces.ledger, "identity.role.missing", body, signer="consumer")


def test_an_id_is_used_once(traces: Traces, key: EpochKey) -> None:
    body = opening(key, region="CN-SH", holders=keys_of(GRID))
    submit_refused(traces.ledger, "settlement.key.twice", body, signer=GRID)
    submit_refused(traces.ledger, "settlement.key.twice", body, signer="other-grid")


def test_who_did_not_open_neither_publishes_nor_grants(traces: Traces, key: EpochKey) -> None:
    for body in (batch(key, 3), granting(key, keys_of("supplier"))):
        submit_refused(traces.ledger, "settlement.key.not_opener", body, signer="other-grid")


def test_unknown_epochs(traces: Traces) -> None:
    key = new_epoch_key(traces.ledger.ledger_id)
    for body in (batch(key, 3), granting(key, keys_of("supplier"))):
        submit_refused(traces.ledger, "settlement.key.unknown", body, signer=GRID)


def test_holders_are_active_parties_named_once(traces: Traces, key: EpochKey) -> None:
    copy = KeyCopy(party="supplier", wrapped=bytes(model.WRAPPED_BYTES))
    twice = GrantKey(key=key.key_id, copies=(copy, copy))
    submit_refused(traces.ledger, "settlement.key.copy_twice", twice, signer=GRID)
    nobody = granting(key, {"nobody": key_of("nobody").public})
    submit_refused(traces.ledger, "settlement.key.holder", nobody, signer=GRID)
    organisation(traces.ledger, "lazy")
    traces.ledger.submit(SuspendParty(party="lazy", reason="test"), key_of("registrar"))
    submit_refused(
        traces.ledger, "settlement.key.holder", granting(key, keys_of("lazy")), signer=GRID
    )


def test_a_new_copy_takes_the_old_ones_place(traces: Traces, key: EpochKey) -> None:
    before = traces.ledger.one(COPIES, key.key_id, "consumer")
    traces.ledger.submit(granting(key, keys_of("consumer")), key_of(GRID))
    after = traces.ledger.one(COPIES, key.key_id, "consumer")
    assert after.entry > before.entry
    assert after.wrapped != before.wrapped


def test_batches_follow_each_other(traces: Traces, key: EpochKey) -> None:
    submit_refused(traces.ledger, "settlement.trace.number", batch(key, 3, 1), signer=GRID)
    traces.take(batch(key, 3, 0))
    submit_refused(traces.ledger, "settlement.trace.number", batch(key, 3, 0), signer=GRID)
    traces.take(batch(key, 3, 1))


def test_rows_are_whole_and_in_order(traces: Traces, key: EpochKey) -> None:
    body = batch(key, 3)
    one, two, three = (body.rows[at : at + ROW_BYTES] for at in range(0, 3 * ROW_BYTES, ROW_BYTES))
    for rows in (two + one + three, one + one + two, body.rows + b"\0", one + two[:-1]):
        submit_refused(
            traces.ledger, "settlement.trace.rows", replace(body, rows=rows), signer=GRID
        )


def test_tokens_are_whole_in_order_and_filled_up(traces: Traces, key: EpochKey) -> None:
    body = batch(key, 3)
    first, rest = body.tokens[:TOKEN_BYTES], body.tokens[TOKEN_BYTES:]
    for tokens in (rest + first, first + first + rest[TOKEN_BYTES:], body.tokens + b"\xff" * 4):
        submit_refused(
            traces.ledger, "settlement.trace.tokens", replace(body, tokens=tokens), signer=GRID
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": bytes((MAX_CODES + 1) * ROW_BYTES)},
        {"rows": b""},
        {"tokens": b""},
        {"key": b"short"},
        {"number": -1},
    ],
)
def test_limits_are_in_the_fields(traces: Traces, key: EpochKey, wrong: dict[str, object]) -> None:
    body = replace(batch(key, 3), **wrong)
    code = "keys.cose.too_large" if len(body.rows) > 61_440 else "transaction.fields"
    submit_refused(traces.ledger, code, body, signer=GRID)
