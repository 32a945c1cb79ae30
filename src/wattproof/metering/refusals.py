"""Why a packet or a replacement is refused."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, OverLimit

__all__ = [
    "AMOUNT_LIMIT",
    "CLOCK_BACK",
    "CONFLICT",
    "DUPLICATE",
    "EMPTY",
    "FUTURE",
    "KIND_CHANGE",
    "MODULUS",
    "NEGATIVE_STEP",
    "NO_STREAM",
    "OUTCOME_REFUSALS",
    "OVERLAP",
    "QUALITY",
    "REGISTER_JUMP",
    "SEQUENCE_BACK",
    "TOO_MANY",
]

DUPLICATE = ErrorCode(
    Conflict,
    "metering.duplicate",
    en="Packet {sequence} is in the ledger already, with the same readings, as entry {entry}.",
    zh="第 {sequence} 个数据包已在账本中（条目 {entry}），读数相同。",
)
CONFLICT = ErrorCode(
    Conflict,
    "metering.conflict",
    en="Packet {sequence} is in the ledger already, with other readings, as entry {entry}.",
    zh="第 {sequence} 个数据包已在账本中（条目 {entry}），但读数不同。",
)
SEQUENCE_BACK = ErrorCode(
    Conflict,
    "metering.sequence_back",
    en="Sequence number {sequence} has been passed; the next packet is number {expected}.",
    zh="序号 {sequence} 已被越过，下一个数据包的序号应为 {expected}。",
)
OVERLAP = ErrorCode(
    Conflict,
    "metering.overlap",
    en="The packet begins at {start_s:time}, but readings up to {end_s:time} are in the ledger "
    "already.",
    zh="数据包起始于 {start_s:time}，但账本中已有截至 {end_s:time} 的读数。",
)
CLOCK_BACK = ErrorCode(
    Conflict,
    "metering.clock_back",
    en="The register goes on from the last packet, but the meter's clock went back by {seconds} s.",
    zh="表底数与上一数据包连续，但表计时钟倒退了 {seconds} 秒。",
)
REGISTER_JUMP = ErrorCode(
    Conflict,
    "metering.register_jump",
    en="The register jumped from {closing} to {opening} although no time passed.",
    zh="时间未推移，表底数却由 {closing} 跳变为 {opening}。",
)
NEGATIVE_STEP = ErrorCode(
    Conflict,
    "metering.negative_step",
    en="The register went down from {closing} to {opening}; a new register must be declared first.",
    zh="表底数由 {closing} 减小为 {opening}；如已换表须先申报。",
)
KIND_CHANGE = ErrorCode(
    Conflict,
    "metering.kind_change",
    en="This meter's readings are of kind {kind}; they cannot become {given}.",
    zh="该表计的读数类型为 {kind}，不能改为 {given}。",
)
FUTURE = ErrorCode(
    Conflict,
    "metering.future",
    en="The readings end {seconds} s ahead of the ledger's clock; at most {limit} s is allowed.",
    zh="读数结束时间超前账本时钟 {seconds} 秒，上限为 {limit} 秒。",
)
TOO_MANY = ErrorCode(
    OverLimit,
    "metering.too_many",
    en="A packet holds at most {limit} readings, not {count}.",
    zh="一个数据包最多含 {limit} 个读数，不能有 {count} 个。",
)
EMPTY = ErrorCode(
    Malformed,
    "metering.empty",
    en="A packet without readings may only state the register at the start or after a gap.",
    zh="无读数的数据包只能用于申报起始或间隔之后的表底数。",
)
QUALITY = ErrorCode(
    Malformed,
    "metering.quality",
    en="The quality is either empty or one known code for each of the {count} readings.",
    zh="质量码须为空，或与 {count} 个读数一一对应且为已知代码。",
)
AMOUNT_LIMIT = ErrorCode(
    OverLimit,
    "metering.amount_limit",
    en="The amounts or the register come to more than 2^62 base units.",
    zh="电量合计或表底数超过 2^62 个基本单位。",
)
MODULUS = ErrorCode(
    Malformed,
    "metering.modulus",
    en="A register that rolls over at {modulus} cannot show {register}.",
    zh="在 {modulus} 处翻转的计度器不可能显示 {register}。",
)
NO_STREAM = ErrorCode(
    NotFound,
    "metering.no_stream",
    en="Meter {device} has not reported yet, so there is no register to replace.",
    zh="表计 {device} 尚无上报，无表可换。",
)

OUTCOME_REFUSALS: Final = (
    DUPLICATE, CONFLICT, SEQUENCE_BACK, OVERLAP, CLOCK_BACK, REGISTER_JUMP, NEGATIVE_STEP,
    KIND_CHANGE, FUTURE,
)  # fmt: skip
"""The refusals that are outcomes of `model.OUTCOMES`."""
