"""Whether the figures of a statement follow from each other: what anybody can check by it alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.model import Verdict
from wattproof.settlement.reconcile import MAX_LISTED, Difference
from wattproof.settlement.records import verdict_of
from wattproof.settlement.statement import Statement, StatementRow, check_days, grams

__all__ = ["VERDICTS", "check_differences", "check_emissions", "check_net", "check_rows"]

ROW = ErrorCode(
    Malformed,
    "settlement.row",
    en="Row {number} of the statement does not follow from its own figures.",
    zh="结算单第 {number} 行的数字不能相互印证。",
)
ROWS = ErrorCode(
    Malformed,
    "settlement.rows",
    en="The rows add up to {rows} Wh {side}, not to {total}.",
    zh="各行合计（{side}）为 {rows} 瓦时，而非 {total}。",
)
NET = ErrorCode(
    Malformed,
    "settlement.net",
    en="The net value or its verdict does not follow: {net_wh} Wh, {verdict}.",
    zh="净值或其判定不成立：{net_wh} 瓦时，{verdict}。",
)
EMISSION = ErrorCode(
    Malformed,
    "settlement.emission",
    en="{name} is {stated} g, but {wh} Wh at {factor_ug} µg/Wh is {grams} g.",
    zh="{name} 为 {stated} 克，而 {wh} 瓦时乘以 {factor_ug} 微克/瓦时为 {grams} 克。",
)
DIFFERENCE = ErrorCode(
    Malformed,
    "settlement.difference",
    en="What is listed of meters that differ does not follow from its own figures.",
    zh="所列表计差异的数字不能相互印证。",
)

Said = tuple[str, str]

VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "positive": ("positive", "正值"),
    "neutral": ("neutral", "零值"),
    "negative": ("negative", "负值"),
}
"""What verdicts are called, in English and Chinese."""


def check_rows(made: Statement) -> Said:
    """Every row is a whole step of the period, in order, and they add up to it.

    Raises ``settlement.statement_days``, ``settlement.row`` or ``settlement.rows``.
    """
    check_days(made.from_s, made.to_s, offset_s=made.offset_s)
    for number, row in enumerate(made.rows, start=1):
        if not _fits(made, row):
            raise ROW(number=number)
    for number, (one, following) in enumerate(pairwise(made.rows), start=2):
        if one.end_s > following.start_s:
            raise ROW(number=number)
    for side, total in (("supplied", made.supplied_wh), ("consumed", made.consumed_wh)):
        rows = sum(getattr(row, f"{side}_wh") for row in made.rows)
        if rows != total:
            raise ROWS(side=side, rows=rows, total=total)
    return (
        f"Rows: {len(made.rows)}; they lie in the period, follow each other and add up to it.",
        f"共 {len(made.rows)} 行，均在本期内、先后有序，合计与总数一致。",
    )


def check_net(made: Statement) -> Said:
    """Net is supplied less consumed, and the verdict what that says; raises ``settlement.net``."""
    net_wh = made.supplied_wh - made.consumed_wh
    if made.net_wh != net_wh or made.verdict != verdict_of(net_wh, tolerance_wh=made.tolerance_wh):
        raise NET(net_wh=made.net_wh, verdict=made.verdict)
    en, zh = VERDICTS[made.verdict]
    within = f" (tolerance {made.tolerance_wh:,} Wh)" if made.tolerance_wh else ""
    within_zh = f"（容差 {made.tolerance_wh:,} 瓦时）" if made.tolerance_wh else ""
    return (
        f"Supplied less consumed is {net_wh:,} Wh: {en}{within}.",
        f"供电减用电为 {net_wh:,} 瓦时：{zh}{within_zh}。",
    )


def check_emissions(made: Statement) -> Said:
    """Each emission is energy times its factor; raises ``settlement.emission``."""
    for name, wh, factor_ug in (
        ("net_emission_g", made.net_wh, made.location_ug),
        ("location_based_g", made.consumed_wh, made.location_ug),
        ("market_based_g", made.consumed_wh, made.residual_ug),
    ):
        stated, follows = getattr(made, name), grams(wh, factor_ug)
        if stated != follows or factor_ug < 0:
            raise EMISSION(name=name, stated=stated, wh=wh, factor_ug=factor_ug, grams=follows)
    return (
        f"Emissions follow from {made.location_ug} and {made.residual_ug} µg/Wh, which the signed "
        f"statement gives for its factors: net {made.net_emission_g:,} g, consumption "
        f"{made.location_based_g:,} g location-based, {made.market_based_g:,} g market-based.",
        f"排放由结算单所载因子值 {made.location_ug} 与 {made.residual_ug} 微克/瓦时得出：净值 "
        f"{made.net_emission_g:,} 克；用电基于位置 {made.location_based_g:,} 克，"
        f"基于市场 {made.market_based_g:,} 克。",
    )


def check_differences(made: Statement) -> Said:
    """What is listed of meters follows and is in order; raises ``settlement.difference``."""
    listed = made.differences
    sums = {
        kind: sum(one.difference_wh for one in listed if one.kind == kind)
        for kind in ("supply", "consumption")
    }
    whole = len(listed) == made.meters_differing
    numbers = [one.number for one in listed]
    if (
        not all(_follows(one) for one in listed)
        or any(one >= following for one, following in pairwise(numbers))
        or len(listed) != min(made.meters_differing, MAX_LISTED)
        or (
            whole
            and (sums["supply"], sums["consumption"])
            != (made.unsettled_supply_wh, made.unsettled_consumption_wh)
        )
    ):
        raise DIFFERENCE()
    return (
        f"Meters of which more or less was reported than settled: {made.meters_differing} (listed: "
        f"{len(listed)}), {made.unsettled_supply_wh:,} Wh of supply and "
        f"{made.unsettled_consumption_wh:,} Wh of consumption in all.",
        f"上报与结算不符的表计：{made.meters_differing} 只（列出 {len(listed)} 只），供电相差 "
        f"{made.unsettled_supply_wh:,} 瓦时，用电相差 {made.unsettled_consumption_wh:,} 瓦时。",
    )


def _fits(made: Statement, row: StatementRow) -> bool:
    if not made.from_s <= row.start_s < row.end_s <= made.to_s:
        return False
    start_s, end_s = bucket_of(row.start_s, made.step, made.offset_s)
    net_wh = row.supplied_wh - row.consumed_wh
    return (
        row.start_s == max(start_s, made.from_s)
        and row.end_s == min(end_s, made.to_s)
        and row.supplied_wh >= 0
        and row.consumed_wh >= 0
        and row.net_wh == net_wh
        and row.verdict == verdict_of(net_wh, tolerance_wh=made.tolerance_wh)
    )


def _follows(one: Difference) -> bool:
    return one.difference_wh == one.metered_wh - one.settled_wh != 0
