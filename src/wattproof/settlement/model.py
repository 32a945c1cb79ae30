"""Settlement's transactions: regions, tariffs, contracts, wallets, runs, and statements.

A *region* buys from its suppliers and sells to its consumers through a *pool*. What meters report
is added up by the hour as their *usage*; a *run* turns usage into trades: energy goes into the pool
and out of it, money the other way, in one posting. Money is whole fen, energy whole Wh; prices are
in micro-fen per Wh (0.5 CNY/kWh is 50 000), and what is below a fen is carried to the meter's next
trade.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body, Part, transaction

__all__ = [
    "DAY_S",
    "HOUR_S",
    "KINDS",
    "MAX_BANDS",
    "MAX_BATCH",
    "MAX_DAYS",
    "MAX_HOURS",
    "MAX_METER_WH",
    "MAX_NUMBER",
    "MAX_PRICE_UFEN",
    "QUANTITIES",
    "UFEN_PER_FEN",
    "AcceptContract",
    "AssignTariff",
    "Band",
    "BatchRun",
    "CloseRun",
    "DefineRegion",
    "DrawPool",
    "FileStatement",
    "FreezeWallet",
    "Kind",
    "LimitWallet",
    "OfferContract",
    "OpenRun",
    "PayFromWallet",
    "PublishTariff",
    "StatementStep",
    "TopUpWallet",
    "UnfreezeWallet",
    "Verdict",
]

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
UFEN_PER_FEN: Final = 1_000_000
"""Micro-fen in a fen."""
MAX_PRICE_UFEN: Final = 10**9
"""The highest price: 10 000 CNY/kWh."""
MAX_BANDS: Final = 48
"""Bands of a tariff's day at most."""
MAX_BATCH: Final = 4_000
"""Meters in one batch of a run at most."""
MAX_NUMBER: Final = 2**53
"""No meter has a higher number."""
MAX_HOURS: Final = 24 * 400
"""Hours that a meter's usage may wait for a run; more are refused with the packet."""
MAX_METER_WH: Final = 2**53 - 1
"""What one meter may trade in all its life: the largest power station's energy of ninety years. A
region's energy has room for hundreds of meters that say so, and no one of them stops its runs."""
MAX_DAYS: Final = 3 * 366
"""Days of a statement at most."""

