"""What settlement makes happen; the trades are in `Settled`."""

from __future__ import annotations

import msgspec

from wattproof.ledger.machine import Event, event

__all__ = [
    "ContractAccepted",
    "ContractOffered",
    "HourSum",
    "PoolDrawn",
    "RegionDefined",
    "RunClosed",
    "RunOpened",
    "Settled",
    "StatementFiled",
    "TariffAssigned",
    "TariffPublished",
    "Trade",
    "WalletFrozen",
    "WalletLimited",
    "WalletPaid",
    "WalletToppedUp",
    "WalletUnfrozen",
]


class Trade(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A trade: one meter's energy of `hours` hours of a local day from `first_s` on, against money.

    `trade` counts the meter's trades from 1. `fen` is what the energy costs, `paid_fen` what
    changed hands (what was due from before included), `due_fen` what is due after it. A trade of no
    hours pays what was due, and no more. `previous` is the log entry of the last batch before this
    one in which the meter has a trade, -1 where this is the first.
    """

    meter: int
    trade: int
    first_s: int
    hours: int
    wh: int
    fen: int
    paid_fen: int
    due_fen: int
    previous: int


class HourSum(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a batch settled of one hour."""

    start_s: int
    supplied_wh: int
    consumed_wh: int


@event(
    "settlement.region.defined",
    en="{operator} settles region {region}",
    zh="{operator} 负责 {region} 地区结算",
)
class RegionDefined(Event):
    """A region is settled from now on."""

    region: str
    operator: str


@event(
    "settlement.tariff.published",
    en="Tariff {tariff} of {region} holds from {from_s:time} on",
    zh="{region} 的电价 {tariff} 自 {from_s:time} 起执行",
)
class TariffPublished(Event):
    """A tariff has new prices."""

    region: str
    tariff: str
    from_s: int


@event(
    "settlement.tariff.assigned",
    en="{device} is settled by tariff {tariff}",
    zh="{device} 按电价 {tariff} 结算",
)
class TariffAssigned(Event):
    """A meter has a tariff of its own."""

    device: str
    tariff: str


@event(
    "settlement.contract.offered",
    en="{supplier} offers {consumer} contract {contract}",
    zh="{supplier} 向 {consumer} 提出合同 {contract}",
)
class ContractOffered(Event):
    """A contract waits to be accepted."""

    contract: str
    supplier: str
    consumer: str


@event(
    "settlement.contract.accepted",
    en="{consumer} accepted contract {contract} of {supplier}",
    zh="{consumer} 接受了 {supplier} 的合同 {contract}",
)
class ContractAccepted(Event):
    """A contract holds."""

    contract: str
    supplier: str
    consumer: str


@event(
    "settlement.wallet.topped_up",
    en="The wallet of {device} was topped up by {amount} of {asset}",
    zh="{device} 的钱包充入 {amount}（{asset}）",
)
class WalletToppedUp(Event):
    """Money came into a wallet."""

    device: str
    asset: str
    amount: int


@event(
    "settlement.wallet.paid",
    en="{by} paid {amount} of {asset} from the wallet of {device} to {target}",
    zh="{by} 从 {device} 的钱包向 {target} 支付 {amount}（{asset}）",
)
class WalletPaid(Event):
    """Money went out of a wallet."""

    device: str
    by: str
    target: str
    asset: str
    amount: int


@event(
    "settlement.wallet.limited",
    en="The {whose}'s limit on the wallet of {device} is {fen_per_day} fen a day",
    zh="{device} 钱包（{whose}）限额为每日 {fen_per_day} 分",
)
class WalletLimited(Event):
    """A limit is as given here."""

    device: str
    whose: str
    fen_per_day: int


@event(
    "settlement.wallet.frozen",
    en="{by} froze the wallet of {device}",
    zh="{by} 冻结了 {device} 的钱包",
)
class WalletFrozen(Event):
    """Nothing is paid from a wallet."""

    device: str
    by: str


@event(
    "settlement.wallet.unfrozen",
    en="{by} released the wallet of {device}",
    zh="{by} 解冻了 {device} 的钱包",
)
class WalletUnfrozen(Event):
    """Payments go again."""

    device: str
    by: str


@event(
    "settlement.pool.drawn",
    en="{by} drew {amount} of {asset} out of the pool of {region} into {target}",
    zh="{by} 从 {region} 资金池提取 {amount}（{asset}）至 {target}",
)
class PoolDrawn(Event):
    """Money went out of a region's pool to who settles it."""

    region: str
    by: str
    target: str
    asset: str
    amount: int


@event(
    "settlement.run.opened",
    en="Run {run} of {region} was opened",
    zh="{region} 第 {run} 次结算已开始",
)
class RunOpened(Event):
    """A run goes through the meters, for hours that end up to `until_s`."""

    region: str
    run: int
    until_s: int


@event(
    "settlement.settled",
    en="Run {run} of {region}: {supply_wh} Wh bought, {consumption_wh} Wh sold",
    zh="{region} 第 {run} 次结算：购入 {supply_wh} 瓦时，售出 {consumption_wh} 瓦时",
)
class Settled(Event):
    """Trades of a batch: `supply` of the first kind, `consumption` of the second.

    `hours` are their sums by the hour. `previous` is the log entry of the region's batch before, -1
    where this is the first: a region's value follows from these records alone. `left_out` are the
    meters with an hour for which their tariff has no price: all of theirs waits for another run.
    """

    region: str
    run: int
    supply_wh: int
    consumption_wh: int
    supply: tuple[Trade, ...]
    consumption: tuple[Trade, ...]
    hours: tuple[HourSum, ...]
    previous: int
    left_out: tuple[int, ...] = ()


@event(
    "settlement.run.closed",
    en="Run {run} of {region} is over: {trades} trades",
    zh="{region} 第 {run} 次结算已结束，共 {trades} 笔交易",
)
class RunClosed(Event):
    """A run is over."""

    region: str
    run: int
    trades: int


@event(
    "settlement.statement.filed",
    en="Settlement statement {statement} of {region} is on the ledger: net {net_wh} Wh",
    zh="{region} 第 {statement} 号结算单已入账：净值 {net_wh} 瓦时",
)
class StatementFiled(Event):
    """The digest of a statement is on the ledger; the contract agrees to its sums."""

    region: str
    statement: int
    supplied_wh: int
    consumed_wh: int
    net_wh: int
    verdict: str
