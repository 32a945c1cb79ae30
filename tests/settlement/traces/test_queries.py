"""Search with the key finds exactly what is there; without it, or with a wrong one, nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.memory_ledger import key_of
from tests.support.refusals import refused
from tests.support.traced import (
    DAY_S,
    GRID,
    JUNE_S,
    REGIONS,
    TECHNOLOGIES,
    Traces,
    codes_of,
    keys_of,
    trace_codes,
)

from wattproof.core.errors import Malformed
from wattproof.core.trace_codes import KINDS, TraceCode
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.sealed import EpochKey
from wattproof.settlement.traces.model import (
    BATCHES,
    MAX_CODES,
    MAX_TOKENS,
    PLAIN_ABOUT_BYTES,
    ROW_BYTES,
    TOKEN_BYTES,
    KeyCopy,
    OpenKey,
)
from wattproof.settlement.traces.queries import (
    Held,
    Wanted,
    copies_of,
    epoch_of,
    holders_of,
    opened_copy,
    opened_epochs,
    search,
    wrong_tokens,
)
from wattproof.settlement.traces.sealing import granting, new_epoch_key, opening, publishing

WANTED = st.builds(
    Wanted,
    region=st.sampled_from(("", "", *REGIONS, "CN-BJ", "330000")),
    kind=st.sampled_from((None, *KINDS)),
    technology=st.sampled_from(("", "", *TECHNOLOGIES)),
    from_s=st.none() | st.integers(JUNE_S - 3 * DAY_S, JUNE_S + 3 * DAY_S),
    to_s=st.none() | st.integers(JUNE_S - 3 * DAY_S, JUNE_S + 3 * DAY_S),
)


@pytest.fixture
def traces() -> Traces:
    return Traces()


def held_by(traces: Traces, party: str, key: SigningKey | None = None) -> list[Held]:
    opened, _ = opened_epochs(
        traces.ledger.state, party, key or key_of(party), ledger_id=traces.ledger.ledger_id
    )
    return opened


def found_by(traces: Traces, party: str, wanted: Wanted) -> list[TraceCode]:
    results = list(search(traces.ledger.state, traces.rows_of, held_by(traces, party), wanted))
    assert not any(one.unread for one in results)
    return sorted(code for one in results for code in one.codes)


def plainly(codes: Iterable[TraceCode], wanted: Wanted) -> list[TraceCode]:
    """What should be found, said once more and otherwise."""
    region = {"330000": "CN-ZJ"}.get(wanted.region, wanted.region)
    lying_in = {"CN-SH": ["CN-SH", "310115"]}.get(region, [region])
    return sorted(
        code
        for code in codes
        if (not region or code.region in lying_in)
        and wanted.kind in (None, code.kind)
        and wanted.technology in ("", code.technology)
        and not (wanted.from_s is not None and code.start_s < wanted.from_s)
        and not (wanted.to_s is not None and code.start_s >= wanted.to_s)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(trace_codes(), max_size=12, unique=True), max_size=4),
    st.lists(WANTED, min_size=1, max_size=6),
)
def test_search_is_what_a_plain_list_gives(
    batches: Sequence[Sequence[TraceCode]], asked: Sequence[Wanted]
) -> None:
    traces = Traces()
    key = traces.open(GRID, "consumer")
    number = 0
    for codes in batches:
        number = traces.publish(key, codes, first=number)
    every = [code for codes in batches for code in codes]
    for wanted in (Wanted(), *asked):
        assert found_by(traces, "consumer", wanted) == plainly(every, wanted)


def test_several_fields_over_many_batches(traces: Traces) -> None:
    key = traces.open(GRID)
    every = [code for day in range(3) for code in codes_of(2_000, day=day)]
    assert traces.publish(key, every) == 5
    wanted = Wanted(
        region="CN-SH",
        kind="supply",
        technology="T020001",
        from_s=JUNE_S + DAY_S,
        to_s=JUNE_S + 2 * DAY_S,
    )
    assert found_by(traces, GRID, wanted) == plainly(every, wanted)
    assert len(plainly(every, wanted)) > 50
    opened: list[int] = []

    def counted(entry: int) -> bytes:
        opened.append(entry)
        return traces.rows_of(entry)

    list(search(traces.ledger.state, counted, held_by(traces, GRID), wanted))
    assert len(opened) <= 3, "batches that cannot have it stay closed"


def test_batches_are_the_same_in_whatever_order_codes_come(traces: Traces) -> None:
    key = traces.open(GRID)
    codes = codes_of(3_000)
    made = list(publishing(key, codes, first=7))
    assert made == list(publishing(key, reversed(codes), first=7))
    sizes = [len(body.rows) // ROW_BYTES for body in made]
    assert sorted(sizes) == [500, MAX_CODES, MAX_CODES]
    assert [body.number for body in made] == [7, 8, 9]
    assert list(publishing(key, [], first=0)) == []


def test_codes_of_very_many_days_stay_within_the_tokens(traces: Traces) -> None:
    key = traces.open(GRID)
    every = [code for day in range(300) for code in codes_of(2, day=day, first_record=day)]
    traces.publish(key, every)
    kept = list(traces.ledger.state.scan(BATCHES, key.key_id))
    assert len(kept) > 1
    assert all(len(one.tokens) <= MAX_TOKENS * TOKEN_BYTES for one in kept)
    assert found_by(traces, GRID, Wanted()) == sorted(every)


def test_a_code_that_is_given_twice_is_there_once(traces: Traces) -> None:
    key = traces.open(GRID)
    traces.publish(key, [*codes_of(5), *codes_of(5)])
    assert found_by(traces, GRID, Wanted()) == sorted(codes_of(5))


def test_an_epoch_says_to_its_holders_what_it_is_for(traces: Traces) -> None:
    key = traces.open(GRID, "consumer", region="CN-SH", note="自 2025 年起")
    (held,) = held_by(traces, "consumer")
    assert (held.region, held.note) == ("CN-SH", "自 2025 年起")
    assert held.key.secret == key.secret
    assert holders_of(traces.ledger.state, key.key_id) == ["consumer", GRID]
    with pytest.raises(Malformed):
        opening(key, region="CN-SH", note="x" * PLAIN_ABOUT_BYTES, holders={})


def test_who_was_given_no_copy_reads_nothing(traces: Traces) -> None:
    traces.publish(traces.open(GRID, "consumer"), codes_of(20))
    assert held_by(traces, "supplier") == []
    assert found_by(traces, "supplier", Wanted()) == []


def test_a_removed_party_keeps_the_old_and_reads_nothing_new(traces: Traces) -> None:
    old, new = codes_of(20), codes_of(20, first_record=100, day=1)
    traces.publish(traces.open(GRID, "consumer", "supplier"), old)
    later = traces.open(GRID, "supplier")
    traces.publish(later, new)
    assert found_by(traces, "consumer", Wanted()) == sorted(old)
    assert found_by(traces, "supplier", Wanted()) == sorted([*old, *new])
    (kept,) = held_by(traces, "consumer")
    as_if = EpochKey(kept.key.secret, ledger_id=traces.ledger.ledger_id, key_id=later.key_id)
    assert as_if.check != later.check
    pretended = Held(
        epoch=epoch_of(traces.ledger.state, later.key_id), key=as_if, region="", note=""
    )
    (answer,) = search(traces.ledger.state, traces.rows_of, [pretended], Wanted())
    assert (answer.codes, answer.unread) == ((), 20)


def test_a_late_joiner_reads_what_was_before(traces: Traces) -> None:
    first, second = traces.open(GRID), traces.open(GRID)
    traces.publish(first, codes_of(20))
    traces.publish(second, codes_of(20, first_record=50))
    traces.ledger.submit(granting(first, keys_of("supplier")), key_of(GRID))
    assert found_by(traces, "supplier", Wanted()) == sorted(codes_of(20))
    traces.publish(first, codes_of(5, first_record=90), first=1)
    assert len(found_by(traces, "supplier", Wanted())) == 25


def test_a_copy_for_another_key_stays_closed(traces: Traces) -> None:
    key = traces.open(GRID, "consumer")
    opened, closed = opened_epochs(
        traces.ledger.state, "consumer", key_of("new"), ledger_id=traces.ledger.ledger_id
    )
    assert opened == []
    ((copy, fault),) = closed
    assert (copy.key, fault.code) == (key.key_id, "keys.wrapping.not_opened")
    old = key_of("consumer")
    held = opened_copy(traces.ledger.state, copy, old, ledger_id=traces.ledger.ledger_id)
    assert held.key.secret == key.secret


def test_a_copy_of_another_key_is_noticed(traces: Traces) -> None:
    """The opener gives somebody what is not the epoch's key."""
    key, other = (new_epoch_key(traces.ledger.ledger_id) for _ in range(2))
    body = opening(key, region="CN-SH", holders=keys_of(GRID, "consumer"))
    (wrong,) = granting(other, keys_of("consumer")).copies
    copies = tuple(wrong if copy.party == "consumer" else copy for copy in body.copies)
    traces.ledger.submit(replace(body, copies=copies), key_of(GRID))
    (copy,) = copies_of(traces.ledger.state, "consumer")
    refused(
        "settlement.key.not_the_key",
        lambda: opened_copy(
            traces.ledger.state, copy, key_of("consumer"), ledger_id=traces.ledger.ledger_id
        ),
    )


