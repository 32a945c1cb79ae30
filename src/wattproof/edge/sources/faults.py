"""What can be wrong with a meter, its line or its answer: the errors that all sources share.

A line that is down or a meter that does not answer is `Unavailable`: the next read may work. An
answer that came but cannot be true is `Malformed`: it is never turned into a number.
"""

from __future__ import annotations

from wattproof.core.errors import ErrorCode, Malformed, NotFound, OverLimit, Unavailable

__all__ = [
    "ABSENT",
    "CHECKSUM",
    "FORM",
    "HALF",
    "LENGTH",
    "NOT_FINITE",
    "NOT_NUMBER",
    "NO_LINE",
    "OTHER_METER",
    "OVERSIZED",
    "REFUSAL",
    "REFUSED",
    "RESET",
    "SETTING",
    "SILENT",
    "UNIT",
]

SETTING = ErrorCode(
    Malformed,
    "edge.source.setting",
    en="The setting {key} = {value} does not fit: {why}.",
    zh="设置 {key} = {value} 不适用：{why_zh}。",
)
NO_LINE = ErrorCode(
    Unavailable,
    "edge.line.none",
    en="There is no way to {where}: {reason}.",
    zh="无法到达 {where}：{reason}。",
)
REFUSED = ErrorCode(
    Unavailable,
    "edge.line.refused",
    en="{where} refuses the connection: nothing listens there.",
    zh="{where} 拒绝连接：该处没有服务在监听。",
)
RESET = ErrorCode(
    Unavailable,
    "edge.line.reset",
    en="{where} closed the connection after {count} bytes of an answer.",
    zh="{where} 在应答 {count} 字节后关闭了连接。",
)
SILENT = ErrorCode(
    Unavailable,
    "edge.line.silent",
    en="{where} did not answer within {seconds} s.",
    zh="{where} 在 {seconds} 秒内没有应答。",
)
HALF = ErrorCode(
    Malformed,
    "edge.frame.half",
    en="{where} sent {count} bytes and then nothing more within {seconds} s: half a frame.",
    zh="{where} 发送 {count} 字节后在 {seconds} 秒内再无数据：帧不完整。",
)
CHECKSUM = ErrorCode(
    Malformed,
    "edge.frame.checksum",
    en="The checksum of the frame is {found}, but its bytes give {computed}.",
    zh="帧的校验值为 {found}，而按其内容计算应为 {computed}。",
)
LENGTH = ErrorCode(
    Malformed,
    "edge.frame.length",
    en="The answer has {found} bytes where {expected} belong.",
    zh="应答有 {found} 字节，应为 {expected} 字节。",
)
FORM = ErrorCode(
    Malformed,
    "edge.frame.form",
    en="The answer is not in the form of {protocol}: {detail}.",
    zh="应答不符合 {protocol} 的格式：{detail}。",
)
OTHER_METER = ErrorCode(
    Malformed,
    "edge.frame.other_meter",
    en="Meter {found} answered where {asked} was asked.",
    zh="询问的是表计 {asked}，应答的却是 {found}。",
)
REFUSAL = ErrorCode(
    Malformed,
    "edge.frame.refusal",
    en="The meter refuses to answer: {reason}.",
    zh="表计拒绝应答：{reason}。",
)
ABSENT = ErrorCode(
    NotFound,
    "edge.value.absent",
    en="The answer holds no {what}.",
    zh="应答中没有 {what}。",
)
NOT_NUMBER = ErrorCode(
    Malformed,
    "edge.value.not_number",
    en="{value} is not a number.",
    zh="{value} 不是数。",
)
NOT_FINITE = ErrorCode(
    Malformed,
    "edge.value.not_finite",
    en="The meter gives {value}, which is not a finite number.",
    zh="表计给出 {value}，不是有限的数。",
)
UNIT = ErrorCode(
    Malformed,
    "edge.value.unit",
    en="The meter gives the unit {found}, which cannot be taken here; expected: {expected}.",
    zh="表计给出的单位 {found} 在此不可用；应为：{expected}。",
)
OVERSIZED = ErrorCode(
    OverLimit,
    "edge.frame.oversized",
    en="{where} sends more than {limit} bytes.",
    zh="{where} 发送的数据超过 {limit} 字节。",
)
