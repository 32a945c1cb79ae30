"""Writes docs/transactions.md and its Chinese twin: every transaction type, field by field.

Types, bounds, order and signers come from the declarations that the machine enforces; what a field
means comes from transaction_words.toml, which must name every field and nothing else. Run
``python -m scripts.make_transaction_docs`` from the root of the repository; with ``--check`` it
writes nothing and exits 1 when a committed file is stale.
"""

from __future__ import annotations

import sys
import tomllib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta
from scripts.generated import table, write_or_check

from wattproof.core.errors import Lang
from wattproof.identity.roles import permissions
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body, Part
from wattproof.node import machine

__all__ = ["transactions_document"]

WORDS: Final = Path(__file__).with_name("transaction_words.toml")

SAID: Final[dict[str, tuple[str, str]]] = {
    "columns": ("field|type|default|meaning", "字段|类型|缺省值|含义"),
    "index": ("type|what it does|who may sign", "类型|作用|签署者"),
    "signed": ("Signed by", "签署者"),
    "part": ("The fields of each `{part}`:", "每个 `{part}` 的字段："),
    "comma": (", ", "，"),
    "integer": ("integer", "整数"),
    "text": ("text", "文本"),
    "bytes": ("byte string", "字节串"),
    "boolean": ("boolean", "布尔值"),
    "uints": ("typed array of unsigned integers", "无符号整数类型化数组"),
    "array": ("array of", "数组，元素为"),
    "null": ("or null", "或 null"),
    "one": ("one of", "取值"),
    "characters": ("characters", "个字符"),
    "octets": ("bytes", "字节"),
    "items": ("items", "个元素"),
    "no_controls": ("no control characters", "不含控制字符"),
    "empty": ("empty", "空"),
}
"""The words of this page itself."""

NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*\Z"


def transactions_document(lang: Lang) -> str:
    """The whole document in one language."""
    words = _Words(lang)
    bodies = sorted(_bodies(), key=lambda body: (body.spec.type, body.spec.version))
    lines = [words.of("page", "head")]
    rows = [
        [
            f"[`{row.type}`](#{_anchor(row.type, row.version)})",
            row.what,
            ", ".join(f"`{name}`" for name in row.by),
        ]
        for row in permissions([body.spec for body in bodies], lang=lang)
    ]
    lines.extend([*table(words.columns("index"), rows), ""])
    for body in bodies:
        lines.extend(_section(body, words))
    words.finish()
    return "\n".join(lines)


def _bodies() -> Iterator[type[Body]]:
    for contract in machine().contracts:
        yield from contract.rules


def _anchor(type_: str, version: int) -> str:
    return f"{type_.replace('.', '')}-v{version}"


