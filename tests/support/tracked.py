"""A wired steel works for the demonstration's ledger: nodes, ports, bindings, lines, interrupts.

Three days of January 2025 (`FIRST_S` on): ``works-total`` at port 10 and its parts ``mill``,
``furnace`` and ``finishing`` at 11 to 13, bound as ``2-10-11/12/13``; a plan of the total at 20,
bound as ``1-20-10``. On the second day ``mill`` loses 8 kWh a quarter from 10:00 to 11:00, which
raises two interrupts that end an hour later; in the last hour ``furnace`` falls silent about half
of what it takes, which raises two that stay open. ``finishing`` is a gram out in its
second packet, from which the third does not go on.
``probe`` (CO2, at 30) reports up to now; ``spare`` (at 31) never has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from tests.support.site import Client

from wattproof.demo.region import ZONE
from wattproof.emissions.tracking.model import (
    DeclareFactor,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    Line,
    NodePacket,
)
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction

__all__ = ["DAYS", "FIRST_S", "HOST", "QUARTER_S", "file_report", "key_of_node", "node_packet",
           "submit", "track"]  # fmt: skip

HOST: Final = "steel-works"
QUARTER_S: Final = 900
FIRST_S: Final = 1_736_092_800
"""2025-01-06 00:00 in Shanghai."""
DAYS: Final = 3
PER_DAY: Final = 96
GRID_UG: Final = 573_700
TYPED_UG: Final = 550_000

QUARTERS: Final = {
    "works-plan": 41_000,
    "works-total": 40_000,
    "mill": 20_000,
    "furnace": 15_000,
    "finishing": 5_000,
}
"""What each node reports of a quarter of an hour, in Wh."""
PORTS: Final = {
    "works-total": 10,
    "mill": 11,
    "furnace": 12,
    "finishing": 13,
    "works-plan": 20,
    "probe": 30,
    "spare": 31,
}
QUANTITIES: Final = {"works-plan": "electricity.predicted", "probe": "co2.measured"}

Step = tuple[Body, SigningKey]


def key_of_node(id_: str) -> SigningKey:
    """The key of a node, the same whenever it is asked for."""
    return SigningKey.from_seed(id_.encode().ljust(32, b"."))


def track(folder: LedgerFolder, *, now_s: int) -> None:
    """Write all of it into a ledger that holds the demonstration and that nobody has open."""
    with folder.keys() as keys, folder.write(workers=0) as writer:
        host, metering = keys.get(HOST), keys.get("metering")
        submit(writer, [step for id_ in PORTS for step in _connected(id_, host, metering)])
        submit(writer, ((body, host) for body in _wiring()))
        submit(writer, _reported())
        submit(writer, [(_probed(now_s), key_of_node("probe"))])


def submit(writer: Writer, steps: Iterable[Step]) -> list[Receipt]:
    """Submit transactions, which must all be accepted."""
    raws = [sign_transaction(body, key, ledger_id=writer.ledger_id) for body, key in steps]
    receipts = []
    for answer in writer.engine.submit_many(raws):
        if not isinstance(answer, Receipt):
            raise answer
        receipts.append(answer)
    return receipts


def file_report(client: Client, path: str, **fields: str) -> None:
    """Put the report that a page shows on the ledger, as its button does."""
    fields = {"host": HOST, "by": "day", "from": "", "to": "", "set": "0", **fields}
    draft = client.form(f"{path}/file", **fields).headers["location"]
    assert client.form(draft).headers["location"].startswith("/ledger/transactions/")


def node_packet(
    amounts: Sequence[int],
    *,
    sequence: int,
    start_s: int,
    before: Sequence[int] = (),
    factor: str = "",
    value_ug: int,
    off_g: int = 0,
) -> NodePacket:
    """A node's packet of these amounts, after all those `before`; its first gram `off_g` out."""
    said = sum(before) * value_ug
    carry_ug = said % 1_000_000
    sums = [0, *((carry_ug + value_ug * total) // 1_000_000 for total in accumulate(amounts))]
    grams = [after - now for now, after in pairwise(sums)]
    grams[0] += off_g
    return NodePacket(
        sequence=sequence,
        start_s=start_s,
        interval_s=QUARTER_S,
        kind="increment",
        opening=sum(before),
        increments=UintArray.from_ints(amounts),
        quality=UintArray.from_ints(()),
        factor=factor,
        value_ug=value_ug,
        opening_g=said // 1_000_000,
        carry_ug=carry_ug,
        emissions=UintArray.from_ints(grams),
    )


def _connected(id_: str, host: SigningKey, metering: SigningKey) -> Iterator[Step]:
    quantity = QUANTITIES.get(id_, "electricity.import")
    yield EnrolDevice(id=id_, owner=HOST, quantity=quantity, zone=ZONE), key_of_node(id_)
    yield AuthenticateDevice(device=id_, evidence=bytes(32)), metering
    yield ConfirmDevice(device=id_), host
    body = AssociateDevice(
        device=id_, point=f"point-{id_}", region="CN-SH", suppliers=("grid",), consumers=(HOST,)
    )
    yield body, host
    if id_ in QUARTERS:
        factor, value_ug = _factor(id_)
        entered = DeclareFactor(
            factor=factor,
            value=f"{value_ug / 1_000_000:g}",
            unit="kgCO2/kWh",
            value_ug=value_ug,
            entered_by="badge-17" if not factor else HOST,
            entered_s=FIRST_S - 3600,
            from_s=FIRST_S,
        )
        yield entered, key_of_node(id_)


def _factor(id_: str) -> tuple[str, int]:
    return ("", TYPED_UG) if id_ == "furnace" else ("cn-grid-2023-sh@1", GRID_UG)


def _wiring() -> Iterator[Body]:
    processes = {"mill": "rolling", "furnace": "melting", "finishing": "finishing"}
    for id_, number in PORTS.items():
        yield DefinePort(
            number=number,
            device=id_,
            transport="mqtt" if number > 10 else "http",
            plant="works",
            process=processes.get(id_, ""),
            person="",
        )
    yield DefineBinding(group=1, kind="predicted", measure="amount", left=(20,), right=(10,))
    yield DefineBinding(group=2, kind="total", measure="amount", left=(10,), right=(11, 12, 13))
    percent = [Line(value=500, unit="percent"), Line(value=1_000, unit="percent")]
    absolute = [Line(value=20_000, unit="absolute")]
    yield DefineThreshold(group=1, set=1, step_s=3600, offset_s=0, lines=tuple(percent))
    yield DefineThreshold(group=2, set=1, step_s=3600, offset_s=0, lines=tuple(percent[1:]))
    yield DefineThreshold(group=2, set=2, step_s=3600, offset_s=0, lines=tuple(absolute))


def _reported() -> Iterator[Step]:
    """A packet a day of each node, day by day."""
    for day in range(DAYS):
        for id_ in QUARTERS:
            amounts = _amounts(id_)
            factor, value_ug = _factor(id_)
            first = day * PER_DAY
            packet = node_packet(
                amounts[first : first + PER_DAY],
                sequence=day + 1,
                start_s=FIRST_S + first * QUARTER_S,
                before=amounts[:first],
                factor=factor,
                value_ug=value_ug,
                off_g=int(id_ == "finishing" and day == 1),
            )
            yield packet, key_of_node(id_)


def _amounts(id_: str) -> list[int]:
    amounts = [QUARTERS[id_]] * (DAYS * PER_DAY)
    if id_ == "mill":
        at = PER_DAY + 40
        amounts[at : at + 4] = [12_000] * 4
    if id_ == "furnace":
        amounts[-4:] = [7_000] * 4
    return amounts


def _probed(now_s: int) -> NodePacket:
    """Two hours of a CO2 probe, up to the quarter of an hour before the last."""
    start_s = now_s - now_s % QUARTER_S - 9 * QUARTER_S
    return node_packet(
        [9_000] * 8, sequence=1, start_s=start_s, factor="unity@1", value_ug=1_000_000
    )
