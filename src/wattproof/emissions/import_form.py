"""The form in which a mapping is made: filled in from a guess or a mapping, and read back.

A field of the file is named as its key in M.toml; those of the column at position 3 are named
``c3.take``, ``c3.meter`` and so on. What is wrong stands at its field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from wattproof.console.filled import Filled
from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.metering.guess import Guess
from wattproof.metering.map_text import raw_map
from wattproof.metering.mapping import ImportMap, check_map
from wattproof.metering.problems import CausedBy

__all__ = ["DELIMITER_NAMES", "ENCODINGS", "INTERVALS", "KEYS", "ColumnRow", "columns_of",
           "fields_of_guess", "fields_of_map", "mapping_of"]  # fmt: skip

DELIMITER_NAMES: Final[Mapping[str, str]] = {
    "comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " ",
}  # fmt: skip
"""What stands between cells, by names that survive a form."""
ENCODINGS: Final = ("utf-8-sig", "gb18030", "utf-16", "cp1252", "latin-1")
INTERVALS: Final = (300, 600, 900, 1800, 3600, 86_400)
"""Intervals in seconds that the form offers; any other can be typed in."""
KEYS: Final = ("meter", "quantity", "unit", "kind", "region", "factor", "modulus", "zone")
"""Keys of a series that a column's fields stand for."""
NEEDED: Final = ("meter", "quantity", "unit", "kind")

NO_COLUMN = ErrorCode(
    Malformed,
    "import.no_columns",
    en="Choose at least one column to be imported.",
    zh="请至少选择一列导入。",
)
NOT_WHOLE = ErrorCode(Malformed, "import.form_whole", en="Give a whole number.", zh="请填写整数。")
TWO_STAMPS = ErrorCode(
    Malformed,
    "import.form_stamps",
    en="The second column must be another one than the first.",
    zh="第二列不得与第一列相同。",
)
WHICH_DELIMITER = ErrorCode(
    Malformed, "import.form_delimiter", en="Choose one of these.", zh="请选择其中一项。"
)


class ColumnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A column that the form offers: its position, name and first values."""

    at: int
    name: str
    samples: tuple[str, ...]
    likely: bool


def columns_of(guess: Guess, mapping: ImportMap | None) -> list[ColumnRow]:
    """The columns that hold numbers or should, and those that the mapping names."""
    mapped = {one.column for one in mapping.series} if mapping is not None else set()
    known = {one.name: one for one in guess.columns}
    rows, met = [], set()
    for at, name in enumerate(guess.header):
        one = known.get(name)
        wanted = name in mapped or (one is not None and (one.numeric or one.likely))
        if wanted and name not in met:
            likely = name in mapped or (mapping is None and one is not None and one.likely)
            samples = one.samples if one is not None else ()
            rows.append(ColumnRow(at=at, name=name, samples=samples, likely=likely))
        met.add(name)
    return rows


def fields_of_guess(guess: Guess) -> dict[str, str]:
    """What the form begins with where there is no mapping yet."""
    stamps = guess.stamps
    first, second = (*stamps.columns, "", "")[:2]
    fields = {
        "timestamp": first,
        "timestamp2": second,
        "format": stamps.format,
        "timezone": stamps.timezone,
        "stamp": stamps.stamp,
        "midnight": stamps.midnight,
        "interval_s": str(stamps.interval_s or ""),
        "missing": ", ".join(guess.missing),
        "missing_empty": "yes",
        "interpolated": guess.interpolated,
        **_written(guess.encoding, guess.delimiter),
    }
    for column in columns_of(guess, None):
        one = next(one for one in guess.columns if one.name == column.name)
        at = f"c{column.at}."
        fields |= {
            f"{at}take": "yes" if one.likely else "",
            f"{at}meter": one.meter,
            f"{at}quantity": one.quantity,
            f"{at}unit": one.unit,
            f"{at}kind": one.kind,
        }
    return fields


def fields_of_map(mapping: ImportMap, guess: Guess) -> dict[str, str]:
    """What the form begins with where there is a mapping."""
    raw = raw_map(mapping)
    file = raw["file"]
    first, second = (*mapping.file.timestamp, "")[:2]
    missing = mapping.file.missing
    fields = {
        "timestamp": first,
        "timestamp2": second,
        "format": mapping.file.format,
        "timezone": mapping.file.timezone or "",
        "stamp": mapping.file.stamp,
        "midnight": mapping.file.midnight,
        "interval_s": str(mapping.file.interval_s),
        "missing": ", ".join(token for token in missing if token),
        "missing_empty": "yes" if "" in missing else "",
        "interpolated": file.get("interpolated", ""),
        **_written(mapping.file.encoding, mapping.file.delimiter),
    }
    by_column = {one["column"]: one for one in raw["series"]}
    for column in columns_of(guess, mapping):
        series = by_column.get(column.name, {})
        at = f"c{column.at}."
        fields[f"{at}take"] = "yes" if series else ""
        fields |= {f"{at}{key}": str(series.get(key, "")) for key in KEYS}
    return fields


def mapping_of(form: Filled, header: Sequence[str]) -> ImportMap:
    """The mapping that the form stands for; its refusals are noted in the form.

    `header` are the names of all columns of the file.
    """
    file = _file(form)
    chosen = [at for at in range(len(header)) if form[f"c{at}.take"]]
    series = {at: _series(form, at, header[at]) for at in chosen}
    _check_file(form, file)
    for at, one in series.items():
        _check_series(form, at, one, file)
    form.finish()
    if not series:
        raise NO_COLUMN()
    return check_map({"file": file, "series": list(series.values())})


def _file(form: Filled) -> dict[str, Any]:
    """The table of the file, as far as its fields are filled in."""
    columns = [form.take("timestamp", str)]
    if form["timestamp2"]:
        columns.append(form.take("timestamp2", lambda text: _other(text, columns[0])))
    tokens = form["missing"].replace("，", ",").replace("、", ",").split(",")
    missing = [token.strip() for token in tokens if token.strip()]
    file = {
        "timestamp": columns,
        "interval_s": form.take("interval_s", _whole),
        "stamp": form.take("stamp", str),
        "midnight": form["midnight"] or "start",
        "missing": [*([""] if form["missing_empty"] else []), *missing],
        "delimiter": form.take("delimiter", _delimiter),
    }
    texts = ("format", "timezone", "encoding", "interpolated")
    return file | {name: form[name] for name in texts if form[name]}


def _series(form: Filled, at: int, column: str) -> dict[str, Any]:
    """The table of one column."""
    series: dict[str, Any] = {"column": column}
    for key in KEYS:
        name = f"c{at}.{key}"
        if key in NEEDED:
            series[key] = form.take(name, str)
        elif form[name]:
            series[key] = form.take(name, _whole) if key == "modulus" else form[name]
    return series


def _check_file(form: Filled, file: dict[str, Any]) -> None:
    """Note what is wrong with the file's table, with a series that has no fault of its own."""
    good = {"meter": "m", "column": "c", "quantity": "mass", "unit": "g", "kind": "increment"}
    if all(form.why(name, "en") is None for name in ("timestamp", "interval_s", "stamp")):
        try:
            check_map({"file": file, "series": [good]})
        except WattProofError as error:
            _note(form, error, prefix="file.", field="")


def _check_series(form: Filled, at: int, series: dict[str, Any], file: dict[str, Any]) -> None:
    """Note what is wrong with a column's table, with a file that has no fault of its own."""
    if any(form.why(f"c{at}.{key}", "en") for key in KEYS):
        return
    good = {"timestamp": "t", "interval_s": 1, "stamp": "end"}
    if "timezone" in file:
        good["timezone"] = "UTC"
    try:
        check_map({"file": good, "series": [series]})
    except WattProofError as error:
        _note(form, error, prefix="series[1].", field=f"c{at}.")


def _note(form: Filled, error: WattProofError, *, prefix: str, field: str) -> None:
    """Note an error of the mapping at the field that its key stands for, without the key."""
    key = str(error.params.get("key", ""))
    cause = error.params["cause"] if isinstance(error, CausedBy) else error
    name = field + key.removeprefix(prefix) if key.startswith(prefix) else f"{field}meter"

    def refuse(_: str) -> None:
        raise cast("WattProofError", cause)

    form.take(name if key else "midnight", refuse, needed=False)


def _written(encoding: str, delimiter: str) -> dict[str, str]:
    names = {character: name for name, character in DELIMITER_NAMES.items()}
    return {"encoding": encoding, "delimiter": names.get(delimiter, "comma")}


def _whole(text: str) -> int:
    try:
        return int(text) if text.isascii() else int("x")
    except ValueError:
        raise NOT_WHOLE() from None


def _other(text: str, first: str) -> str:
    if text == first:
        raise TWO_STAMPS()
    return text


def _delimiter(text: str) -> str:
    if text not in DELIMITER_NAMES:
        raise WHICH_DELIMITER()
    return DELIMITER_NAMES[text]