Kind = Literal["supply", "consumption"]
"""The two kinds of trades: what is bought from suppliers, what consumers spend."""
KINDS: Final[tuple[Kind, Kind]] = ("supply", "consumption")
QUANTITIES: Final[dict[str, Kind]] = {
    "electricity.export": "supply",
    "electricity.import": "consumption",
}
"""Which meters trade: what is fed into the grid is supply, what is taken from it consumption."""
Verdict = Literal["positive", "neutral", "negative"]
"""What a region's net value says: it supplies more than it consumes, the same, or less."""
StatementStep = Literal["hour", "day", "month"]
"""How finely a statement is divided."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Memo = Annotated[str, Meta(max_length=128)]
Fen = Annotated[int, Meta(ge=1, le=2**53)]
Limit = Annotated[int, Meta(ge=0, le=2**53)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Price = Annotated[int, Meta(ge=0, le=MAX_PRICE_UFEN)]
Offset = Annotated[int, Meta(ge=-86_400, le=86_400)]


@transaction(
    "settlement.region.define",
    1,
    by=("grid_company",),
    en="Define a settlement region",
    zh="设立结算地区",
)
class DefineRegion(Body):
    """The grid company that signs settles the devices associated with this region.

    `money` is an asset in fen. `offset_s` is the region's local time ahead of UTC, by which days
    and a tariff's hours are told. `location_factor` and `residual_factor` name factors on the
    ledger, with their versions (``cn-grid-2023-sh@1``), for the emissions beside the net value;
    the verdict is neutral while the net value is within `tolerance_wh`. `supply_tariff` and
    `consumption_tariff` apply where nothing else does.
    """

    region: Id
    money: Id
    offset_s: Offset
    tolerance_wh: Annotated[int, Meta(ge=0, le=2**53)]
    location_factor: Annotated[str, Meta(max_length=80)]
    residual_factor: Annotated[str, Meta(max_length=80)]
    supply_tariff: Id
    consumption_tariff: Id


class Band(Part):
    """A price from a second of the local day on."""

    from_s: Annotated[int, Meta(ge=0, le=86_399)]
    price_ufen: Price


@transaction(
    "settlement.tariff.publish",
    1,
    by=("grid_company",),
    en="Publish a tariff",
    zh="发布电价",
)
class PublishTariff(Body):
    """A tariff of the region: one band is a fixed price, several are times of use.

    Bands begin at 0 and at whole hours, in order. A tariff that exists is replaced for hours that
    begin from `from_s` on, which must lie behind all that was settled, or before its first prices.
    """

    region: Id
    id: Id
    from_s: Instant
    bands: Annotated[tuple[Band, ...], Meta(min_length=1, max_length=MAX_BANDS)]


@transaction(
    "settlement.tariff.assign",
    1,
    by=("grid_company",),
    en="Assign a tariff to a meter",
    zh="为表计指定电价",
)
class AssignTariff(Body):
    """Settle what this meter has not been settled for yet by a tariff of its own (empty: by the
    region's)."""

    device: Id
    tariff: Annotated[str, Meta(max_length=64)]


@transaction(
    "settlement.contract.offer",
    1,
    by=("supplier",),
    en="Offer a bilateral contract",
    zh="提出双边合同",
)
class OfferContract(Body):
    """A supplier offers so much energy an hour at a price, from one of its meters to another's.

    `supply` is the number of the supplier's meter, `consumption` that of the consumer's. Up to
    `wh_per_hour` of what each of them reports in an hour is settled at `price_ufen`, the rest by
    tariff.
    """

    id: Id
    supply: Id
    consumption: Id
    wh_per_hour: Annotated[int, Meta(ge=1, le=2**53)]
    price_ufen: Price
    from_s: Instant
    to_s: Instant


@transaction(
    "settlement.contract.accept",
    1,
    by=("consumer",),
    en="Accept a bilateral contract",
    zh="接受双边合同",
)
class AcceptContract(Body):
    """The owner of the consuming meter accepts; the contract holds from then on."""

    id: Id


@transaction(
    "settlement.wallet.top_up", 1, by=("bank",), en="Top up a meter's wallet", zh="为表计钱包充值"
)
class TopUpWallet(Body):
    """Money into a meter's wallet: newly issued by the asset's issuer, or out of `source`."""

    device: Id
    asset: Id
    amount: Fen
    source: Annotated[str, Meta(max_length=64)]
    memo: Memo


@transaction(
    "settlement.wallet.pay",
    1,
    by=("device", "party"),
    en="Pay from a meter's wallet",
    zh="从表计钱包付款",
)
class PayFromWallet(Body):
    """The meter itself, or within limits its owner, pays into an account.

    `target` is an account of the book, or with `to_device` the wallet of that device.
    """

    device: Id
    target: Annotated[str, Meta(max_length=64)]
    to_device: Annotated[str, Meta(max_length=64)]
    asset: Id
    amount: Fen
    memo: Memo


@transaction("settlement.wallet.limit", 1, by=("party",), en="Limit a wallet", zh="设定钱包限额")
class LimitWallet(Body):
    """What may be paid from a wallet in a day: by the meter's key (set by its owner), or by its
    owner (set by a bank or a grid company)."""

    device: Id
    whose: Literal["device", "owner"]
    fen_per_day: Limit


@transaction(
    "settlement.wallet.freeze",
    1,
    by=("bank", "grid_company", "registrar"),
    en="Freeze a wallet",
    zh="冻结钱包",
)
class FreezeWallet(Body):
    """Nothing is paid from the wallet; what its meter uses is still settled."""

    device: Id
    reason: Memo


@transaction(
    "settlement.wallet.unfreeze",
    1,
    by=("bank", "grid_company", "registrar"),
    en="Unfreeze a wallet",
    zh="解冻钱包",
)
class UnfreezeWallet(Body):
    """Payments go again."""

    device: Id


@transaction(
    "settlement.pool.draw",
    1,
    by=("grid_company",),
    en="Draw money out of a region's pool",
    zh="从地区资金池提取资金",
)
class DrawPool(Body):
    """The grid company takes what is left to it out of the pool, into an account of its own.

    Not while a run is open, nor while the pool owes suppliers, nor more than there is.
    """

    region: Id
    target: Id
    amount: Fen
    memo: Memo


@transaction(
    "settlement.run.open", 1, by=("grid_company",), en="Open a settlement run", zh="开始结算批次"
)
class OpenRun(Body):
    """Begin to settle the usage of a region's meters in hours that end up to `until_s`."""

    region: Id
    until_s: Instant


@transaction(
    "settlement.run.batch",
    1,
    by=("grid_company",),
    en="Settle a batch of meters",
    zh="结算一批表计",
)
class BatchRun(Body):
    """Settle these meters, by their numbers, ascending, where the run is at meter `after`.

    What each of them owes or is owed the contract works out itself.
    """

    region: Id
    run: Annotated[int, Meta(ge=1, le=2**31)]
    after: Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
    meters: UintArray


@transaction(
    "settlement.run.close", 1, by=("grid_company",), en="Close a settlement run", zh="结束结算批次"
)
class CloseRun(Body):
    """The run is over."""

    region: Id
    run: Annotated[int, Meta(ge=1, le=2**31)]


@transaction(
    "settlement.statement.file",
    1,
    by=("grid_company",),
    en="File a settlement statement",
    zh="提交结算单",
)
class FileStatement(Body):
    """Put the digest of a region's statement on the ledger.

    It is of the local days from `from_s` up to `to_s`, divided by `step`, after the log's first
    `entries` entries. The sums and the numbers of trades must be those of the trades that the
    ledger has of these days, and no batch may have come since: what is filed the contract agrees
    to. `digest` is SHA-256 of the statement's bytes, which anyone can make again.
    """

    region: Id
    from_s: Instant
    to_s: Instant
    step: StatementStep
    entries: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    supplied_wh: Annotated[int, Meta(ge=0, le=2**62)]
    consumed_wh: Annotated[int, Meta(ge=0, le=2**62)]
    trades_supply: Annotated[int, Meta(ge=0, le=2**53)]
    trades_consumption: Annotated[int, Meta(ge=0, le=2**53)]
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]
