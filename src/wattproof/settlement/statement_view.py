"""A statement as people see it: its figures by name, its rows, what differs, and its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from wattproof.core.errors import Lang
from wattproof.core.units import format_amount
from wattproof.settlement.local_days import local_text
from wattproof.settlement.local_time import iso_local, offset_text
from wattproof.settlement.reconcile import Difference
from wattproof.settlement.statement import Statement, StatementRow
from wattproof.settlement.statement_check import VERDICTS

__all__ = ["Fact", "StatementView", "difference_csv_lines", "statement_csv_lines"]

HEAD: Final = "begins,ends,supplied_wh,consumed_wh,net_wh,verdict"
DIFFERENCE_HEAD: Final = "meter,number,kind,metered_wh,settled_wh,difference_wh"
KINDS: Final = {"supply": ("supply", "供电"), "consumption": ("consumption", "用电")}
STEPS: Final = {"hour": ("hour", "时"), "day": ("day", "日"), "month": ("month", "月")}


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A figure: what it is called, its value as people read it, and how it comes about."""

    name: str
    value: str
    note: str = ""


class StatementView:
    """One statement in one language."""

    def __init__(self, made: Statement, lang: Lang) -> None:
        self.statement: Final = made
        self._lang: Lang = lang

    @property
    def title(self) -> str:
        """What it is, of which region."""
        region = self.statement.region
        return self._say(f"Settlement statement of {region}", f"{region} 地区结算单")

    @property
    def period(self) -> str:
        """Its first and its last day, and whose clock tells them."""
        made = self.statement
        first, last = (
            local_text(at_s, "day", made.offset_s) for at_s in (made.from_s, made.to_s - 1)
        )
        days = first if first == last else self._say(f"{first} to {last}", f"{first} 至 {last}")
        return f"{days} (UTC{offset_text(made.offset_s)})"

    @property
    def energy(self) -> list[Fact]:
        """Supplied, consumed, net, and the verdict."""
        made = self.statement
        tolerance = ""
        if made.tolerance_wh:
            within = self._wh(made.tolerance_wh)
            tolerance = self._say(f"neutral within {within}", f"容差 {within}")
        return [
            self._fact("Supplied", "供电量", self._wh(made.supplied_wh)),
            self._fact("Consumed", "用电量", self._wh(made.consumed_wh)),
            self._fact("Net energy-carbon value", "净能碳值", self._wh(made.net_wh)),
            self._fact("Verdict", "判定", self.verdict(made), tolerance, tolerance),
        ]

    @property
    def emissions(self) -> list[Fact]:
        """The three emissions, each by its own name, with the factor that it follows from."""
        made = self.statement
        ug_per_wh = self._say("µg/Wh", "微克/瓦时")
        location = f"{made.location_factor}: {made.location_ug:,} {ug_per_wh}"
        residual = f"{made.residual_factor}: {made.residual_ug:,} {ug_per_wh}"
        return [
            self._fact(
                "Net value × location-based factor", "净值 × 基于位置的因子",
                self._g(made.net_emission_g), location, location,
            ),
            self._fact(
                "Consumption, location-based", "用电排放（基于位置）",
                self._g(made.location_based_g), location, location,
            ),
            self._fact(
                "Consumption, market-based", "用电排放（基于市场）",
                self._g(made.market_based_g),
                f"{residual}; no certificate covers any of it", f"{residual}；未以绿证抵扣",
            ),
        ]  # fmt: skip

    @property
    def trades(self) -> list[Fact]:
        """Records of both kinds, what their energy costs and what changed hands."""
        made = self.statement
        return [
            self._fact(
                "First records (purchases)", "一类记录（购电）", f"{made.trades_first:,}",
                *self._money(made.supply_fen, made.paid_supply_fen),
            ),
            self._fact(
                "Second records (spent by consumers)", "二类记录（用电支出）",
                f"{made.trades_second:,}",
                *self._money(made.consumption_fen, made.paid_consumption_fen),
            ),
        ]  # fmt: skip

    @property
    def reconciliation(self) -> list[Fact]:
        """How many meters reported other than was settled, and by how much."""
        made = self.statement
        supply, consumption = (
            self._wh(wh) for wh in (made.unsettled_supply_wh, made.unsettled_consumption_wh)
        )
        return [
            self._fact(
                "Meters that differ from their packets", "与数据包不符的表计",
                f"{made.meters_differing:,}",
                f"not settled of supply {supply}, of consumption {consumption}",
                f"未结算：供电 {supply}，用电 {consumption}",
            )
        ]  # fmt: skip

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads of `rows`."""
        step = STEPS[self.statement.step][self._lang == "zh"]
        if self._lang == "zh":
            return (step, "供电", "用电", "净值", "判定")
        return (step, "supplied", "consumed", "net", "verdict")

    def rows(self, limit: int | None = None) -> list[tuple[str, ...]]:
        """The first rows, or all: the time, three amounts, the verdict."""
        made = self.statement
        return [
            (
                local_text(row.start_s, made.step, made.offset_s),
                self._wh(row.supplied_wh),
                self._wh(row.consumed_wh),
                self._wh(row.net_wh),
                self.verdict(row),
            )
            for row in made.rows[:limit]
        ]

    @property
    def difference_columns(self) -> tuple[str, ...]:
        """The heads of `differences`."""
        if self._lang == "zh":
            return ("表计", "类别", "上报", "已结算", "差额")
        return ("meter", "kind", "reported", "settled", "difference")

    def differences(self, limit: int | None = None) -> list[tuple[str, ...]]:
        """The first meters that differ, or all that are listed."""
        return [self._difference(one) for one in self.statement.differences[:limit]]

    def verdict(self, of: Statement | StatementRow) -> str:
        """What the verdict of a row, or of the whole, is called."""
        return VERDICTS[of.verdict][self._lang == "zh"]

    def _difference(self, one: Difference) -> tuple[str, ...]:
        return (
            one.meter,
            KINDS[one.kind][self._lang == "zh"],
            self._wh(one.metered_wh),
            self._wh(one.settled_wh),
            self._wh(one.difference_wh),
        )

    def _money(self, cost_fen: int, paid_fen: int) -> tuple[str, str]:
        cost, paid = (format_amount(fen, "fen", self._lang) for fen in (cost_fen, paid_fen))
        return f"cost {cost}, paid {paid}", f"电费 {cost}，已付 {paid}"

    def _fact(self, en: str, zh: str, value: str, note_en: str = "", note_zh: str = "") -> Fact:
        return Fact(name=self._say(en, zh), value=value, note=self._say(note_en, note_zh))

    def _wh(self, wh: int) -> str:
        return format_amount(wh, "Wh", self._lang)

    def _g(self, grams: int) -> str:
        return format_amount(grams, "g", self._lang)

    def _say(self, en: str, zh: str) -> str:
        return zh if self._lang == "zh" else en


def statement_csv_lines(made: Statement) -> Iterator[str]:
    """The rows as a file, line by line; times are local to the region, amounts in Wh."""
    yield f"{HEAD}\n"
    for row in made.rows:
        begins, ends = (iso_local(at_s, made.offset_s) for at_s in (row.start_s, row.end_s))
        yield _line((begins, ends, row.supplied_wh, row.consumed_wh, row.net_wh, row.verdict))


def difference_csv_lines(made: Statement) -> Iterator[str]:
    """The meters that differ as a file, line by line, amounts in Wh."""
    yield f"{DIFFERENCE_HEAD}\n"
    for one in made.differences:
        yield _line(
            (one.meter, one.number, one.kind, one.metered_wh, one.settled_wh, one.difference_wh)
        )


def _line(cells: Sequence[object]) -> str:
    return ",".join(map(str, cells)) + "\n"
