"""The machine: runs the contract of each transaction, in order, on the state.

A `Contract` is a set of rules, one a transaction type, and of listeners to other contracts'
events. Rules are pure: they see the state, the transaction and the block's time, and nothing
else. Raising a `Refused` error undoes everything that the transaction wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform

import msgspec

from wattproof.core.actor import Actor
from wattproof.core.errors import Broken, ErrorCode, Refused, WattProofError
from wattproof.ledger.state import Collection, State
from wattproof.ledger.transaction import Body, Codec, Spec, Transaction

__all__ = ["Authorise", "Context", "Contract", "Event", "Machine", "Outcome", "event"]


RULE_FAILED = ErrorCode(
    Broken,
    "machine.rule_failed",
    en="The rule of {type} failed, and nothing of the transaction was kept: {reason}.",
    zh="{type} 的规则执行失败，该交易未产生任何更改：{reason}。",
)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something that a transaction made happen; kept with its receipt. Declared with `event`."""

    name: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]


B = TypeVar("B", bound=Body)
E = TypeVar("E", bound=Event)


def event(name: str, *, en: str, zh: str) -> Callable[[type[E]], type[E]]:
    """Declare an `Event` subclass; `en` and `zh` are templates over its fields."""

    def declare(cls: type[E]) -> type[E]:
        cls.name, cls.en, cls.zh = name, en, zh
        return cls

    return declare


class Context:
    """What a rule sees beside the transaction's own fields.

    `time_ms` is the block's time (Unix, UTC), `index` the leaf index that the transaction will
    have, `signer` the 32-byte public key, `actor` who holds it, `body` the fields themselves.
    """

    __slots__ = (
        "_listeners", "actor", "body", "events", "height", "index", "signer", "state", "time_ms",
        "tx_id",
    )  # fmt: skip

    def __init__(self, *, state: State, listeners: _Listeners, height: int, time_ms: int) -> None:
        self.state = state
        self.height = height
        self.time_ms = time_ms
        self._listeners = listeners
        self.events: list[Event] = []

    def take(self, transaction: Transaction, index: int) -> None:
        """Turn to the next transaction."""
        self.index = index
        self.tx_id = transaction.id
        self.signer = transaction.signer
        self.body: Body = transaction.body
        self.actor = _NOBODY
        self.events = []
        self.state.entry = index

    @property
    def time_s(self) -> int:
        """The block's time in whole seconds."""
        return self.time_ms // 1000

    def emit(self, event: Event) -> None:
        """Keep `event` with the receipt, and let the contracts that listen to it act at once."""
        self.events.append(event)
        for listener in self._listeners.get(type(event), ()):
            listener(self, event)


_NOBODY: Final = Actor(kind="nobody", id="")
Rule = Callable[[Context, Any], None]
_Listeners = dict[type[Event], list[Rule]]
Authorise = Callable[[Context, tuple[str, ...]], Actor]
"""Says who signed, or raises `Unauthorised` when none of the names in `by` fits."""


class Contract:
    """A room's rules and listeners, and the collections that they may write."""

    def __init__(self, name: str, *, collections: tuple[Collection[Any], ...]) -> None:
        self.name: Final = name
        self.collections: Final = collections
        self.rules: Final[dict[type[Body], Rule]] = {}
        self.listeners: Final[_Listeners] = {}

    def rule(
        self, body: type[B]
    ) -> Callable[[Callable[[Context, B], None]], Callable[[Context, B], None]]:
        """Declare the rule of a transaction type."""

        def declare(rule: Callable[[Context, B], None]) -> Callable[[Context, B], None]:
            assert body not in self.rules, f"{body.spec.type} has two rules"
            self.rules[body] = rule
            return rule

        return declare

    def on(
        self, event: type[E]
    ) -> Callable[[Callable[[Context, E], None]], Callable[[Context, E], None]]:
        """Declare a listener: it acts in the transaction that emits the event."""

        def declare(listener: Callable[[Context, E], None]) -> Callable[[Context, E], None]:
            self.listeners.setdefault(event, []).append(listener)
            return listener

        return declare


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What came of one transaction: its encoded result, or the refusal."""

    transaction: Transaction
    result: bytes = b""
    refusal: WattProofError | None = None


class Machine:
    """All contracts of a ledger, put together by the composition root.

    Listeners act in the order in which the contracts are given.
    """

    def __init__(self, contracts: Iterable[Contract], *, authorise: Authorise) -> None:
        self.contracts: Final = tuple(contracts)
        self._authorise = authorise
        self._rules: dict[type[Body], Rule] = {}
        self._listeners: _Listeners = {}
        collections: dict[str, Collection[Any]] = {}
        for contract in self.contracts:
            for body, rule in contract.rules.items():
                assert body not in self._rules, f"{body.spec.type} has rules in two contracts"
                self._rules[body] = rule
            for kind, listeners in contract.listeners.items():
                self._listeners.setdefault(kind, []).extend(listeners)
            for collection in contract.collections:
                assert collection.name not in collections, f"{collection.name} is declared twice"
                collections[collection.name] = collection
        self.collections: Final = tuple(collections[name] for name in sorted(collections))
        self.codec: Final = Codec(self._rules)
        self._encode = msgspec.msgpack.Encoder().encode

    @property
    def specs(self) -> tuple[Spec, ...]:
        """What is declared of each transaction type, sorted by type and version."""
        specs = (body.spec for body in self._rules)
        return tuple(sorted(specs, key=lambda spec: (spec.type, spec.version)))

    def context(self, state: State, *, height: int, time_ms: int) -> Context:
        """The surroundings of one block."""
        return Context(state=state, listeners=self._listeners, height=height, time_ms=time_ms)

    def run(self, context: Context, transaction: Transaction, *, index: int) -> Outcome:
        """Run one transaction as the entry `index`; a refusal leaves the state as it was."""
        context.take(transaction, index)
        body = transaction.body
        try:
            context.actor = self._authorise(context, body.spec.by)
            self._rules[type(body)](context, body)
            result = self._encode((index, [(event.name, event) for event in context.events]))
        except (Refused, Broken) as refusal:
            context.state.undo()
            return Outcome(transaction, refusal=refusal)
        except Exception as fault:  # a rule's own failure must not take its neighbours with it
            context.state.undo()
            return Outcome(
                transaction, refusal=RULE_FAILED(type=body.spec.type, reason=repr(fault))
            )
        context.state.keep()
        return Outcome(transaction, result=result)
