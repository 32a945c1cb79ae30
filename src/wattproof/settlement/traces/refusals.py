"""Why an epoch, a copy of its key or a batch of trace codes is refused, or cannot be read."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, Unauthorised

__all__ = [
    "ABOUT",
    "COPY_TWICE",
    "EPOCH_TWICE",
    "EPOCH_UNKNOWN",
    "HOLDER",
    "NOT_OPENER",
    "NOT_THE_KEY",
    "NUMBER",
    "ROWS",
    "TOKENS",
]

EPOCH_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.key.unknown",
    en="There is no epoch of a trace key with the id {key}.",
    zh="没有标识为 {key} 的溯源码密钥周期。",
)
EPOCH_TWICE = ErrorCode(
    Conflict,
    "settlement.key.twice",
    en="There is an epoch with the id {key} already; ids are random.",
    zh="已存在标识为 {key} 的周期；标识应随机产生。",
)
NOT_OPENER = ErrorCode(
    Unauthorised,
    "settlement.key.not_opener",
    en="Epoch {key} was opened by another party, which alone publishes in it and grants its key.",
    zh="周期 {key} 由其他主体启用，只有该主体可以发布溯源码和授予密钥。",
)
HOLDER = ErrorCode(
    Conflict,
    "settlement.key.holder",
    en="{party} is not an active party and cannot be given a key.",
    zh="{party} 不是有效主体，不能授予密钥。",
)
COPY_TWICE = ErrorCode(
    Malformed,
    "settlement.key.copy_twice",
    en="{party} is named twice among those who get the key.",
    zh="{party} 在密钥授予对象中出现两次。",
)
NOT_THE_KEY = ErrorCode(
    Conflict,
    "settlement.key.not_the_key",
    en="What was wrapped for {party} is not the key of epoch {key}; ask its opener for another.",
    zh="封装给 {party} 的内容不是周期 {key} 的密钥，请向启用方重新索取。",
)
ABOUT = ErrorCode(
    Malformed,
    "settlement.key.about",
    en="What an epoch is about has at most {limit} bytes with its region; this has {bytes}.",
    zh="周期说明连同地区至多 {limit} 字节，实为 {bytes} 字节。",
)
NUMBER = ErrorCode(
    Conflict,
    "settlement.trace.number",
    en="The next batch of epoch {key} has number {expected}, not {number}.",
    zh="周期 {key} 的下一批应为第 {expected} 批，而非第 {number} 批。",
)
ROWS = ErrorCode(
    Malformed,
    "settlement.trace.rows",
    en="A batch has 1 to {limit} sealed codes of {bytes} bytes, in ascending order, none twice.",
    zh="每批应有 1 至 {limit} 个加密溯源码，每个 {bytes} 字节，按升序排列且不重复。",
)
TOKENS = ErrorCode(
    Malformed,
    "settlement.trace.tokens",
    en="A batch has up to {limit} tokens of {bytes} bytes, a multiple of {step}, in ascending"
    " order, none twice.",
    zh="每批至多 {limit} 个检索标记，每个 {bytes} 字节，数量为 {step} 的倍数，按升序排列且不重复。",
)
