"""Why a factor or its assignment is refused."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, OverLimit

__all__ = [
    "CO2_ALREADY",
    "LIMIT",
    "MISMATCH",
    "NO_FACTOR",
    "OVERLAP",
    "PERIOD",
    "QUANTITY_FORM",
    "REPORTED",
    "TOO_MANY",
    "UNITY_TAKEN",
]

UNITY_TAKEN = ErrorCode(
    Conflict,
    "emissions.unity",
    en="The id {id} is kept for what is CO2 already: one gram a gram, and nothing else.",
    zh="标识 {id} 保留给本身即为二氧化碳的量，只能为每克一克。",
)
QUANTITY_FORM = ErrorCode(
    Malformed,
    "emissions.quantity",
    en="Factor {id} applies to {quantity}, which must be written {canonical}.",
    zh="排放因子 {id} 适用的量 {quantity} 应写作 {canonical}。",
)
NO_FACTOR = ErrorCode(
    NotFound,
    "emissions.no_factor",
    en="There is no factor {factor} in version {version}.",
    zh="没有排放因子 {factor} 的第 {version} 版。",
)
MISMATCH = ErrorCode(
    Conflict,
    "emissions.mismatch",
    en="Factor {factor} is for {applies}, but {device} measures {quantity}.",
    zh="排放因子 {factor} 适用于 {applies}，而 {device} 计量的是 {quantity}。",
)
CO2_ALREADY = ErrorCode(
    Conflict,
    "emissions.co2_already",
    en="{device} measures CO2 itself and is counted as it is; it takes no factor.",
    zh="{device} 直接计量二氧化碳，按原值计入，无需排放因子。",
)
PERIOD = ErrorCode(
    Malformed,
    "emissions.period",
    en="The assignment must end after it begins at {from_s:time}, or have no end.",
    zh="指定期限的结束须晚于起始 {from_s:time}，或不设结束。",
)
REPORTED = ErrorCode(
    Conflict,
    "emissions.reported",
    en="{device} has readings up to {end_s:time} already; a factor can begin no earlier than that.",
    zh="{device} 已有截至 {end_s:time} 的读数，排放因子的起始不得早于此时。",
)
OVERLAP = ErrorCode(
    Conflict,
    "emissions.overlap",
    en="Factor {factor} is assigned to {device} from {from_s:time} to {to_s:time} (0: no end) "
    "already.",
    zh="{device} 在 {from_s:time} 至 {to_s:time}（0 为不设结束）已指定排放因子 {factor}。",
)
TOO_MANY = ErrorCode(
    OverLimit,
    "emissions.too_many",
    en="{device} has {limit} assignments in force or to come; more are not taken.",
    zh="{device} 生效中及将生效的指定已达 {limit} 个上限。",
)
LIMIT = ErrorCode(
    OverLimit,
    "emissions.limit",
    en="The emission of this packet comes to more than 2^62 micrograms.",
    zh="该数据包的排放量超过 2^62 微克。",
)
