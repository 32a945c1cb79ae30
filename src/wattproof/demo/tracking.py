"""The chapter on tracking: a plant whose meters emit by themselves, bound, watched and reported.

Nodes enter their own factor, sign amounts together with the emission they made of them, and the
host, the plant's owner, only adds up and compares. One part has a fault for an hour: it raises one
interrupt, in that hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from wattproof.core.periods import iso
from wattproof.core.units import format_amount, is_prediction
from wattproof.demo.plant import Plant, PlantNode, Recorded, Run
from wattproof.emissions.carry import UG_PER_G, emissions_g
from wattproof.emissions.cli import projected_lake
from wattproof.emissions.tracking.error_report import ErrorReport, error_report
from wattproof.emissions.tracking.model import (
    BINDINGS,
    INTERRUPTS,
    NODES,
    PORTS,
    DeclareFactor,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    Line,
    NodePacket,
)
from wattproof.emissions.tracking.percent import percent_text, percentage
from wattproof.emissions.tracking.syntax import parse_binding
from wattproof.emissions.tracking.totals import parts_of_totals
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.store import KeyStore
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, content_nonce, sign_transaction

__all__ = ["FACTOR", "Tell", "Tracking", "node_packets", "tracking_facts"]

FACTOR: Final = ("cn-grid-2023-sh@1", "0.5737", "kgCO2/kWh", 573_700)
"""What is entered at every node: id, value and unit as published, micrograms per Wh."""
HOUR_S: Final = 3600

Signed = tuple[Body, str]
Tell = Callable[[str, str], None]


class Tracking:
    """The chapter on one ledger, after the story's; telling it again adds nothing."""

    def __init__(self, folder: LedgerFolder, tell: Tell, plant: Plant, *, operator: str) -> None:
        self._folder = folder
        self._tell = tell
        self._plant = plant
        self._operator = operator

    def live(self, recorded: Recorded) -> None:
        """The plant joins, is wired, and reports."""
        plant = self._plant
        with self._folder.keys() as keys, self._folder.write() as writer:
            names = [plant.owner, *(_key(node) for node in plant.nodes)]
            missing = set(names) - set(keys.names())
            keys.add_many({name: SigningKey.generate() for name in sorted(missing)})
            steps = [
                self._join(keys),
                *(_connect(plant, node) for node in plant.nodes),
                _wire(plant),
                _days(plant, recorded),
            ]
            for some in steps:
                _submit(writer, keys, some)

    def facts(self) -> dict[str, Any]:
        """What the ledger says of it, in figures and in words."""
        plant = self._plant
        found = tracking_facts(self._folder, plant.owner, zone=plant.zone)
        count, emitted = found["nodes"], format_amount(found["emission_g"], "g", "en")
        self._tell(
            f"{count} nodes of {plant.owner} signed what they emitted: {emitted} in all.",
            f"{plant.owner} 的 {count} 个节点自行签名上报排放，"
            f"合计 {format_amount(found['emission_g'], 'g', 'zh')}。",
        )
        for row in found["bindings"]:
            en, zh = (format_amount(row["error"], row["unit"], lang) for lang in ("en", "zh"))
            share = percent_text(percentage(row["error"], row["base"]))
            self._tell(
                f"Group {row['text']}, all of it: error {en} ({share}).",
                f"{row['text']} 全部时段误差：{zh}（{share}）。",
            )
        for row in found["interrupts"]:
            self._tell(
                f"Interrupt {row['number']}: group {row['group']} from {row['start']} to "
                f"{row['end']}, beyond its line by log entry {row['entry']}; over by entry "
                f"{row['over_entry']}.",
                f"第 {row['number']} 号中断：第 {row['group']} 组，{row['start']} 至 {row['end']}，"
                f"由日志条目 {row['entry']} 触发，至条目 {row['over_entry']} 恢复。",
            )
        return found

    def _join(self, keys: KeyStore) -> Iterator[Signed]:
        yield (
            RegisterParty(
                id=self._plant.owner,
                kind="organisation",
                key=keys.get(self._plant.owner).public,
                name=self._plant.name,
                roles=("consumer", "enterprise"),
            ),
            self._operator,
        )


def tracking_facts(folder: LedgerFolder, host: str, *, zone: str) -> dict[str, Any]:
    """The host's nodes, bindings, interrupts and emission, as the ledger has them.

    Errors are those of everything that was reported; `left`, `right`, `error` and `base` are in
    `unit`, `percent` is for reading. `emission_g` is what the host's nodes said, parts of a
    total and predictions left out.
    """
    store = folder.read()
    try:
        lake = projected_lake(folder, store)
        bindings = list(store.scan(BINDINGS, host))
        reports = [
            error_report(store, lake, host=host, group=found.group, step="year", zone=zone)
            for found in bindings
        ]
        ports = list(store.scan(PORTS, host))
        parts = parts_of_totals(store, {port.meter for port in ports})
        emission_g = 0
        for port in ports:
            node = store.get(NODES, port.meter)
            if node is None or port.meter in parts or is_prediction(port.quantity):
                continue
            emission_g += node.total_g
        interrupts = [
            {
                "number": found.number,
                "group": found.group,
                "line": found.line,
                "start": iso(found.start_s, zone),
                "end": iso(found.end_s, zone),
                "left": found.left,
                "right": found.right,
                "entry": found.entry,
                "over_entry": found.over_entry,
            }
            for found in store.scan(INTERRUPTS, host)
        ]
    finally:
        store.close()
    return {
        "host": host,
        "nodes": len(ports),
        "bindings": [_bound(report) for report in reports],
        "interrupts": interrupts,
        "emission_g": emission_g,
    }