def test_a_copy_that_is_no_key_is_noticed(traces: Traces) -> None:
    key = new_epoch_key(traces.ledger.ledger_id)
    copy = KeyCopy(party="consumer", wrapped=bytes(80))
    body = OpenKey(key=key.key_id, check=key.check, about=bytes(144), copies=(copy,))
    traces.ledger.submit(body, key_of(GRID))
    _, ((_, fault),) = opened_epochs(
        traces.ledger.state, "consumer", key_of("consumer"), ledger_id=traces.ledger.ledger_id
    )
    assert fault.code == "keys.wrapping.not_opened"


@pytest.mark.parametrize("bit", [0, 7, 255, 256, 383])
def test_a_flipped_bit_is_noticed(traces: Traces, bit: int) -> None:
    traces.publish(traces.open(GRID), codes_of(1))
    (entry,) = traces.rows
    changed = bytearray(traces.rows[entry])
    changed[bit // 8] ^= 1 << bit % 8
    traces.rows[entry] = bytes(changed)
    (answer,) = search(traces.ledger.state, traces.rows_of, held_by(traces, GRID), Wanted())
    assert (answer.codes, answer.unread) == ((), 1)


def test_rows_of_another_batch_are_noticed(traces: Traces) -> None:
    key = traces.open(GRID)
    traces.publish(key, codes_of(4))
    traces.publish(key, codes_of(4, first_record=10), first=1)
    first, second = traces.rows
    traces.rows[first], traces.rows[second] = traces.rows[second], traces.rows[first]
    answers = list(search(traces.ledger.state, traces.rows_of, held_by(traces, GRID), Wanted()))
    assert [(one.codes, one.unread) for one in answers] == [((), 4), ((), 4)]


def test_rows_of_another_epoch_are_noticed(traces: Traces) -> None:
    old, new = traces.open(GRID), traces.open(GRID)
    (body,) = publishing(old, codes_of(4), first=0)
    traces.take(body)
    traces.take(replace(body, key=new.key_id))
    answers = list(search(traces.ledger.state, traces.rows_of, held_by(traces, GRID), Wanted()))
    assert sorted(one.unread for one in answers) == [0, 4]


def test_tokens_that_hide_codes_are_noticed_by_who_checks(traces: Traces) -> None:
    key = traces.open(GRID)
    traces.publish(key, codes_of(30))
    (honest,) = publishing(key, codes_of(30, first_record=30), first=1)
    (other,) = publishing(key, codes_of(1, day=9), first=1)
    traces.take(replace(honest, tokens=other.tokens))
    (held,) = held_by(traces, GRID)
    assert wrong_tokens(traces.ledger.state, traces.rows_of, held) == [1]


def test_what_is_wanted_is_a_code(traces: Traces) -> None:
    traces.open(GRID)
    wrong = {"core.region": Wanted(region="XX"), "core.technology": Wanted(technology="T9")}
    for code, wanted in wrong.items():
        refused(code, partial(found_by, traces, GRID, wanted))
