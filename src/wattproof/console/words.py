"""What stands in a transaction, in words: names of fields, times, amounts, keys, lists.

A room says in a `RoomWords` what its fields are called, what the values of its enumerations are
called, and which of its numbers are amounts of what. A field that nobody named is shown by its own
name, so that nothing that will be signed is ever hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from wattproof.console.i18n import duration, number, region_label, stamp
from wattproof.core.codes import check_region
from wattproof.core.errors import Lang, WattProofError
from wattproof.core.units import format_amount, quantity_label
from wattproof.gateway.words import sentence_of
from wattproof.keys.did import did_of
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.state import Reading

__all__ = ["Field", "Holder", "Number", "RoomWords", "Shown", "TableOf", "Texts", "Units", "Word",
           "Words"]  # fmt: skip

Word = tuple[str, str]
"""The same in English and in Chinese."""

Units = Callable[[Reading, bytes, msgspec.Struct], Mapping[str, str]]
"""Which fields of a transaction (or of a part of it) are amounts, and in which base unit.

It is given the ledger and the signer's public key, because a packet alone does not say what its
meter measures.
"""

Texts = Callable[[Reading, Mapping[str, Any], Lang], Mapping[str, str]]
"""How fields of an event (as `gateway.words.events_of` gives it) read in its sentence."""

Number = Callable[[int, Lang], str]
"""How a number that is no amount of a unit reads: a price, a time of day."""

Holder = Callable[[Reading, bytes], str]
"""Who holds or held a public key; empty where nobody does."""

SHOWN_ROWS: Final = 500
"""Rows of a long list that a page holds; how many there are in all is said."""
SHORT: Final = 8
"""A list of no more values stands in a line."""
KEY_BYTES: Final = 32
DURATIONS: Final = ("interval_s", "gap_s", "step_s", "offset_s")


def _no_units(_reading: Reading, _signer: bytes, _body: msgspec.Struct) -> Mapping[str, str]:
    return {}


def _no_texts(_reading: Reading, _event: Mapping[str, Any], _lang: Lang) -> Mapping[str, str]:
    return {}


def _nobody(_reading: Reading, _key: bytes) -> str:
    return ""


class RoomWords(msgspec.Struct, frozen=True, kw_only=True):
    """A room's words.

    `fields` are labels by the name of a field, or by ``Struct.field`` where one name means two
    things; `values` the words for a field's values, by the field's name and the value as text;
    `numbers` says how fields of numbers read, named as in `fields`. `units`, `texts` and `holder`
    look things up in the ledger.
    """

    fields: Mapping[str, Word] = {}
    values: Mapping[str, Mapping[str, Word]] = {}
    numbers: Mapping[str, Number] = {}
    units: Units = _no_units
    texts: Texts = _no_texts
    holder: Holder = _nobody


class TableOf(msgspec.Struct, frozen=True, kw_only=True):
    """A long list: the heads of its columns, its rows as far as they are shown, how many it has."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    count: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A value in words; `code` is true for what is read letter by letter: hashes, keys."""

    text: str = ""
    code: bool = False
    table: TableOf | None = None
    total: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field: its name on the wire, its label, its value in words."""

    name: str
    label: str
    value: Shown


class Words:
    """The words of several rooms together; `zone` is that of the times shown."""

    def __init__(self, rooms: Iterable[RoomWords], *, zone: str) -> None:
        self._fields: dict[str, Word] = {}
        self._values: dict[str, dict[str, Word]] = {}
        self._numbers: dict[str, Number] = {}
        self._units: list[Units] = []
        self._texts: list[Texts] = []
        self._holders: list[Holder] = []
        self._zone = zone
        for room in rooms:
            self._fields.update(room.fields)
            self._numbers.update(room.numbers)
            self._units.append(room.units)
            self._texts.append(room.texts)
            self._holders.append(room.holder)
            for field, words in room.values.items():
                self._values.setdefault(field, {}).update(words)

    def label(self, name: str, lang: Lang, struct: str = "") -> str:
        """What a field is called; its own name where nobody named it."""
        word = self._fields.get(f"{struct}.{name}") or self._fields.get(name)
        return name if word is None else word[lang == "zh"]

    def value(self, field: str, value: object, lang: Lang) -> str:
        """What a value of an enumeration is called; the value itself where nobody named it."""
        word = self._values.get(field, {}).get(str(value))
        return str(value) if word is None else word[lang == "zh"]

    def number(self, field: str, value: object, lang: Lang, struct: str = "") -> str | None:
        """How a number of a field reads where its room says so; else None."""
        number = self._numbers.get(f"{struct}.{field}") or self._numbers.get(field)
        return number(value, lang) if number is not None and isinstance(value, int) else None

    def sentence(self, event: Mapping[str, Any], *, lang: Lang, reading: Reading) -> str:
        """An event of `gateway.words.events_of` in words, with names and units."""
        texts: dict[str, str] = {}
        for of in self._texts:
            texts.update(of(reading, event, lang))
        both = sentence_of({**event, **texts})
        return both.zh if lang == "zh" else both.en

    def holder(self, reading: Reading, key: bytes) -> str:
        """Who holds or held a public key; empty where nobody does."""
        return next((name for of in self._holders if (name := of(reading, key))), "")

    def fields(
        self, body: msgspec.Struct, *, lang: Lang, reading: Reading, signer: bytes
    ) -> list[Field]:
        """Every field of a transaction, in the order in which it is signed."""
        return list(_Teller(self, self._zone, lang, lambda part: self._of(reading, signer, part))
                    .fields(body))  # fmt: skip

    def _of(self, reading: Reading, signer: bytes, part: msgspec.Struct) -> dict[str, str]:
        units: dict[str, str] = {}
        for of in self._units:
            units.update(of(reading, signer, part))
        return units


class _Teller:
    """Puts the fields of one transaction into words of one language."""

    def __init__(
        self,
        words: Words,
        zone: str,
        lang: Lang,
        units: Callable[[msgspec.Struct], Mapping[str, str]],
    ) -> None:
        self._words = words
        self._zone = zone
        self._lang = lang
        self._units = units

    def fields(self, body: msgspec.Struct) -> Iterator[Field]:
        units = self._units(body)
        for name in body.__struct_fields__:
            struct, value = type(body).__name__, getattr(body, name)
            number = self._words.number(name, value, self._lang, struct)
            shown = (
                self._shown(name, value, units.get(name)) if number is None else Shown(text=number)
            )
            label = self._words.label(name, self._lang, struct)
            yield Field(name=name, label=label, value=shown)

    def _shown(self, name: str, value: Any, unit: str | None) -> Shown:
        if isinstance(value, UintArray):
            return self._numbers(name, value.ints(), unit)
        if isinstance(value, bytes):
            return Shown(text=self._bytes(name, value), code=True)
        if isinstance(value, list | tuple):
            if value and isinstance(value[0], msgspec.Struct):
                return self._parts(value)
            return Shown(text=self._listed(self._text(name, item, unit) for item in value))
        if isinstance(value, msgspec.Struct):
            return self._parts([value])
        return Shown(text=self._text(name, value, unit))

    def _text(self, name: str, value: Any, unit: str | None) -> str:
        """A plain value."""
        if value is None or value == "":
            return "–"
        if isinstance(value, bool):
            return {True: ("yes", "是"), False: ("no", "否")}[value][self._lang == "zh"]
        if isinstance(value, int):
            return self._number(name, value, unit)
        if isinstance(value, bytes):
            return self._bytes(name, value)
        if name == "quantity":
            return _known(quantity_label, value, self._lang)
        if name == "region":
            return _known(_region, value, self._lang)
        return self._words.value(name, value, self._lang)

    def _number(self, name: str, value: int, unit: str | None) -> str:
        named = self._words.value(name, value, self._lang)
        if named != str(value):
            return named
        if unit is not None:
            return format_amount(value, unit, self._lang)
        if name in DURATIONS:
            return duration(value, self._lang)
        if name.endswith("_s"):
            return stamp(value, self._zone, self._lang)
        return str(value) if name.endswith("year") else number(value, self._lang)

    def _numbers(self, name: str, values: Sequence[int], unit: str | None) -> Shown:
        if not values:
            return Shown(text=self._words.value(name, "", self._lang) or "–")
        texts = [self._number(name, value, unit) for value in values[:SHOWN_ROWS]]
        if len(values) <= SHORT:
            return Shown(text=self._listed(texts))
        heads = ["#", self._words.label(name, self._lang)]
        rows = [[str(position), text] for position, text in enumerate(texts, start=1)]
        total = "" if unit is None else format_amount(sum(values), unit, self._lang)
        return Shown(table=TableOf(heads=heads, rows=rows, count=len(values)), total=total)

    def _parts(self, parts: Sequence[msgspec.Struct]) -> Shown:
        """A list of parts as a table, a part a row."""
        told = [list(self.fields(part)) for part in parts[:SHOWN_ROWS]]
        rows = [[field.value.text for field in fields] for fields in told]
        heads = [field.label for field in told[0]]
        return Shown(table=TableOf(heads=heads, rows=rows, count=len(parts)))

    def _listed(self, texts: Iterable[str]) -> str:
        return ("、" if self._lang == "zh" else ", ").join(texts) or "–"

    def _bytes(self, name: str, value: bytes) -> str:
        is_key = len(value) == KEY_BYTES and (name == "key" or name.endswith("_key"))
        return did_of(value) if is_key else value.hex()


def _region(code: str, lang: Lang) -> str:
    return region_label(check_region(code), lang)


def _known(label: Callable[[str, Lang], str], value: str, lang: Lang) -> str:
    """The label of a code, followed by the code; the code alone where it is none."""
    try:
        text = label(value, lang)
    except WattProofError:
        return value
    return f"{text} · {value}"