def node_packets(runs: Iterable[Run], *, interval_s: int, each: int) -> Iterator[NodePacket]:
    """What a node signs: packets of at most `each` readings, with what it makes of them.

    Between two runs its register went on, and so does its emission register.
    """
    factor, _, _, value_ug = FACTOR
    sequence, register, total_ug = 0, None, 0
    for run in runs:
        at_s, opening = run.start_s, run.opening
        if register is not None:
            total_ug += (opening - register) * value_ug
        for first in range(0, len(run.amounts), each):
            some = run.amounts[first : first + each]
            sequence += 1
            opening_g, carry_ug = divmod(total_ug, UG_PER_G)
            yield NodePacket(
                sequence=sequence,
                start_s=at_s,
                interval_s=interval_s,
                kind="register",
                opening=opening,
                increments=UintArray.from_ints(some),
                quality=UintArray.from_ints(()),
                factor=factor,
                value_ug=value_ug,
                opening_g=opening_g,
                carry_ug=carry_ug,
                emissions=UintArray.from_ints(
                    emissions_g(some, value_ug=value_ug, carry_ug=carry_ug)
                ),
            )
            total_ug += sum(some) * value_ug
            opening += sum(some)
            at_s += len(some) * interval_s
        register = opening


def _bound(report: ErrorReport) -> dict[str, Any]:
    ports = {port.port: port.device for port in report.ports}
    _, left, right = parse_binding(report.text)
    return {
        "group": report.group,
        "kind": report.kind,
        "text": report.text,
        "unit": report.unit,
        "left_ports": [ports[port] for port in left],
        "right_ports": [ports[port] for port in right],
        "left": report.total.left,
        "right": report.total.right,
        "error": report.total.error,
        "base": report.total.base,
        "percent": None if report.total.percent is None else report.total.percent / 100,
        "error_g": report.total.error_g,
    }


def _key(node: PlantNode) -> str:
    return f"meter/{node.id}"


def _submit(writer: Writer, keys: KeyStore, steps: Iterable[Signed]) -> None:
    raws = [
        sign_transaction(body, keys.get(key), ledger_id=writer.ledger_id, nonce=content_nonce(body))
        for body, key in steps
    ]
    for answer in writer.engine.submit_many(raws):
        if not isinstance(answer, Receipt):
            raise answer


def _connect(plant: Plant, node: PlantNode) -> Iterator[Signed]:
    key = _key(node)
    yield EnrolDevice(id=node.id, owner=plant.owner, quantity=node.quantity, zone=plant.zone), key
    evidence = hashlib.sha256(f"demonstration: {node.id}".encode()).digest()
    yield AuthenticateDevice(device=node.id, evidence=evidence), "metering"
    yield ConfirmDevice(device=node.id), plant.owner
    yield (
        AssociateDevice(
            device=node.id,
            point=f"point-{node.id}",
            region=plant.region,
            suppliers=("grid",),
            consumers=(plant.owner,),
        ),
        plant.owner,
    )
    factor, value, unit, value_ug = FACTOR
    yield (
        DeclareFactor(
            factor=factor,
            value=value,
            unit=unit,
            value_ug=value_ug,
            entered_by=plant.owner,
            entered_s=0,
            from_s=0,
        ),
        key,
    )


def _wire(plant: Plant) -> Iterator[Signed]:
    """Ports, bindings, and a line where a binding is watched."""
    for node in plant.nodes:
        yield (
            DefinePort(
                number=node.port,
                device=node.id,
                transport="mqtt",
                plant=node.plant,
                process=node.process,
                person="",
            ),
            plant.owner,
        )
    for bound in plant.bindings:
        group, left, right = parse_binding(bound.text)
        yield (
            DefineBinding(group=group, kind=bound.kind, measure="amount", left=left, right=right),
            plant.owner,
        )
        if bound.line_wh:
            lines = (Line(value=bound.line_wh, unit="absolute"),)
            yield (
                DefineThreshold(group=group, set=1, step_s=HOUR_S, offset_s=0, lines=lines),
                plant.owner,
            )


def _days(plant: Plant, recorded: Recorded) -> list[Signed]:
    """A packet a day of each node, in the order in which they would have come."""
    interval_s = recorded.interval_s
    come = [
        (packet.start_s + len(packet.increments) * interval_s, _key(node), packet)
        for node in plant.nodes
        for packet in node_packets(
            recorded.runs[node.id], interval_s=interval_s, each=86_400 // interval_s
        )
    ]
    return [(packet, key) for _, key, packet in sorted(come, key=lambda one: one[0])]
