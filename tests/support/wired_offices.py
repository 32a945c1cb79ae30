"""The demonstration's office park as a host: two ports, a binding with lines, a filed report."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from wattproof.demo.region import ZONE
from wattproof.emissions.cli import projected_lake
from wattproof.emissions.tracking.error_report import error_report
from wattproof.emissions.tracking.filing import filing_of
from wattproof.emissions.tracking.model import DefineBinding, DefinePort, DefineThreshold, Line
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.transaction import Body, sign_transaction

__all__ = ["HOST", "wire_offices"]

HOST: Final = "offices"


def wire_offices(folder: LedgerFolder) -> None:
    """Ports 1 and 2, bound as ``2-1-2``; the first report by month is on the ledger."""
    wiring: list[Body] = [
        DefinePort(
            number=number, device=device, transport="http", plant="park", process="", person=""
        )
        for number, device in enumerate(("office-a", "office-b"), start=1)
    ]
    wiring.append(DefineBinding(group=2, kind="total", measure="amount", left=(1,), right=(2,)))
    lines = (Line(value=5_000_000, unit="absolute"),)
    wiring.append(DefineThreshold(group=2, set=1, step_s=3600, offset_s=0, lines=lines))
    _submit(folder, wiring)
    with closing(folder.read()) as store:
        report = error_report(
            store, projected_lake(folder, store), host=HOST, group=2, step="month", zone=ZONE
        )
    _submit(folder, [filing_of(report)])


def _submit(folder: LedgerFolder, bodies: list[Body]) -> None:
    with folder.write(workers=0) as writer, folder.keys() as keys:
        for body in bodies:
            writer.engine.submit(sign_transaction(body, keys.get(HOST), ledger_id=writer.ledger_id))
