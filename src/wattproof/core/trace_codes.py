"""Trace codes: what names a record of supplied or consumed energy, in text and in bytes.

    1-00CNSH-T01010000-20250601000000-00003600-0000000042-000000000017-P
    |   |        |            |           |          |          |      check character
    |   |        |            |           |          |          number of the record
    |   |        |            |           |          number of the meter (the device)
    |   |        |            |           length of the period in seconds
    |   |        |            start of the period, UTC
    |   |        technology (T) or energy source (F) of EECS; a T code is followed by 00
    |   region: GB/T 2260, or ISO 3166 without its hyphen, after zeros
    kind: 1 supply, 2 consumption

Always 68 characters, all of them in the alphanumeric set of QR codes. The check character is that
of ISO 7064, MOD 37-2, over everything before it but the hyphens: 37 is prime and the radix is 2,
so every wrong character and every two neighbours in the wrong order are noticed.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

import msgspec

from wattproof.core.codes import (
    check_energy_source,
    check_region,
    check_technology,
    province_of,
)
from wattproof.core.errors import ErrorCode, Malformed, WattProofError

__all__ = [
    "KINDS",
    "KIND_WORDS",
    "PACKED_BYTES",
    "TEXT_CHARACTERS",
    "TraceCode",
    "TraceKind",
    "check_character",
    "check_trace",
    "check_trace_technology",
    "pack_trace",
    "parse_trace",
    "trace_province",
    "trace_text",
    "unpack_trace",
]

FORM = ErrorCode(
    Malformed,
    "core.trace.form",
    en="{text!r} is not a trace code: it is written like {example}.",
    zh="“{text}”不是溯源码，其格式如 {example}。",
)
CHECK = ErrorCode(
    Malformed,
    "core.trace.check",
    en="The check character of the trace code {text} is wrong: there is a mistake in it.",
    zh="溯源码 {text} 的校验位不符，其中有误。",
)
FIELD = ErrorCode(
    Malformed,
    "core.trace.field",
    en="A trace code cannot have {value!r} as its {field}.",
    zh="溯源码的 {field} 不能是“{value}”。",
)
PACKED = ErrorCode(
    Malformed,
    "core.trace.packed",
    en="The {bytes} bytes are not a trace code in its one packed form.",
    zh="这 {bytes} 个字节不是规范打包形式的溯源码。",
)

TraceKind = Literal["supply", "consumption"]
"""First kind and second kind."""

KINDS: Final[tuple[TraceKind, ...]] = get_args(TraceKind)
"""In the order of their digits, 1 and 2."""

KIND_WORDS: Final = {"supply": ("supply", "供能"), "consumption": ("consumption", "用能")}
"""What the kinds are called in English and Chinese."""

EXAMPLE: Final = "1-00CNSH-T01010000-20250601000000-00003600-0000000042-000000000017-P"
TEXT_CHARACTERS: Final = len(EXAMPLE)
PACKED_BYTES: Final = 32

MAX_START_S: Final = 253_402_300_799
"""The last second of the year 9999."""
MAX_LENGTH_S: Final = 99_999_999
MAX_METER: Final = 2**32 - 1
MAX_RECORD: Final = 999_999_999_999

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_TEXT: Final = re.compile(
    r"([12])-([0-9A-Z]{6})-([TF][0-9]{8})-([0-9]{14})-([0-9]{8})-([0-9]{10})-([0-9]{12})-([0-9A-Z*])",
    re.ASCII,
)
_REGION: Final = re.compile(r"([A-Z]{2})([A-Z0-9]{1,3})", re.ASCII)
_PACKED: Final = struct.Struct(">IIIIQQ")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCE_BIT: Final = 1 << 30
_CONSUMPTION_BIT: Final = 1 << 31
_SHOWN_CHARACTERS: Final = 80


class TraceCode(msgspec.Struct, frozen=True, kw_only=True, order=True, gc=False):
    """The fields of a trace code; `check_trace` says whether they can be one.

    `region` and `technology` are as `core.codes` gives them; the period begins at `start_s` (Unix,
    UTC) and lasts `length_s`; `meter` is the number of a device, `record` that of the record in
    its settlement.
    """

    kind: TraceKind
    region: str
    technology: str
    start_s: int
    length_s: int
    meter: int
    record: int

    @property
    def province(self) -> str:
        """The province, or what takes its place: see `trace_province`."""
        return trace_province(self.region)


def check_trace(code: TraceCode) -> TraceCode:
    """Return a code whose fields are in their canonical form and bounds; else raise `Malformed`."""
    if code.kind not in KINDS:
        raise FIELD(field="kind", value=code.kind)
    if check_region(code.region) != code.region:
        raise FIELD(field="region", value=code.region)
    if check_trace_technology(code.technology) != code.technology:
        raise FIELD(field="technology", value=code.technology)
    for field, value, least, most in (
        ("start_s", code.start_s, 0, MAX_START_S),
        ("length_s", code.length_s, 1, MAX_LENGTH_S),
        ("meter", code.meter, 1, MAX_METER),
        ("record", code.record, 0, MAX_RECORD),
    ):
        if not least <= value <= most:
            raise FIELD(field=field, value=value)
    return code


def check_trace_technology(text: str) -> str:
    """An EECS technology or energy source, or raises `Malformed`."""
    plain = text.strip().upper()
    return check_energy_source(plain) if plain.startswith("F") else check_technology(plain)


@lru_cache(maxsize=4096)
def trace_province(region: str) -> str:
    """The province that a region is or lies in (``310115`` is in ``CN-SH``).

    Outside China's provinces it is the region itself: ``US-CA``, ``KR``.
    """
    province = province_of(region)
    return check_region(region) if province is None else province.iso3166_2


def check_character(body: str) -> str:
    """The check character of ISO 7064, MOD 37-2, for digits and capital letters; ``*`` for 36."""
    remainder = 0
    for character in body:
        remainder = (remainder + _VALUES[character]) * 2 % 37
    return _ALPHABET[(1 - remainder) % 37]


def trace_text(code: TraceCode) -> str:
    """The one text of a code; raises `Malformed` for fields that cannot be one."""
    check_trace(code)
    start = _EPOCH + timedelta(seconds=code.start_s)
    body = "-".join(
        (
            str(KINDS.index(code.kind) + 1),
            code.region.replace("-", "").rjust(6, "0"),
            code.technology.ljust(9, "0"),
            f"{start.year:04}{start:%m%d%H%M%S}",
            f"{code.length_s:08}",
            f"{code.meter:010}",
            f"{code.record:012}",
        )
    )
    return f"{body}-{check_character(body.replace('-', ''))}"


def parse_trace(text: str) -> TraceCode:
    """Read a trace code; full-width forms, small letters and outer blanks are taken as well.

    Raises ``core.trace.form``, ``.check`` or ``.field``.
    """
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    found = _TEXT.fullmatch(plain)
    if found is None:
        raise FORM(text=text[:_SHOWN_CHARACTERS], example=EXAMPLE)
    kind, region, technology, start, length, meter, record, check = found.groups()
    if check_character(plain[:-1].replace("-", "")) != check:
        raise CHECK(text=plain)
    return _checked(
        TraceCode(
            kind=KINDS[int(kind) - 1],
            region=_region(region),
            technology=_technology(technology),
            start_s=_instant(start),
            length_s=int(length),
            meter=int(meter),
            record=int(record),
        )
    )


def pack_trace(code: TraceCode) -> bytes:
    """A checked code in 32 bytes, whatever it says: it is sealed, and sizes must tell nothing."""
    technology = _packed_technology(code.technology)
    if code.kind == "consumption":
        technology |= _CONSUMPTION_BIT
    return _PACKED.pack(
        _packed_region(code.region),
        technology,
        code.length_s,
        code.meter,
        code.start_s,
        code.record,
    )


def unpack_trace(packed: bytes) -> TraceCode:
    """The code that `pack_trace` made these bytes of; raises `Malformed` for all others."""
    if len(packed) != PACKED_BYTES:
        raise PACKED(bytes=len(packed))
    region, technology, length_s, meter, start_s, record = _PACKED.unpack(packed)
    code = TraceCode(
        kind="consumption" if technology & _CONSUMPTION_BIT else "supply",
        region=_unpacked_region(region),
        technology=_unpacked_technology(technology & ~_CONSUMPTION_BIT),
        start_s=start_s,
        length_s=length_s,
        meter=meter,
        record=record,
    )
    in_bounds = (
        start_s <= MAX_START_S and 1 <= length_s <= MAX_LENGTH_S and meter and record <= MAX_RECORD
    )
    if not in_bounds:
        raise PACKED(bytes=len(packed))
    return code


def _checked(code: TraceCode) -> TraceCode:
    try:
        return check_trace(code)
    except WattProofError as wrong:
        if wrong.code.startswith("core.trace."):
            raise
        raise FIELD(
            field="region or technology", value=f"{code.region} {code.technology}"
        ) from None


def _region(field: str) -> str:
    """``00CNSH`` is CN-SH, ``0000KR`` is KR, ``310115`` itself: no other begins with a letter."""
    plain = field.lstrip("0")
    part = _REGION.fullmatch(plain)
    return plain if part is None else f"{part[1]}-{part[2]}"


def _technology(field: str) -> str:
    if field[0] == "F":
        return field
    if field[7:] != "00":
        raise FIELD(field="technology", value=field)
    return field[:7]


def _instant(field: str) -> int:
    try:
        at = datetime(
            int(field[:4]),
            int(field[4:6]),
            int(field[6:8]),
            int(field[8:10]),
            int(field[10:12]),
            int(field[12:]),
            tzinfo=UTC,
        )
    except ValueError:
        raise FIELD(field="start", value=field) from None
    return (at - _EPOCH) // timedelta(seconds=1)


@lru_cache(maxsize=4096)
def _packed_region(region: str) -> int:
    """The six characters of the text as a number in base 36, which is below 2^32."""
    return int(check_region(region).replace("-", ""), 36)


@lru_cache(maxsize=4096)
def _unpacked_region(number: int) -> str:
    digits = []
    rest = number
    while rest:
        rest, digit = divmod(rest, 36)
        digits.append(_ALPHABET[digit])
    try:
        region = check_region(_region("".join(reversed(digits))))
    except WattProofError:
        raise PACKED(bytes=PACKED_BYTES) from None
    if _packed_region(region) != number:
        raise PACKED(bytes=PACKED_BYTES)
    return region


@lru_cache(maxsize=1024)
def _packed_technology(technology: str) -> int:
    source = _SOURCE_BIT if technology.startswith("F") else 0
    return int(technology[1:]) | source


@lru_cache(maxsize=1024)
def _unpacked_technology(number: int) -> str:
    digits = number & ~_SOURCE_BIT
    try:
        return check_trace_technology(f"F{digits:08}" if number & _SOURCE_BIT else f"T{digits:06}")
    except WattProofError:
        raise PACKED(bytes=PACKED_BYTES) from None
