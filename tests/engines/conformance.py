"""What every engine must do, as one abstract class of tests.

    class TestMine(EngineConformance):
        @pytest.fixture
        def engine(self) -> Engine: ...     over a toy ledger that holds its genesis alone
        @pytest.fixture
        def reopen(self) -> Reopen: ...     closes that engine and opens another over its ledger
        @pytest.fixture
        def reader(self) -> Store: ...      a connection of its own to what is durable

Nothing here may be changed for the sake of one engine; what only one can promise is tested beside
its own code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Protocol

import pytest
from tests.ledger.growing import KEY, LEDGER_ID, raw, raws, signed
from tests.ledger.toy import JARS, Crash, Empty, Fill, Move, MoveAll

from wattproof.core.errors import Broken, Refused, Unavailable, WattProofError
from wattproof.keys import cbor, cose
from wattproof.ledger.chain import Receipt, receipt_of
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import NONCE_BYTES, transaction_id

Answer = Receipt | WattProofError


class Engine(Protocol):
    """The part of an engine that the rest of a node relies on."""

    @property
    def ledger_id(self) -> bytes: ...
    def submit(self, raw: bytes) -> Receipt: ...
    def submit_many(self, raws: Sequence[bytes]) -> list[Answer]: ...
    def submit_soon(self, raw: bytes, done: Callable[[Sequence[Answer]], None]) -> None: ...
    def close(self) -> None: ...


Reopen = Callable[[], Engine]


def again(receipt: Receipt) -> dict[str, object]:
    """A receipt as a resubmission must give it."""
    return {**receipt.view(), "first": False}


def fill(number: int, *, jar: str = "jar", beans: int = 1) -> bytes:
    """A transaction of its own for each number."""
    return signed(Fill(jar=jar, shelf="low", beans=beans), 1_000_000 + number)


def receipts(answers: Sequence[Answer]) -> list[Receipt]:
    """The answers, none of which may be an error."""
    found = [answer for answer in answers if isinstance(answer, Receipt)]
    assert len(found) == len(answers), [a for a in answers if not isinstance(a, Receipt)]
    return found


def payload(*values: cbor.Value) -> bytes:
    """A signed transaction of any payload."""
    return cose.sign(cbor.encode(list(values)), KEY, aad=LEDGER_ID)


def changed(raw: bytes, place: int) -> bytes:
    """`raw` with one bit flipped."""
    flipped = bytearray(raw)
    flipped[place] ^= 1
    return bytes(flipped)


NONCE = bytes(NONCE_BYTES)
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "transaction.empty"),
    "text": (b"not a transaction", "keys.cose.not_sign1"),
    "truncated": (raw(0)[:-1], "keys.cose.truncated"),
    "trailing": (raw(0) + b"\0", "keys.cose.trailing"),
    "too long": (raw(0).ljust(70_000, b"\0"), "keys.cose.too_large"),
    "signature": (changed(raw(0), -1), "transaction.signature"),
    "another signer": (changed(raw(0), 20), "transaction.signature"),
    "another ledger": (
        signed(Fill(jar="a", shelf="b", beans=1), 1, ledger_id=bytes(32)),
        "transaction.signature",
    ),
    "no ledger": (
        signed(Fill(jar="a", shelf="b", beans=1), 1, ledger_id=b""),
        "transaction.signature",
    ),
    "unknown type": (payload("toy.nothing", 1, NONCE), "transaction.unknown_type"),
    "unknown version": (payload("toy.fill", 9, NONCE, "a", "b", 1), "transaction.unknown_type"),
    "nonce": (payload("toy.fill", 1, b"", "a", "b", 1), "transaction.shape"),
    "fields": (payload("toy.fill", 1, NONCE, "a", "b", -1), "transaction.fields"),
    "too few fields": (payload("toy.fill", 1, NONCE, "a", "b"), "transaction.fields"),
    "encoding": (
        cose.sign(b"\x98\x06\x68toy.fill\x01\x50" + NONCE + b"\x61a\x61b\x01", KEY, aad=LEDGER_ID),
        "keys.cbor.not_shortest",
    ),
    "refused by its rule": (signed(Empty(jar="never"), 1), "toy.too_few"),
    "rule at fault": (signed(Crash(jar="a"), 1), "machine.rule_failed"),
}


class EngineConformance:
    """Subclassed for each engine; see the module."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen:
        raise NotImplementedError

    @pytest.fixture
    def reader(self) -> Store:
        raise NotImplementedError

    # --- order -----------------------------------------------------------------------------

    def test_the_ledger_is_the_one_that_was_signed_for(self, engine: Engine) -> None:
        assert engine.ledger_id == LEDGER_ID

    def test_one_submitters_order_is_the_logs_order(self, engine: Engine, reader: Store) -> None:
        one_by_one = [engine.submit(item) for item in raws(0, 20)]
        at_once = receipts(engine.submit_many(raws(20, 300)))
        found = [*one_by_one, *at_once]
        assert [receipt.index for receipt in found] == list(range(1, 321))
        assert [receipt.id for receipt in found] == [transaction_id(item) for item in raws(0, 320)]
        assert [entry.id for entry in reader.entries(1, 320)] == [receipt.id for receipt in found]
        assert all(receipt.first for receipt in found)

    def test_heights_and_times_never_go_back(self, engine: Engine) -> None:
        found = [engine.submit(item) for item in raws(0, 20)]
        for before, after in pairwise(found):
            assert before.height <= after.height
            assert before.time_ms <= after.time_ms

    def test_each_sees_what_those_before_it_left(self, engine: Engine, reader: Store) -> None:
        beans = [
            receipt.events[0][1]["beans"]
            for receipt in receipts(engine.submit_many([fill(n) for n in range(50)]))
        ]
        assert beans == list(range(1, 51))
        jar = reader.get(JARS, "jar")
        assert jar is not None
        assert jar.beans == 50

    def test_nothing_submitted_is_nothing_done(self, engine: Engine, reader: Store) -> None:
        assert engine.submit_many([]) == []
        assert reader.size == 1

    # --- the same bytes again ----------------------------------------------------------------

    def test_the_same_bytes_give_the_first_receipt(self, engine: Engine, reader: Store) -> None:
        first = engine.submit(raw(0))
        engine.submit_many(raws(1, 5))
        assert first.first
        assert engine.submit(raw(0)).view() == again(first)
        answers = receipts(engine.submit_many([raw(6), raw(0), raw(6), raw(6)]))
        assert [receipt.first for receipt in answers] == [True, False, False, False]
        assert answers[1].view() == again(first)
        assert answers[2].view() == answers[3].view() == again(answers[0])
        assert reader.size == 8

    def test_the_same_fields_signed_twice_are_two(self, engine: Engine) -> None:
        assert engine.submit(fill(0)).index != engine.submit(fill(1)).index

    # --- refusals ------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", BAD)
    def test_what_is_refused_has_a_code_and_leaves_nothing(
        self, engine: Engine, reader: Store, name: str
    ) -> None:
        bad, code = BAD[name]
        with pytest.raises((Refused, Broken)) as caught:
            engine.submit(bad)
        assert caught.value.code == code
        assert caught.value.text("zh")
        before, refusal, after = engine.submit_many([raw(0), bad, raw(1)])
        assert isinstance(refusal, WattProofError)
        assert refusal.code == code
        assert [receipt.index for receipt in receipts([before, after])] == [1, 2]
        assert reader.size == 3
        assert reader.find_entry(transaction_id(bad)) is None

    def test_all_that_can_be_wrong_at_once(self, engine: Engine, reader: Store) -> None:
        mixed = [item for position, (bad, _) in enumerate(BAD.values()) for item in (
            raw(position), bad)]  # fmt: skip
        answers = engine.submit_many(mixed)
        assert [receipt.index for receipt in receipts(answers[::2])] == list(range(1, len(BAD) + 1))
        refusals = [answer for answer in answers[1::2] if isinstance(answer, WattProofError)]
        assert [refusal.code for refusal in refusals] == [code for _, code in BAD.values()]
        assert reader.size == 1 + len(BAD)

    def test_what_was_refused_may_be_accepted_later(self, engine: Engine) -> None:
        """A refusal is not kept: the same bytes are tried anew on what the state is then."""
        empty = signed(Empty(jar="jar"), 1)
        with pytest.raises(Refused):
            engine.submit(empty)
        engine.submit(fill(0))
        assert engine.submit(empty).first

    # --- concurrency -----------------------------------------------------------------------------

    def test_eight_submitters_of_one_transaction(self, engine: Engine, reader: Store) -> None:
        for number in range(10):
            item = fill(number)
            with ThreadPoolExecutor(8) as threads:
                start = threading.Barrier(8)

                def submit(item: bytes = item, start: threading.Barrier = start) -> Receipt:
                    start.wait()
                    return engine.submit(item)

                found = [future.result() for future in [threads.submit(submit) for _ in range(8)]]
            assert sorted(receipt.first for receipt in found) == [False] * 7 + [True]
            assert len({str(again(receipt)) for receipt in found}) == 1
        assert reader.size == 11

    def test_many_submitters_of_many(self, engine: Engine, reader: Store) -> None:
        def submit(part: int) -> list[Receipt]:
            mine = [fill(part * 1000 + n, jar=f"jar-{part}") for n in range(12)]
            return [*map(engine.submit, mine[:6]), *receipts(engine.submit_many(mine[6:]))]

        with ThreadPoolExecutor(16) as threads:
            parts = list(threads.map(submit, range(16)))
        for part in parts:
            indexes = [receipt.index for receipt in part]
            assert indexes == sorted(indexes)
            assert [r.events[0][1]["beans"] for r in part] == list(range(1, 13))
        everything = [receipt.index for part in parts for receipt in part]
        assert sorted(everything) == list(range(1, 193))
        assert reader.size == 193

    def test_racing_rules_take_no_more_than_there_is(self, engine: Engine, reader: Store) -> None:
        engine.submit(fill(0, beans=10))
        moves = [
            signed(MoveAll(moves=(Move(source="jar", target=f"t{n}", beans=1),)), 2_000_000 + n)
            for n in range(32)
        ]
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda item: engine.submit_many([item])[0], moves))
        accepted = [answer for answer in answers if isinstance(answer, Receipt)]
        refused = [answer.code for answer in answers if isinstance(answer, WattProofError)]
        assert len(accepted) == 10
        assert refused == ["toy.too_few"] * 22
        assert sum(jar.beans for jar in reader.scan(JARS)) == 10

    # --- durability -------------------------------------------------------------------------------

    def test_a_receipt_is_given_when_it_is_durable(self, engine: Engine, reader: Store) -> None:
        for number in range(20):
            receipt = engine.submit(fill(number))
            entry = reader.find_entry(receipt.id)
            assert entry is not None
            assert receipt_of(entry, first=True) == receipt

    def test_an_answer_is_called_back_when_it_is_durable(
        self, engine: Engine, reader: Store
    ) -> None:
        seen: list[bool] = []
        answered = threading.Semaphore(0)

        def done(answers: Sequence[Answer]) -> None:
            (receipt,) = receipts(answers)
            seen.append(reader.find_entry(receipt.id) is not None)
            answered.release()

        for item in raws(0, 30):
            engine.submit_soon(item, done)
        for _ in range(30):
            assert answered.acquire(timeout=30)
        assert seen == [True] * 30

    def test_what_was_given_is_there_after_reopening(
        self, engine: Engine, reopen: Reopen, reader: Store
    ) -> None:
        first = receipts(engine.submit_many(raws(0, 40)))
        other = reopen()
        assert [receipt.view() for receipt in receipts(other.submit_many(raws(0, 40)))] == [
            again(receipt) for receipt in first
        ]
        more = receipts(other.submit_many(raws(40, 40)))
        assert [receipt.index for receipt in more] == list(range(41, 81))
        assert more[0].height > first[-1].height
        assert more[0].time_ms >= first[-1].time_ms
        assert reader.size == 81

    # --- limits and closing ----------------------------------------------------------------------

    def test_a_full_queue_turns_away_and_recovers(self, engine: Engine, reader: Store) -> None:
        item = raw(0)
        first = engine.submit(item)
        answers: list[Answer] = []
        taken = 0
        with pytest.raises(Unavailable) as caught:
            for _ in range(200_000):
                engine.submit_soon(item, answers.extend)
                taken += 1
        assert caught.value.code == "engine.busy"
        assert taken > 0
        last = engine.submit(raw(1))  # waits for its turn behind all that were taken
        assert last.index == 2
        assert len(answers) == taken
        assert all(receipt.view() == again(first) for receipt in receipts(answers))
        assert reader.size == 3

    def test_a_closed_engine_says_so(self, engine: Engine, reader: Store) -> None:
        engine.submit(raw(0))
        engine.close()
        engine.close()
        with pytest.raises(Unavailable) as caught:
            engine.submit(raw(1))
        assert caught.value.code == "engine.closed"
        with pytest.raises(Unavailable) as caught:
            engine.submit_soon(raw(1), lambda _: None)
        assert caught.value.code == "engine.closed"
        answers = engine.submit_many(raws(1, 300))
        codes = {answer.code for answer in answers if isinstance(answer, WattProofError)}
        assert (len(answers), codes) == (300, {"engine.closed"})
        assert reader.size == 2

    def test_closing_answers_all_who_wait(self, engine: Engine, reader: Store) -> None:
        answers: list[Answer] = []
        for number in range(500):
            engine.submit_soon(fill(number), answers.extend)
        engine.close()
        assert [receipt.index for receipt in receipts(answers)] == list(range(1, 501))
        assert reader.size == 501

    def test_closing_in_the_midst_of_submitters(self, engine: Engine, reader: Store) -> None:
        def submit(part: int) -> list[Answer]:
            return engine.submit_many([fill(part * 10_000 + n) for n in range(400)])

        with ThreadPoolExecutor(4) as threads:
            parts = [threads.submit(submit, part) for part in range(4)]
            while reader.size < 200:
                pass
            engine.close()
            answers = [answer for part in parts for answer in part.result()]
        accepted = [answer for answer in answers if isinstance(answer, Receipt)]
        codes = {answer.code for answer in answers if isinstance(answer, WattProofError)}
        assert len(answers) == 1600
        assert codes <= {"engine.closed"}
        assert reader.size == 1 + len(accepted)
        assert all(reader.find_entry(receipt.id) for receipt in accepted)

    def test_a_submitter_that_fails_harms_no_neighbour(self, engine: Engine, reader: Store) -> None:
        def fail(_: Sequence[Answer]) -> None:
            raise ZeroDivisionError("a submitter's own fault")

        answers: list[Answer] = []
        for number in range(6):
            engine.submit_soon(fill(number), fail if number % 2 else answers.extend)
        assert engine.submit(fill(9)).index == 7
        assert [receipt.index for receipt in receipts(answers)] == [1, 3, 5]
        assert reader.size == 8


__all__ = ["BAD", "Answer", "Engine", "EngineConformance", "Reopen", "fill", "receipts"]
