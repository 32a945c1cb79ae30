"""What comes in on a meter's topic, and what of it counts: late, retained and repeated messages.

In `register` mode the newest value counts: by the time in the messages where they have one, else by
their order. In `increment` mode each message counts once, told apart by its id or its time; what
was counted is saved before the broker is told that the message arrived, so that a message that
is sent again after a power cut is known.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.edge.source import Mode
from wattproof.edge.sources.exact import decimal_of, json_of, json_value, scaled
from wattproof.edge.sources.faults import NOT_NUMBER, OVERSIZED
from wattproof.edge.sources.kept import load_kept, save_kept

__all__ = ["Inbox", "Message", "Rules", "message_time"]

STALE = ErrorCode(
    Malformed,
    "edge.mqtt.stale",
    en="A message says that it is of {found_s} (Unix seconds), {age_s} s from now; at most"
    " {most_s} s are allowed.",
    zh="消息标明的时间为 {found_s}（Unix 秒），与现在相差 {age_s} 秒；最多允许 {most_s} 秒。",
)
RETAINED = ErrorCode(
    Malformed,
    "edge.mqtt.retained",
    en="Only a message that the broker kept is there; it has no time, so nobody knows how old it"
    " is.",
    zh="只有消息服务器保留的消息；消息没有时间，无从得知其新旧。",
)

REMEMBERED: Final = 1024
"""How many messages are known again: more than a broker holds back for one client."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How messages are read: paths into their JSON, and what is allowed."""

    mode: Mode
    path: str
    time_path: str
    id_path: str
    scale: Decimal
    max_age_s: int
    retained: bool
    most_bytes: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message: its value, and its time (Unix seconds) and id if it has them."""

    value: Decimal
    time_s: int | None
    id: str


class Counted(msgspec.Struct, kw_only=True):
    """What is kept in `increment` mode: the sum not yet given, and the messages last counted."""

    waiting: Decimal = Decimal(0)
    ids: list[str] = []


class Inbox:
    """Takes messages and gives what they come to. Not locked: the source does that."""

    def __init__(self, rules: Rules, *, topic: str, state: str) -> None:
        self._rules = rules
        self._topic = topic
        self._state = state
        self._counted = load_kept(state, Counted())
        self._known = dict.fromkeys(self._counted.ids)
        self._newest: Message | None = None
        self._came_s = 0
        self._fresh = self._counted.waiting != 0
        self.fault: WattProofError | None = None

    @property
    def fresh(self) -> bool:
        """Whether something came that was not given yet."""
        return self._fresh

    def forget_old(self, *, now_s: int) -> None:
        """A register that came too long ago is no reading of now."""
        if self._rules.mode == "register" and now_s - self._came_s > self._rules.max_age_s:
            self._fresh = False

    def take(self, payload: bytes, *, retained: bool, now_s: int) -> None:
        """Take a message; what is wrong with it becomes the `fault`."""
        try:
            self._take(self._parse(payload), retained=retained, now_s=now_s)
        except WattProofError as error:
            self.fault = error

    def give(self) -> Decimal:
        """Return the newest value, or the sum of what was not yet given."""
        if self._rules.mode == "register":
            assert self._newest is not None
            given = self._newest.value
        else:
            given = self._counted.waiting
            rest = replace(self._counted, waiting=Decimal(0))
            save_kept(self._state, rest)  # else it could be given twice
            self._counted = rest
        self._fresh, self.fault = False, None
        return given

    def _take(self, message: Message, *, retained: bool, now_s: int) -> None:
        rules = self._rules
        if retained and rules.mode == "increment":
            return  # the broker repeats what it gave to somebody before
        if message.time_s is not None and abs(now_s - message.time_s) > rules.max_age_s:
            raise STALE(
                found_s=message.time_s, age_s=abs(now_s - message.time_s), most_s=rules.max_age_s
            )
        if retained and message.time_s is None and not rules.retained:
            raise RETAINED()
        if rules.mode == "increment":
            self._add(message)
        elif self._newest is None or _order(message) >= _order(self._newest):
            self._newest = message
            self._came_s = now_s
            self._fresh = True

    def _add(self, message: Message) -> None:
        if message.id in self._known:
            return
        self._known[message.id] = None
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        self._counted.waiting += message.value
        self._counted.ids = list(self._known)
        self._fresh = True
        save_kept(self._state, self._counted)

    def _parse(self, payload: bytes) -> Message:
        rules = self._rules
        if len(payload) > rules.most_bytes:
            raise OVERSIZED(where=self._topic, limit=rules.most_bytes)
        found = json_of(payload)
        time_s = message_time(json_value(found, rules.time_path)) if rules.time_path else None
        id_ = str(json_value(found, rules.id_path)) if rules.id_path else str(time_s)
        value = scaled(decimal_of(json_value(found, rules.path)), rules.scale)
        return Message(value=value, time_s=time_s, id=id_[:128])


def _order(message: Message) -> int:
    return 0 if message.time_s is None else message.time_s


def message_time(found: object) -> int:
    """Return Unix seconds of a number of seconds or milliseconds, or of an ISO time with its zone.

    A number beyond 10^11 counts milliseconds. Raises ``edge.value.not_number`` for anything else.
    """
    if isinstance(found, str):
        try:
            moment = dt.datetime.fromisoformat(found)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise NOT_NUMBER(value=repr(found[:40]))
        return int(moment.timestamp())
    value = decimal_of(found)
    if abs(value) >= 10**15:
        raise NOT_NUMBER(value=str(value)[:40])
    return int(value // 1000 if abs(value) > 10**11 else value)
