"""The frame that every page hangs in: layout, navigation, language, and how values are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response

from wattproof import __version__
from wattproof.console.assets import asset_url
from wattproof.console.chart import about, decimal_text, unit_name
from wattproof.console.i18n import (
    Texts,
    duration,
    long_date,
    marked,
    number,
    period_label,
    region_label,
    stamp,
)
from wattproof.console.ledger_words import WORDS
from wattproof.console.visitor import VISIT_COOKIE, Visitor
from wattproof.console.words import RoomWords, Words
from wattproof.core.errors import Lang
from wattproof.core.periods import iso
from wattproof.core.units import format_amount, quantity_label
from wattproof.gateway.access import Policy

__all__ = ["CONTENT_POLICY", "Frame", "NavItem", "Room"]

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""What a page may load and do: nothing from elsewhere, no script that is not a file of ours."""

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    # Without a referrer browsers send forms of an opaque origin, which would hide a foreign one.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language",
}


_NOTE: Final = re.compile(r"\s*[(（][^()（）]*[)）]$")
"""A note in brackets at the end of a sentence, which a heading goes without."""


class NavItem(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the navigation: where it leads, its text (English key) and icon.

    `roles` are those that see it; none means everybody who may read; `public` also others. What is
    for `persons` is not shown to who has a role.
    """

    path: str
    text: str
    icon: str
    order: int
    roles: tuple[str, ...] = ()
    public: bool = False
    persons: bool = False


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room that has pages: its name, its package (templates, catalogue), its navigation."""

    name: str
    package: str
    navigation: tuple[NavItem, ...] = ()


CONSOLE: Final = Room(
    name="console",
    package="wattproof.console",
    navigation=(
        NavItem(path="/ledger", text=marked("The ledger"), icon="list-details", order=80),
        NavItem(
            path="/verify",
            text=marked("Check a proof"),
            icon="shield-check",
            order=90,
            public=True,
        ),
    ),
)


def _is_for(item: NavItem, visitor: Visitor) -> bool:
    """Whether an entry of the navigation is meant for a visitor who may read."""
    if item.persons and visitor.actor.roles:
        return False
    return not item.roles or visitor.has_role(*item.roles)


class Frame:
    """Renders pages. One for the whole application."""

    def __init__(
        self,
        rooms: Sequence[Room],
        *,
        words: Sequence[RoomWords] = (),
        zone: str,
        ledger_name: str,
        open_to_anybody: Policy = lambda: False,
    ) -> None:
        everything = (CONSOLE, *rooms)
        self.words: Final = Words((WORDS, *words), zone=zone)
        self._texts = Texts(room.package for room in everything)
        self._zone = zone
        self._ledger_name = ledger_name
        self._open_to_anybody = open_to_anybody
        items = [item for room in everything for item in room.navigation]
        self._navigation = sorted(items, key=lambda item: item.order)
        self._environments = {lang: self._environment(everything, lang) for lang in ("en", "zh")}

    def text(self, lang: Lang) -> Callable[[str], str]:
        """What translates an English text."""
        return self._texts.of(lang).gettext

    def page(
        self, visitor: Visitor, template: str, *, status: int = 200, **values: Any
    ) -> Response[str]:
        """A page: the template (``room/name.html``) with `values` and what every page has."""
        html = (
            self._environments[visitor.lang]
            .get_template(template)
            .render(visitor=visitor, status=status, navigation=self._shown(visitor), **values)
        )
        cookies = [] if not visitor.fresh_visit else [_visit(visitor)]
        return Response(
            html,
            status_code=status,
            media_type="text/html; charset=utf-8",
            headers=dict(HEADERS),
            cookies=cookies,
        )

    def go(self, path: str) -> Redirect:
        """Send the browser to another page after a form (303)."""
        return Redirect(path, status_code=303)

    def _shown(self, visitor: Visitor) -> list[NavItem]:
        reads = visitor.signed_in or self._open_to_anybody()
        return [
            item for item in self._navigation if item.public or (reads and _is_for(item, visitor))
        ]

    def _environment(self, rooms: Sequence[Room], lang: Lang) -> Environment:
        environment = Environment(
            loader=PrefixLoader({room.name: PackageLoader(room.package) for room in rooms}),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            self._texts.of(lang), newstyle=True
        )
        environment.globals.update(
            lang=lang,
            software=__version__,
            ledger_name=self._ledger_name,
            zone=self._zone,
            asset=asset_url,
        )
        environment.filters.update(
            number=partial(number, lang=lang),
            stamp=lambda t_s, zone=self._zone: stamp(t_s, zone, lang),
            day=lambda t_s, zone=self._zone: long_date(t_s, zone, lang),
            listed=lambda texts: ("、" if lang == "zh" else ", ").join(texts),
            iso=lambda t_s, zone=self._zone: iso(t_s, zone),
            duration=lambda seconds: duration(seconds, lang),
            amount=lambda value, unit: format_amount(value, unit, lang),
            quantity=lambda name: quantity_label(name, lang),
            word=lambda value, field: self.words.value(field, value, lang),
            region=lambda code: region_label(code, lang),
            sentence=lambda both: both.zh if lang == "zh" else both.en,
            heading=lambda text: _NOTE.sub("", text),
            about=lambda value, unit: about(value, unit, lang),
            chart=lambda chart: _chart_json(chart.data(lang)),
            decimals=decimal_text,
            unit=lambda unit: unit_name(unit, lang),
            period=lambda t_s, step, zone=self._zone: period_label(t_s, step, zone, lang),
        )
        return environment


def _chart_json(value: Any) -> str:
    """Data for a chart, to stand in a ``data-`` attribute."""
    return json.dumps(value, ensure_ascii=False)


def _visit(visitor: Visitor) -> Cookie:
    return Cookie(key=VISIT_COOKIE, value=visitor.csrf, path="/", httponly=True, samesite="strict")
