"""How the keys of a mapping are checked: each check names the key that is not as it must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.metering.problems import CausedBy

__all__ = [
    "Check",
    "a_text",
    "canonical_by",
    "caused",
    "check_keys",
    "delimiter",
    "one_of",
    "one_or_two_columns",
    "read_table",
    "text_encoding",
    "tokens",
    "valid_by",
    "whole_number",
]

UNKNOWN_KEY = ErrorCode(
    Malformed,
    "import.map_unknown_key",
    en="The mapping has a key {key} that means nothing; known here: {allowed}.",
    zh="映射中的键 {key} 无意义；此处可用：{allowed}。",
)
MISSING_KEY = ErrorCode(
    Malformed,
    "import.map_missing_key",
    en="The mapping lacks the key {key}.",
    zh="映射缺少键 {key}。",
)
NOT_TEXT = ErrorCode(
    Malformed,
    "import.map_text",
    en="{key} in the mapping must be a text that is not empty.",
    zh="映射中的 {key} 须为非空文本。",
)
NOT_NUMBER = ErrorCode(
    Malformed,
    "import.map_number",
    en="{key} in the mapping must be a whole number from 1 to {most}.",
    zh="映射中的 {key} 须为 1 至 {most} 的整数。",
)
NOT_CHOICE = ErrorCode(
    Malformed,
    "import.map_choice",
    en="{key} in the mapping must be one of: {allowed}.",
    zh="映射中的 {key} 须为以下之一：{allowed}。",
)
NOT_COLUMNS = ErrorCode(
    Malformed,
    "import.map_columns",
    en="{key} in the mapping must be a column's name, or a list of two.",
    zh="映射中的 {key} 须为一个列名，或由两个列名组成的列表。",
)
NOT_TOKENS = ErrorCode(
    Malformed,
    "import.map_tokens",
    en="{key} in the mapping must be a list of texts.",
    zh="映射中的 {key} 须为文本列表。",
)
NOT_ENCODING = ErrorCode(
    Malformed,
    "import.map_encoding",
    en="{key} in the mapping names no text encoding: {value}.",
    zh="映射中的 {key} 不是文本编码：{value}。",
)
WRONG_VALUE = ErrorCode(
    CausedBy,
    "import.map_value",
    en="{key} in the mapping: {cause}",
    zh="映射中的 {key}：{cause}",
)

T = TypeVar("T")
Check = Callable[[str, object], object]
"""Takes a key and its raw value; gives the value to keep or raises, naming the key."""


def read_table(
    table: Mapping[str, object],
    checks: Mapping[str, Check],
    struct: type[msgspec.Struct],
    *,
    where: str,
) -> dict[str, Any]:
    """Check every key of the table at `where`; the fields of `struct` that it gives."""
    required = [field.name for field in msgspec.structs.fields(struct) if field.required]
    check_keys(table, tuple(checks), required=tuple(required), where=where)
    return {name: checks[name](where + name, value) for name, value in table.items()}


def check_keys(
    table: Mapping[str, object],
    allowed: tuple[str, ...],
    *,
    required: tuple[str, ...],
    where: str,
) -> None:
    """Raise the error that names a key which means nothing here, or one that is missing."""
    for name in table:
        if name not in allowed:
            raise UNKNOWN_KEY(key=f"{where}{name}"[:160], allowed=", ".join(allowed))
    for name in required:
        if name not in table:
            raise MISSING_KEY(key=f"{where}{name}")


def caused(key: str, act: Callable[[], T]) -> T:
    """Do what another part of the house checks; its error, with the key named."""
    try:
        return act()
    except WattProofError as cause:
        raise WRONG_VALUE(key=key, cause=cause) from cause


def a_text(key: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise NOT_TEXT(key=key)
    return value


def canonical_by(check: Callable[[str], object]) -> Check:
    """A text that another check of the house gives back in its canonical form."""

    def canonical(key: str, value: object) -> object:
        text = a_text(key, value)
        return caused(key, lambda: check(text))

    return canonical


def valid_by(check: Callable[[str], object]) -> Check:
    """A text that is kept as it is once another check of the house has passed it."""

    def unchanged(key: str, value: object) -> object:
        text = a_text(key, value)
        caused(key, lambda: check(text))
        return text

    return unchanged


def one_of(*allowed: str) -> Check:
    """One of these texts."""

    def chosen(key: str, value: object) -> object:
        if value not in allowed:
            raise NOT_CHOICE(key=key, allowed=", ".join(allowed))
        return value

    return chosen


def whole_number(most: int) -> Check:
    """A whole number from 1 on."""

    def bounded(key: str, value: object) -> object:
        if type(value) is not int or not 1 <= value <= most:
            raise NOT_NUMBER(key=key, most=most)
        return value

    return bounded


def one_or_two_columns(key: str, value: object) -> tuple[str, ...]:
    """A column's name, or a list of two."""
    names = value if isinstance(value, list) else [value]
    if len(names) not in (1, 2) or not all(isinstance(name, str) and name for name in names):
        raise NOT_COLUMNS(key=key)
    return tuple(names)


def tokens(key: str, value: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise NOT_TOKENS(key=key)
    return tuple(value)


def text_encoding(key: str, value: object) -> str:
    """The name of an encoding that Python knows, of texts."""
    name = a_text(key, value)
    try:
        "1,2".encode(name).decode(name)
    except (LookupError, UnicodeError, ValueError) as failed:
        raise NOT_ENCODING(key=key, value=name[:80]) from failed
    return name


def delimiter(key: str, value: object) -> str:
    """What may stand between the cells of a row."""
    if value not in (",", ";", "\t", "|", " "):
        raise NOT_CHOICE(key=key, allowed="',', ';', '\\t', '|', ' '")
    assert isinstance(value, str)
    return value
