"""Why the book refuses: one code for each reason."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import (
    Broken,
    Conflict,
    ErrorCode,
    Malformed,
    NotFound,
    OverLimit,
    Unauthorised,
)

__all__ = [
    "ACCOUNT_TAKEN",
    "ACCOUNT_UNKNOWN",
    "ASSET_TAKEN",
    "ASSET_UNKNOWN",
    "BALANCE_RANGE",
    "KIND_UNKNOWN",
    "LIMIT_BELOW_DEBT",
    "NAME_RESERVED",
    "NOT_ISSUER",
    "NOT_OWNER",
    "NO_ACTION",
    "OVERDRAFT",
    "POSTING_SHAPE",
    "SAME_ACCOUNT",
    "STATEMENT_START",
    "TOO_MANY_ENTRIES",
    "UNBALANCED",
    "UNIT_OF_KIND",
]

ASSET_UNKNOWN: Final = ErrorCode(
    NotFound,
    "book.asset.unknown",
    en="There is no asset {asset}.",
    zh="资产 {asset} 不存在。",
)
ASSET_TAKEN: Final = ErrorCode(
    Conflict,
    "book.asset.taken",
    en="There already is an asset {asset}.",
    zh="资产 {asset} 已存在。",
)
KIND_UNKNOWN: Final = ErrorCode(
    Malformed,
    "book.asset.kind",
    en="{kind!r} is not a kind of asset. Take one of {allowed}.",
    zh="“{kind}”不是资产类别。可用：{allowed}。",
)
UNIT_OF_KIND: Final = ErrorCode(
    Malformed,
    "book.asset.unit",
    en="An asset of the kind {kind} is counted in {allowed}, not in {unit!r}.",
    zh="{kind} 类资产的单位为 {allowed}，不是“{unit}”。",
)
NOT_ISSUER: Final = ErrorCode(
    Unauthorised,
    "book.asset.not_issuer",
    en="{party} is not the issuer of {asset}.",
    zh="{party} 不是 {asset} 的发行方。",
)
ACCOUNT_UNKNOWN: Final = ErrorCode(
    NotFound,
    "book.account.unknown",
    en="There is no account {account}.",
    zh="账户 {account} 不存在。",
)
ACCOUNT_TAKEN: Final = ErrorCode(
    Conflict,
    "book.account.taken",
    en="There already is an account {account}.",
    zh="账户 {account} 已存在。",
)
NAME_RESERVED: Final = ErrorCode(
    Malformed,
    "book.name_reserved",
    en="A name with a colon, such as {name}, is kept for what the rules themselves open.",
    zh="带冒号的名称（如 {name}）保留给规则自身使用。",
)
NOT_OWNER: Final = ErrorCode(
    Unauthorised,
    "book.account.not_owner",
    en="{holder} does not own the account {account}.",
    zh="{holder} 不是账户 {account} 的所有者。",
)
OVERDRAFT: Final = ErrorCode(
    Conflict,
    "book.overdraft",
    en="The account {account} has {amount} of {asset} and may be overdrawn by {limit}:"
    " {needed} cannot be taken from it.",
    zh="账户 {account} 持有 {asset} {amount}，透支限额 {limit}，不足以支出 {needed}。",
)
LIMIT_BELOW_DEBT: Final = ErrorCode(
    Conflict,
    "book.overdraft.below_debt",
    en="The account {account} already owes {debt} of {asset}; the limit cannot be less.",
    zh="账户 {account} 已欠 {asset} {debt}，限额不能更低。",
)
SAME_ACCOUNT: Final = ErrorCode(
    Malformed,
    "book.transfer.same_account",
    en="A transfer from {account} to itself moves nothing.",
    zh="从 {account} 转到自身没有意义。",
)
STATEMENT_START: Final = ErrorCode(
    NotFound,
    "book.statement.start",
    en="Entry {entry} of the log is not a posting of {asset} in the account {account}.",
    zh="日志条目 {entry} 不是账户 {account} 的 {asset} 记账。",
)
BALANCE_RANGE: Final = ErrorCode(
    OverLimit,
    "book.balance.range",
    en="The balance of {asset} in {account} would pass 2^62.",
    zh="账户 {account} 的 {asset} 余额将超过 2^62。",
)
TOO_MANY_ENTRIES: Final = ErrorCode(
    OverLimit,
    "book.posting.too_many",
    en="The posting has {count} entries; at most {limit} are taken.",
    zh="该笔记账有 {count} 条分录，上限为 {limit} 条。",
)
UNBALANCED: Final = ErrorCode(
    Broken,
    "book.posting.unbalanced",
    en="The posting changes the sum of {asset} by {sum}.",
    zh="该笔记账使 {asset} 的总和改变了 {sum}。",
)
POSTING_SHAPE: Final = ErrorCode(
    Broken,
    "book.posting.shape",
    en="The posting is not one that a rule may make: {reason}.",
    zh="规则不得作出这样的记账：{reason}。",
)
NO_ACTION: Final = ErrorCode(
    NotFound,
    "book.no_action",
    en="There is no action “{action}”.",
    zh="没有名为“{action}”的操作。",
)
