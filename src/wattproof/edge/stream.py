"""The node's stream: from one sample to the next, and when a packet is complete.

Pure functions from state to state, so that what survives a power cut is exactly what they return:

    sample -> register -> reading of one interval -> packet with its emission

A moment without a reading is a gap, never a zero: the packet ends before it, and the next one opens
with the register as it then stands, which tells the host what was counted meanwhile.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from wattproof.core.errors import Conflict, ErrorCode, OverLimit
from wattproof.edge.config import MAX_READINGS, NodeSettings
from wattproof.edge.emission import advance, grams_of
from wattproof.edge.packets import Emission, Report
from wattproof.edge.register import added, check_jump, level, step
from wattproof.edge.source import Mode, Sample
from wattproof.edge.state import EnteredFactor, Held, NodeState, factor_at

__all__ = ["QUEUE_FULL", "Taken", "exchange", "go_on", "hold", "moment", "pack", "take"]

ESTIMATED = 2
MANUAL = 3
MANUAL_DOUBT = "manual"

NO_FACTOR = ErrorCode(
    Conflict,
    "edge.no_factor",
    en="The node has no factor for readings from {start_s} on: enter one at the meter, or with"
    " wattproof edge factor.",
    zh="节点没有适用于 {start_s} 起读数的排放因子：请在表旁录入，或使用 wattproof edge factor。",
)
HELD = ErrorCode(
    Conflict,
    "edge.held",
    en="The register went down from {closing} to {found}: declare the exchange with wattproof edge"
    " swap, or say with --same-meter that it was none.",
    zh="表底数由 {closing} 减小为 {found}：请用 wattproof edge swap 申报换表，"
    "若未换表则加 --same-meter。",
)
QUEUE_FULL = ErrorCode(
    OverLimit,
    "edge.queue.full",
    en="{limit} packets wait to be sent; readings are not kept until there is room, what the meter"
    " counts is not lost.",
    zh="已有 {limit} 个数据包待发送；在腾出空间前不再保存读数，但表计的计量不会丢失。",
)
WRONG_MODE = ErrorCode(
    Conflict,
    "edge.mode",
    en="This node reported as {before}; its source now gives {now}. A node keeps its kind.",
    zh="该节点此前以 {before} 方式上报，现在的数据源为 {now}；节点的类型不可改变。",
)
NOT_HELD = ErrorCode(
    Conflict,
    "edge.not_held",
    en="No register went down; there is nothing to confirm.",
    zh="没有表底数减小的情况，无需确认。",
)
INCREMENTS = ErrorCode(
    Conflict,
    "edge.swap_increments",
    en="A source of increments has no register that could be exchanged.",
    zh="增量型数据源没有可更换的计度器。",
)


class Taken(msgspec.Struct, frozen=True):
    """What a sample made of the state, and the packets that it completed, in order."""

    state: NodeState
    reports: tuple[Report, ...] = ()


def moment(now_s: int, interval_s: int) -> int:
    """The last moment at which a reading is due: whole intervals since the Unix epoch."""
    return now_s // interval_s * interval_s


def take(
    state: NodeState, sample: Sample, *, mode: Mode, at_s: int, node: NodeSettings, room: int = 1
) -> Taken:
    """Take the sample of the moment `at_s`; `room` packets may still be queued.

    Where there is no room for a packet that must be made first, the reading is not kept and the
    moment becomes part of a gap. Raises `NEGATIVE_STEP`, which the caller has to `hold`, and the
    errors of `register`; nothing has changed then.
    """
    if state.held is not None:
        raise HELD(closing=state.held.closing, found=state.held.found)
    if state.started and state.mode != mode:
        raise WRONG_MODE(before=state.mode, now=mode)
    state = replace(state, mode=mode)
    modulus = node.register_modulus if mode == "register" else 0
    if mode == "register":
        now = level(sample, quantity=node.quantity, modulus=modulus)
        counted = state
    else:
        whole, left = added(sample, quantity=node.quantity, remainder=state.exact_remainder)
        now = state.counter + whole
        counted = replace(state, counter=now, remainder=str(left))
    if not state.started:
        if room < 1:
            return Taken(state)
        return _first(counted, now, at_s=at_s, before=state.counter, node=node)
    amount = step(state.closing, now, modulus=modulus)
    check_jump(amount, seconds=at_s - state.end_s, most_per_hour=node.most_per_hour)
    goes_on = at_s == state.end_s + node.interval_s and not state.broken
    if room < 1 and state.pending and (not goes_on or _is_closed(state, node)):
        return Taken(counted)
    reports: tuple[Report, ...] = ()
    if goes_on:
        if _is_closed(state, node):
            counted, reports = _packed(counted, node)
        state = replace(
            counted,
            pending=(*counted.pending, amount),
            quality=(*counted.quality, _quality(sample.doubt)),
            closing=now,
            end_s=at_s,
            measured=counted.measured + amount,
        )
    else:
        state, reports = _packed(counted, node)
        state = _after_gap(state, now, amount, at_s=at_s, node=node)
    if room > len(reports) and _is_due(state, node):
        state, more = _packed(state, node)
        reports += more
    return Taken(state, reports)


def pack(state: NodeState, node: NodeSettings) -> Taken:
    """Complete the packet that is being filled, if it has readings."""
    return Taken(*_packed(state, node))


def hold(state: NodeState, *, found: int, since_s: int) -> NodeState:
    """Take nothing more until a person says why the register went down to `found`."""
    return replace(state, held=Held(closing=state.closing, found=found, since_s=since_s))


def go_on(state: NodeState) -> NodeState:
    """A person says that it is the same meter: what it showed was wrong, its register goes on.

    Raises `NOT_HELD` where nothing is held.
    """
    if state.held is None:
        raise NOT_HELD()
    return replace(state, held=None, broken=True)


def exchange(state: NodeState, node: NodeSettings, *, closing: int | None, opening: int) -> Taken:
    """The meter was exchanged: the old register stood at `closing`, the new one began at `opening`.

    Without `closing` the old one counts up to its last reading. Raises `NEGATIVE_STEP` for a
    closing below that, and `Conflict` for a source of increments.
    """
    if state.mode == "increment":
        raise INCREMENTS()
    packed, reports = _packed(state, node)
    last = packed.closing if closing is None else closing
    moved = step(packed.closing, last, modulus=node.register_modulus)
    known = packed.reported is not None  # to the host: else its first packet opens the register
    state = replace(
        packed,
        owed=packed.owed + moved if known else 0,
        measured=packed.measured + (moved if known else 0),
        reported=opening if known else None,
        opening=opening,
        closing=opening,
        broken=True,
        held=None,
    )
    return Taken(state, reports)


def _first(state: NodeState, now: int, *, at_s: int, before: int, node: NodeSettings) -> Taken:
    """The first sample: a register is stated alone, an increment is the amount of its interval.

    From then on everything that is counted reaches the host, by readings or by a later register.
    An increment from before the node's first factor only sets where its sum begins.
    """
    start_s = at_s - node.interval_s
    measured = state.mode == "increment" and (
        not node.emit or factor_at(state.factors, start_s) is not None
    )
    state = replace(
        state,
        started=True,
        start_s=start_s if measured else at_s,
        end_s=at_s,
        opening=before if measured else now,
        closing=now,
        pending=(now - before,) if measured else (),
        quality=(0,) if measured else (),
        measured=state.measured + (now - before if measured else 0),
    )
    _demand_factor(state, node)
    if state.mode == "register" or _is_due(state, node):
        return Taken(*_packed(state, node, alone=True))
    return Taken(state)


def _after_gap(
    state: NodeState, now: int, amount: int, *, at_s: int, node: NodeSettings
) -> NodeState:
    """The state with a packet that opens at `at_s`, after a gap in which `amount` was counted.

    Increments cannot state a sum alone: before their first packet the amount is its first reading.
    """
    unsaid = state.mode == "increment" and state.reported is None
    state = replace(
        state,
        start_s=at_s - node.interval_s if unsaid else at_s,
        end_s=at_s,
        opening=state.closing if unsaid else now,
        closing=now,
        pending=(amount,) if unsaid else (),
        quality=(ESTIMATED,) if unsaid else (),
        measured=state.measured + amount,
        broken=False,
    )
    _demand_factor(state, node)
    return state


def _is_due(state: NodeState, node: NodeSettings) -> bool:
    """Whether the packet is complete: enough readings, long enough, or a new factor follows."""
    if not state.pending:
        return False
    full = len(state.pending) >= node.readings
    old = state.end_s - state.start_s >= node.flush_s
    return full or old or _is_closed(state, node)


def _is_closed(state: NodeState, node: NodeSettings) -> bool:
    """Whether the packet cannot take another reading: it has the most, or a new factor follows."""
    return len(state.pending) >= MAX_READINGS or (
        node.emit
        and factor_at(state.factors, state.start_s) != factor_at(state.factors, state.end_s)
    )


def _packed(
    state: NodeState, node: NodeSettings, *, alone: bool = False
) -> tuple[NodeState, tuple[Report, ...]]:
    """The state with nothing pending, and the packet that the pending readings make.

    Without readings there is none, unless the register is to be stated `alone`.
    """
    if not state.pending and not alone:
        return state, ()
    emission, grams, carry_ug = None, state.grams, state.carry_ug
    if node.emit:
        emission, grams, carry_ug = _emission(state, node)
    report = Report(
        sequence=state.next_sequence,
        start_s=state.start_s,
        interval_s=node.interval_s,
        kind=state.mode,
        opening=state.opening,
        increments=state.pending,
        quality=state.quality if any(state.quality) else (),
        emission=emission,
    )
    packed = replace(
        state,
        next_sequence=state.next_sequence + 1,
        start_s=state.end_s,
        opening=state.closing,
        pending=(),
        quality=(),
        reported=state.closing,
        grams=grams,
        carry_ug=carry_ug,
        owed=0,
    )
    return packed, (report,)


def _emission(state: NodeState, node: NodeSettings) -> tuple[Emission, int, int]:
    """The emission of the pending readings, and the emission register after them.

    What was counted since the last packet, and by a meter that was exchanged, is emitted first.
    """
    factor = _demand_factor(state, node)
    assert factor is not None, "a node that emits"
    modulus = node.register_modulus if state.mode == "register" else 0
    missed = 0 if state.reported is None else step(state.reported, state.opening, modulus=modulus)
    opening_g, carry_ug = advance(
        state.grams, state.carry_ug, amount=missed + state.owed, value_ug=factor.value_ug
    )
    emission = Emission(
        factor=factor.factor,
        value_ug=factor.value_ug,
        opening_g=opening_g,
        carry_ug=carry_ug,
        grams=tuple(grams_of(state.pending, value_ug=factor.value_ug, carry_ug=carry_ug)),
    )
    grams, left_ug = advance(
        opening_g, carry_ug, amount=sum(state.pending), value_ug=factor.value_ug
    )
    assert grams == opening_g + sum(emission.grams), "grams add up"
    return emission, grams, left_ug


def _demand_factor(state: NodeState, node: NodeSettings) -> EnteredFactor | None:
    if not node.emit:
        return None
    factor = factor_at(state.factors, state.start_s)
    if factor is None:
        raise NO_FACTOR(start_s=state.start_s)
    return factor


def _quality(doubt: str) -> int:
    """The code of a reading's quality: measured, estimated, or read and typed by a person."""
    if not doubt:
        return 0
    return MANUAL if doubt == MANUAL_DOUBT else ESTIMATED