class _Words:
    """What transaction_words.toml says, in one language; knows what was asked for."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self._which = 1 if lang == "zh" else 0
        self._tables: dict[str, dict[str, list[str]]] = tomllib.loads(
            WORDS.read_text(encoding="utf-8")
        )
        self._used: set[tuple[str, str]] = set()

    def of(self, name: str, field: str) -> str:
        """The meaning of a field of a type or part."""
        place = name if field in self._tables.get(name, {}) else "common"
        pair = self._tables[place].get(field)
        assert pair is not None, f"{WORDS.name} has no words for {name}.{field}"
        self._used.add((place, field))
        return pair[self._which]

    def notes(self, name: str) -> list[str]:
        """What the rule of a type asks for beyond the types of its fields."""
        if "notes" not in self._tables.get(name, {}):
            return []
        self._used.add((name, "notes"))
        return [self._tables[name]["notes"][self._which], ""]

    def finish(self) -> None:
        """Demand that nothing is said of what does not exist."""
        said = {(name, field) for name, fields in self._tables.items() for field in fields}
        assert said == self._used, f"{WORDS.name}: {sorted(said - self._used)} do not exist"

    def columns(self, name: str) -> list[str]:
        """The heads of a table."""
        return self.say(name).split("|")

    def say(self, name: str) -> str:
        """A word of the page itself."""
        return SAID[name][self._which]


def _section(body: type[Body], words: _Words) -> list[str]:
    spec = body.spec
    colon = "：" if words.lang == "zh" else ": "
    signers = ("、" if words.lang == "zh" else ", ").join(f"`{name}`" for name in spec.by)
    title = spec.zh if words.lang == "zh" else spec.en
    lines = [f"## {spec.type} v{spec.version}", "", f"{title}{_stop(words)}"]
    lines += [f"{words.say('signed')}{colon}{signers}{_stop(words)}", ""]
    lines += words.notes(spec.type)
    lines += _fields(body, spec.type, words)
    for part in _parts(body):
        lines += [words.say("part").format(part=part.__name__), ""]
        lines += _fields(part, part.__name__, words)
    return lines


def _stop(words: _Words) -> str:
    return "。" if words.lang == "zh" else "."


def _fields(struct: type[Body | Part], name: str, words: _Words) -> list[str]:
    hints = typing.get_type_hints(struct, include_extras=True)
    rows = [
        [
            f"`{field.name}`",
            _type(hints[field.name], words),
            _default(field, words),
            words.of(name, field.name),
        ]
        for field in msgspec.structs.fields(struct)
    ]
    return [*table(words.columns("columns"), rows), ""]


def _default(field: msgspec.structs.FieldInfo, words: _Words) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        return ""
    if value is None:
        return "null"
    return words.say("empty") if value in ("", ()) else str(value)


def _parts(struct: type[Body]) -> list[type[Part]]:
    found: list[type[Part]] = []

    def walk(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, Part):
            found.append(hint)
        for argument in get_args(hint):
            walk(argument)

    for hint in typing.get_type_hints(struct, include_extras=True).values():
        walk(hint)
    return found


def _type(hint: Any, words: _Words) -> str:
    """A declared type with its bounds, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        (meta,) = arguments[1:]
        return _bounded(arguments[0], meta, words)
    if origin is Literal:
        options = (f"`{value}`" if value else words.say("empty") for value in arguments)
        return f"{words.say('one')} " + ", ".join(options)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return f"{_type(inner, words)} {words.say('null')}"
    if origin is tuple:
        return f"{words.say('array')} {_type(arguments[0], words)}"
    if isinstance(hint, type) and issubclass(hint, Part):
        return f"`{hint.__name__}`"
    plain = {int: "integer", str: "text", bytes: "bytes", bool: "boolean", UintArray: "uints"}
    return words.say(plain[hint])


def _bounded(hint: Any, meta: Meta, words: _Words) -> str:
    said = [_type(hint, words)]
    if hint is int:
        assert meta.ge is not None, f"an integer without a lower bound: {meta}"
        assert meta.le is not None, f"an integer without an upper bound: {meta}"
        said.append(f"{_number(int(meta.ge))} … {_number(int(meta.le))}")
        return words.say("comma").join(said)
    what = {str: "characters", bytes: "octets"}.get(hint, "items")
    low, high = meta.min_length or 0, meta.max_length
    if high is not None:
        span = str(high) if low == high else f"{low} … {high}"
        said.append(f"{span} {words.say(what)}")
    if meta.pattern == NO_CONTROLS:
        said.append(words.say("no_controls"))
    elif meta.pattern is not None:
        options = meta.pattern.removeprefix("^(").removesuffix(r")\Z").split("|")
        said.append(f"{words.say('one')} " + ", ".join(f"`{option}`" for option in options))
    return words.say("comma").join(said)


def _number(value: int) -> str:
    """A bound as people write it: 2^53 - 1, 2 678 400."""
    for exponent in (31, 53, 62, 63, 64):
        if value in (2**exponent, 2**exponent - 1):
            return f"2^{exponent}" + ("" if value == 2**exponent else " - 1")
    return f"{value:,}".replace(",", " ")


def main() -> int:
    """Write both documents, or check them."""
    documents = {
        "transactions.md": transactions_document("en"),
        "transactions.zh.md": transactions_document("zh"),
    }
    return write_or_check(documents, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
