"""The two languages of the pages: catalogues, numbers, dates.

English texts are the keys. Each room that has pages carries its Chinese in ``locale/zh.po`` beside
its templates; a test fails when a text has no translation, and another when a catalogue holds one
that is not used any more.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from wattproof.core.codes import province_of
from wattproof.core.errors import Lang
from wattproof.core.periods import Step, load_zone, local_time

__all__ = ["CATALOGUE", "LOCALES", "Texts", "duration", "long_date", "marked", "number",
           "period_label", "region_label", "stamp", "step_label"]  # fmt: skip

CATALOGUE: Final = "locale/zh.po"
LOCALES: Final[dict[Lang, str]] = {"en": "en", "zh": "zh_Hans_CN"}


class Texts:
    """The texts of several packages in both languages."""

    def __init__(self, packages: Iterable[str]) -> None:
        chinese = gettext.NullTranslations()
        for package in packages:
            catalogue = files(package).joinpath(CATALOGUE)
            if catalogue.is_file():
                # Each chain has objects of its own: a fallback stays where it was once added.
                compiled = io.BytesIO(_compiled(catalogue.read_text(encoding="utf-8")))
                texts = gettext.GNUTranslations(compiled)
                texts.add_fallback(chinese)
                chinese = texts
        self._texts: dict[Lang, gettext.NullTranslations] = {
            "en": gettext.NullTranslations(),
            "zh": chinese,
        }

    def of(self, lang: Lang) -> gettext.NullTranslations:
        """The texts in a language."""
        return self._texts[lang]


def marked(text: str) -> str:
    """A text in code that a page will translate: found here by what collects texts."""
    return text


@cache
def _compiled(text: str) -> bytes:
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.StringIO(text), locale="zh"))
    return compiled.getvalue()


def number(value: int, lang: Lang) -> str:
    """A whole number with its thousands marked."""
    return format_decimal(value, locale=LOCALES[lang])


def stamp(t_s: int, zone: str, lang: Lang) -> str:
    """A moment (Unix seconds) in a zone's local time, to the second."""
    return _formatted(
        t_s, "y年M月d日 HH:mm:ss" if lang == "zh" else "d MMM y, HH:mm:ss", zone, lang
    )


def duration(seconds: int, lang: Lang) -> str:
    """A length of time in the largest unit that holds it exactly: 900 s is 15 minutes."""
    size, en, zh = next(unit for unit in _UNITS if seconds % unit[0] == 0)
    count = seconds // size
    if lang == "zh":
        return f"{number(count, lang)} {zh}"
    return f"{number(count, lang)} {en}{'' if count == 1 else 's'}"


_UNITS: Final = (
    (86_400, "day", "天"),
    (3_600, "hour", "小时"),
    (60, "minute", "分钟"),
    (1, "second", "秒"),
)


def region_label(code: str, lang: Lang) -> str:
    """What people call a region: a province of China, or a country; else its code."""
    province = province_of(code)
    if province is not None:
        return province.name_zh if lang == "zh" else province.name_en
    name = Locale.parse(LOCALES[lang]).territories.get(code.partition("-")[0], code)
    return f"{name} ({code})" if "-" in code else str(name)


def period_label(start_s: int, step: Step, zone: str, lang: Lang) -> str:
    """What people call the hour, day, month or year that begins then."""
    return _formatted(start_s, _LONG[lang][step], zone, lang)


def step_label(start_s: int, step: Step, zone: str, lang: Lang) -> str:
    """The same in short, beside others of the next longer step: the 3rd of a month is ``3``."""
    return _formatted(start_s, _SHORT[lang][step], zone, lang)


_LONG: Final[Mapping[Lang, Mapping[Step, str]]] = {
    "en": {"hour": "d MMMM y, HH:mm", "day": "d MMMM y", "month": "MMMM y", "year": "y"},
    "zh": {"hour": "y年M月d日 HH:mm", "day": "y年M月d日", "month": "y年M月", "year": "y年"},
}
_SHORT: Final[Mapping[Lang, Mapping[Step, str]]] = {
    "en": {"hour": "HH:mm", "day": "d MMM", "month": "MMM y", "year": "y"},
    "zh": {"hour": "HH:mm", "day": "M月d日", "month": "y年M月", "year": "y年"},
}


def _formatted(t_s: int, pattern: str, zone: str, lang: Lang) -> str:
    return format_datetime(
        local_time(t_s, zone), pattern, tzinfo=load_zone(zone), locale=LOCALES[lang]
    )


def long_date(t_s: int, zone: str, lang: Lang) -> str:
    """The local day of a moment."""
    return format_date(local_time(t_s, zone), "long", locale=LOCALES[lang])
