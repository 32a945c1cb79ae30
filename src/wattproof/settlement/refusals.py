"""Why something is refused in settlement."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, OverLimit, Unauthorised

__all__ = [
    "BANDS",
    "BATCH_ORDER",
    "BATCH_SIZE",
    "CONTRACT_PRICE",
    "CONTRACT_TAKEN",
    "CONTRACT_UNKNOWN",
    "FACTOR_UNKNOWN",
    "FROZEN",
    "IN_ARREARS",
    "MOVE",
    "NOT_MONEY",
    "NOT_OPERATOR",
    "NOT_THIS_KIND",
    "NOT_YOURS",
    "OVER_LIMIT",
    "PERIOD",
    "POOL_EMPTY",
    "POOL_OWES",
    "REGION_TAKEN",
    "REGION_UNKNOWN",
    "REGION_WAITS",
    "RUN_AHEAD",
    "RUN_GONE",
    "RUN_OPEN",
    "SETTLED_ALREADY",
    "SOURCE",
    "STATEMENT_AHEAD",
    "STATEMENT_BEHIND",
    "STATEMENT_DAYS",
    "STATEMENT_SUMS",
    "TARGET",
    "TARIFF_UNKNOWN",
    "TOO_MANY_CONTRACTS",
    "TOO_MUCH",
    "UNSETTLED",
]

REGION_TAKEN = ErrorCode(
    Conflict,
    "settlement.region_taken",
    en="Region {region} is settled by {operator} already.",
    zh="{region} 地区已由 {operator} 负责结算。",
)
REGION_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.region_unknown",
    en="Region {region} is not settled here.",
    zh="本账本不结算 {region} 地区。",
)
NOT_OPERATOR = ErrorCode(
    Unauthorised,
    "settlement.not_operator",
    en="{operator} settles region {region}, not {party}.",
    zh="{region} 地区由 {operator} 结算，而非 {party}。",
)
NOT_MONEY = ErrorCode(
    Conflict,
    "settlement.not_money",
    en="{asset} is not money counted in fen.",
    zh="{asset} 不是以分计的资金。",
)
FACTOR_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.factor_unknown",
    en="There is no factor {factor} for electricity on the ledger.",
    zh="账本上没有电力排放因子 {factor}。",
)
TARIFF_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.tariff_unknown",
    en="Region {region} has no tariff {tariff}.",
    zh="{region} 地区没有电价 {tariff}。",
)
BANDS = ErrorCode(
    Malformed,
    "settlement.bands",
    en="A tariff's bands begin at 0 and at whole hours, in order.",
    zh="电价时段须自 0 点起，按整点先后排列。",
)
SETTLED_ALREADY = ErrorCode(
    Conflict,
    "settlement.settled_already",
    en="Region {region} is settled up to {settled_s:time}; prices can change only after that.",
    zh="{region} 地区已结算至 {settled_s:time}，价格只能在此之后变更。",
)
CONTRACT_TAKEN = ErrorCode(
    Conflict,
    "settlement.contract_taken",
    en="Contract {contract} exists already.",
    zh="合同 {contract} 已存在。",
)
CONTRACT_PRICE = ErrorCode(
    Conflict,
    "settlement.contract_price",
    en="Contract {contract} is at {price} micro-fen per Wh; the region buys and sells for "
    "{low} to {high} in that time.",
    zh="合同 {contract} 的价格为每瓦时 {price} 微分，超出该地区同期购售电价（{low} 至 {high}）。",
)
CONTRACT_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.contract_unknown",
    en="No contract {contract} waits to be accepted.",
    zh="没有待接受的合同 {contract}。",
)
TOO_MANY_CONTRACTS = ErrorCode(
    OverLimit,
    "settlement.contracts",
    en="{device} has {limit} contracts already.",
    zh="{device} 的合同已达 {limit} 个上限。",
)
NOT_THIS_KIND = ErrorCode(
    Conflict,
    "settlement.not_this_kind",
    en="{device} is no meter of {kind} in a region that is settled.",
    zh="{device} 不是结算地区内的 {kind} 表计。",
)
NOT_YOURS = ErrorCode(
    Unauthorised,
    "settlement.not_yours",
    en="{device} does not belong to {party}.",
    zh="{device} 不属于 {party}。",
)
PERIOD = ErrorCode(
    Malformed,
    "settlement.period",
    en="The end must come after the beginning, both at whole hours of the region's local time.",
    zh="结束须晚于起始，且均为该地区当地时间的整点。",
)
FROZEN = ErrorCode(
    Conflict,
    "settlement.wallet_frozen",
    en="The wallet of {device} is frozen by {party}.",
    zh="{device} 的钱包已被 {party} 冻结。",
)
IN_ARREARS = ErrorCode(
    Conflict,
    "settlement.in_arrears",
    en="{device} owes {due} fen for what it used; that is paid first, by the next run.",
    zh="{device} 尚欠用电款 {due} 分，须先由下一次结算付清。",
)
OVER_LIMIT = ErrorCode(
    OverLimit,
    "settlement.wallet_limit",
    en="{amount} fen would exceed the limit of {limit} fen a day; {paid} fen were paid today.",
    zh="支付 {amount} 分将超过每日 {limit} 分的限额；今日已付 {paid} 分。",
)
SOURCE = ErrorCode(
    Unauthorised,
    "settlement.top_up_source",
    en="{party} neither issues {asset} nor owns the account {source}.",
    zh="{party} 既不是 {asset} 的发行方，也不拥有账户 {source}。",
)
TARGET = ErrorCode(
    Malformed,
    "settlement.pay_target",
    en="A payment goes to one account or to one device, another than the payer.",
    zh="付款须指向一个账户或一台设备，且不能是付款方自身。",
)
POOL_OWES = ErrorCode(
    Conflict,
    "settlement.pool_owes",
    en="The pool of {region} owes suppliers {owed} fen; they are paid first, by the next run.",
    zh="{region} 资金池尚欠供电方 {owed} 分，须先由下一次结算付清。",
)
POOL_EMPTY = ErrorCode(
    Conflict,
    "settlement.pool_amount",
    en="The pool of {region} holds {held} fen; {amount} fen cannot be drawn.",
    zh="{region} 资金池余额为 {held} 分，不能提取 {amount} 分。",
)
RUN_OPEN = ErrorCode(
    Conflict,
    "settlement.run_open",
    en="Run {run} of {region} is open; go on with it or close it.",
    zh="{region} 第 {run} 次结算尚未结束，请继续或结束该次结算。",
)
RUN_GONE = ErrorCode(
    Conflict,
    "settlement.run_not_open",
    en="Run {run} of {region} is not open.",
    zh="{region} 第 {run} 次结算未在进行。",
)
RUN_AHEAD = ErrorCode(
    Conflict,
    "settlement.run_ahead",
    en="Hours up to {until_s:time} are not over yet; it is {now_s:time}.",
    zh="截至 {until_s:time} 的时段尚未结束，现在是 {now_s:time}。",
)
BATCH_ORDER = ErrorCode(
    Conflict,
    "settlement.batch_order",
    en="Meter {meter} does not go on from meter {reached}, where the run is.",
    zh="表计 {meter} 与结算进度（表计 {reached}）不衔接。",
)
BATCH_SIZE = ErrorCode(
    OverLimit,
    "settlement.batch_size",
    en="A batch holds 1 to {limit} meters.",
    zh="每批为 1 至 {limit} 只表计。",
)
UNSETTLED = ErrorCode(
    OverLimit,
    "settlement.unsettled",
    en="{hours} hours of {device} would wait to be settled; at most {limit} may.",
    zh="{device} 将有 {hours} 小时待结算，上限为 {limit}。",
)
TOO_MUCH = ErrorCode(
    OverLimit,
    "settlement.too_much",
    en="{device} would have reported {wh} Wh to be traded; a meter may trade {limit} Wh in all.",
    zh="{device} 累计上报的交易电量将达 {wh} 瓦时，单只表计上限为 {limit} 瓦时。",
)
STATEMENT_AHEAD = ErrorCode(
    Conflict,
    "settlement.statement_entries",
    en="The statement is of {entries} log entries, but there are only {size}.",
    zh="结算单依据 {entries} 条日志，而日志只有 {size} 条。",
)
STATEMENT_BEHIND = ErrorCode(
    Conflict,
    "settlement.statement_behind",
    en="The statement is of {entries} log entries; entry {entry} has settled more since.",
    zh="结算单依据 {entries} 条日志，而第 {entry} 条之后又有结算。",
)
STATEMENT_DAYS = ErrorCode(
    Malformed,
    "settlement.statement_days",
    en="A statement is of 1 to {limit} whole days of the region's local time.",
    zh="结算单须为该地区当地时间的 1 至 {limit} 个整日。",
)
STATEMENT_SUMS = ErrorCode(
    Conflict,
    "settlement.statement_sums",
    en="The trades of this period are {supplied_wh} Wh supplied and {consumed_wh} Wh consumed.",
    zh="该期间的交易合计为供电 {supplied_wh} 瓦时、用电 {consumed_wh} 瓦时，与所报不符。",
)
MOVE = ErrorCode(
    Unauthorised,
    "settlement.move",
    en="{device} trades in {region}; only a metering authority puts it into another.",
    zh="{device} 在 {region} 参与结算，只能由计量机构转至其他地区。",
)
REGION_WAITS = ErrorCode(
    Conflict,
    "settlement.region_waits",
    en="{device} has hours or money to be settled in {region} before it trades elsewhere.",
    zh="{device} 在 {region} 尚有待结算电量或款项，结清后方可转至其他地区。",
)
