"""What the region's month comes to: each meter's amount and emission, from the lake."""

from __future__ import annotations

from collections.abc import Callable

from wattproof.core.units import format_amount, quantity_label
from wattproof.emissions.cli import projected_lake
from wattproof.emissions.report import EmissionRow, emission_report
from wattproof.engines.folder import LedgerFolder

__all__ = ["month_figures", "tell_figures"]


def month_figures(folder: LedgerFolder) -> list[EmissionRow]:
    """The report by month of everything that is in the ledger."""
    store = folder.read()
    try:
        return list(emission_report(store, projected_lake(folder, store), step="month"))
    finally:
        store.close()


def tell_figures(rows: list[EmissionRow], tell: Callable[[str, str], None]) -> None:
    """A sentence a row."""
    for row in rows:
        emitted = ("no factor, no figure", "未指定排放因子")
        if row.emission_g is not None:
            emitted = (
                f"{format_amount(row.emission_g, 'g', 'en')} by {row.factor}",
                f"{format_amount(row.emission_g, 'g', 'zh')}（{row.factor}）",
            )
        tell(
            f"{row.meter}: {quantity_label(row.quantity, 'en')} "
            f"{format_amount(row.amount, row.unit, 'en')}; {emitted[0]}",
            f"{row.meter}：{quantity_label(row.quantity, 'zh')}"
            f"{format_amount(row.amount, row.unit, 'zh')}；{emitted[1]}",
        )
