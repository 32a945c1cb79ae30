"""The machine: rules, listeners, refusals, and faults that stay where they are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.ledger.growing import KEY, LEDGER_ID, decoded
from tests.support.memory_ledger import MemoryRows

from wattproof.core.actor import Actor
from wattproof.core.errors import (
    Broken,
    Conflict,
    ErrorCode,
    Unauthorised,
    Unavailable,
    WattProofError,
)
from wattproof.ledger.machine import Context, Contract, Event, Machine, Outcome, event
from wattproof.ledger.state import Collection, Record, State
from wattproof.ledger.transaction import Body, sign_transaction, transaction

FULL = ErrorCode(Conflict, "tests.machine.full", en="{name} is full.", zh="{name} 已满。")
NOT_YOU = ErrorCode(Unauthorised, "tests.machine.not_you", en="Not {by}.", zh="不是 {by}。")
ODD = ErrorCode(Broken, "tests.machine.odd", en="{name} is odd.", zh="{name} 异常。")
AWAY = ErrorCode(Unavailable, "tests.machine.away", en="Away.", zh="不在。")


class Cup(Record):
    name: str
    drops: int = 0


class Line(Record):
    number: int
    words: str


CUPS = Collection("cups", Cup, key=("name",))
LINES = Collection("lines", Line, key=("number",))


@transaction("tests.pour", 1, by=("anyone",), en="Pour", zh="倒")
class Pour(Body):
    cup: str
    drops: int
    then: str = ""


@transaction("tests.guarded", 1, by=("keeper", "owner"), en="Guarded", zh="受保护")
class Guarded(Body):
    cup: str


@event("tests.poured", en="{cup} got {drops}", zh="{cup} 增加 {drops}")
class Poured(Event):
    cup: str
    drops: int
    note: Any = None


CUP_ROOM = Contract("cups", collections=(CUPS,))
FAULTS: dict[str, Callable[[], object]] = {
    "divide": lambda: 1 // 0,
    "index": lambda: [][0],
    "assert": lambda: _raise(AssertionError("an invariant of the rule")),
    "recurse": lambda: _recurse(),
    "memory": lambda: _raise(MemoryError()),
    "stop": lambda: _raise(StopIteration()),
    "unavailable": lambda: _raise(AWAY()),
    "broken": lambda: _raise(ODD(name="cup")),
    "full": lambda: _raise(FULL(name="cup")),
}
EVENTS: dict[str, object] = {"float": 2**70, "object": object(), "surrogate": "\ud800"}


def _recurse() -> None:
    _recurse()


def _raise(error: Exception) -> None:
    raise error


@CUP_ROOM.rule(Pour)
def pour(ctx: Context, body: Pour) -> None:
    before = ctx.state.get(CUPS, body.cup)
    drops = body.drops + (before.drops if before else 0)
    ctx.state.put(CUPS, Cup(name=body.cup, drops=drops))
    ctx.emit(Poured(cup=body.cup, drops=body.drops, note=EVENTS.get(body.then)))
    if body.then == "delete":
        ctx.state.delete(CUPS, body.cup)
    if body.then in FAULTS:
        FAULTS[body.then]()


@CUP_ROOM.rule(Guarded)
def guarded(ctx: Context, body: Guarded) -> None:
    assert ctx.body is body
    ctx.state.put(CUPS, Cup(name=f"{ctx.actor.id}/{body.cup}"))


def scribe(name: str) -> Contract:
    """A room that listens: it writes a line for everything poured."""
    room = Contract(name, collections=(LINES,) if name == "first" else ())

    @room.on(Poured)
    def write(ctx: Context, event: Poured) -> None:
        if event.drops < 0:
            raise FULL(name=name)
        number = sum(1 for _ in ctx.state.scan(LINES))
        ctx.state.put(LINES, Line(number=number, words=f"{name} {event.cup} {ctx.index}"))

    return room


def authorise(ctx: Context, by: tuple[str, ...]) -> Actor:
    if "anyone" in by:
        return Actor(kind="nobody", id="")
    if ctx.body == Guarded(cup="mine"):
        return Actor(kind="party", id="keeper", roles=("keeper",))
    raise NOT_YOU(by=" / ".join(by))


class Bench:
    """A machine and a state, run transaction by transaction."""

    def __init__(self) -> None:
        self.machine = Machine([CUP_ROOM, scribe("first"), scribe("second")], authorise=authorise)
        self.state = State(MemoryRows())
        self.context = self.machine.context(self.state, height=3, time_ms=1_999)
        self.index = 0

    def run(self, body: Body) -> Outcome:
        raw = sign_transaction(body, KEY, ledger_id=LEDGER_ID)
        (item,) = decoded(self.machine, [raw])
        outcome = self.machine.run(self.context, item, index=self.index)
        if outcome.refusal is None:
            self.index += 1
        assert (outcome.refusal is None) == (outcome.result != b"")
        return outcome

    def refusal(self, body: Body) -> WattProofError:
        refusal = self.run(body).refusal
        assert refusal is not None
        assert refusal.text("zh")
        return refusal

    def cups(self) -> dict[str, int]:
        return {cup.name: cup.drops for cup in self.state.scan(CUPS)}

    def lines(self) -> list[str]:
        return [line.words for line in self.state.scan(LINES)]


def test_a_rule_writes_emits_and_is_heard_in_order() -> None:
    bench = Bench()
    first = bench.run(Pour(cup="a", drops=2))
    bench.run(Pour(cup="a", drops=3))
    assert bench.cups() == {"a": 5}
    assert bench.lines() == ["first a 0", "second a 0", "first a 1", "second a 1"]
    assert msgspec.msgpack.decode(first.result) == [0, [["tests.poured", {"cup": "a", "drops": 2}]]]
    writes = bench.state.take_writes()
    assert [(w.collection.name, w.key, w.entry) for w in writes] == [
        ("cups", ("a",), 1),
        ("lines", (0,), 0),
        ("lines", (1,), 0),
        ("lines", (2,), 1),
        ("lines", (3,), 1),
    ]


def test_the_context_is_that_of_the_transaction() -> None:
    bench = Bench()
    assert bench.context.time_s == 1
    assert bench.context.height == 3
    bench.run(Pour(cup="a", drops=1))
    bench.run(Guarded(cup="mine"))
    assert bench.context.signer == KEY.public
    assert bench.context.actor.id == "keeper"
    assert bench.context.index == 1
    assert bench.context.events == []
    bench.run(Pour(cup="a", drops=1))
    assert bench.context.actor.kind == "nobody"


def test_who_may_not_sign_is_refused_before_the_rule() -> None:
    bench = Bench()
    refusal = bench.refusal(Guarded(cup="theirs"))
    assert refusal.code == "tests.machine.not_you"
    assert refusal.text() == "Not keeper / owner."
    assert bench.cups() == {}


@pytest.mark.parametrize("then", [*FAULTS, *EVENTS])
def test_a_fault_leaves_nothing_and_harms_no_neighbour(then: str) -> None:
    calm, bench = Bench(), Bench()
    for one in (calm, bench):
        one.run(Pour(cup="a", drops=2))
        if one is bench:
            refusal = bench.refusal(Pour(cup="b", drops=1, then=then))
            expected = {
                "broken": "tests.machine.odd",
                "full": "tests.machine.full",
            }.get(then, "machine.rule_failed")
            assert refusal.code == expected
            assert isinstance(refusal, Conflict if then == "full" else Broken)
        one.run(Pour(cup="c", drops=4))
    assert bench.cups() == calm.cups() == {"a": 2, "c": 4}
    assert bench.state.take_writes() == calm.state.take_writes()


def test_a_listener_may_refuse_for_all() -> None:
    bench = Bench()
    assert bench.refusal(Pour(cup="a", drops=-1)).params == {"name": "first"}
    assert bench.cups() == {}
    assert bench.lines() == []


def test_numbers_beyond_64_bits_fail_the_rule_that_adds_them_up() -> None:
    bench = Bench()
    for _ in range(2):
        assert bench.run(Pour(cup="a", drops=2**62)).refusal is None
    assert bench.run(Pour(cup="a", drops=2**63 - 1)).refusal is None
    assert bench.refusal(Pour(cup="a", drops=2**62)).code == "machine.rule_failed"
    bench.run(Pour(cup="b", drops=1))
    assert bench.cups() == {"a": 2**64 - 1, "b": 1}
    assert len(bench.state.take_writes()) == 2 + 2 * 4


def test_refusals_at_random_leave_what_their_absence_would() -> None:
    rng = random.Random(5)
    calm, bench = Bench(), Bench()
    for _ in range(300):
        cup = rng.choice("abcdef")
        body = Pour(cup=cup, drops=rng.randrange(9), then=rng.choice(["", "delete"]))
        while rng.random() < 0.5:
            bench.refusal(Pour(cup=rng.choice("abcdef"), drops=1, then=rng.choice([*FAULTS])))
        assert bench.run(body).result == calm.run(body).result
    assert bench.state.take_writes() == calm.state.take_writes()


def test_one_rule_a_type_and_one_room_a_collection() -> None:
    with pytest.raises(AssertionError, match="two rules"):
        CUP_ROOM.rule(Pour)(pour)
    with pytest.raises(AssertionError, match="declared twice"):
        Machine([scribe("first"), scribe("first")], authorise=authorise)
    other = Contract("other", collections=())
    other.rule(Pour)(pour)
    with pytest.raises(AssertionError, match="two contracts"):
        Machine([CUP_ROOM, other], authorise=authorise)


def test_collections_come_by_name() -> None:
    assert [collection.name for collection in Bench().machine.collections] == ["cups", "lines"]
