"""The page on which somebody says what the columns of an uploaded file mean.

GET  /import/{id}/mapping        guessed, or as it was said before
POST /import/{id}/mapping        takes it, and has the file read with it
POST /import/{id}/mapping/text   the same from the text of an M.toml
GET  /import/{id}/mapping.toml   the mapping that was made
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.i18n import duration
from wattproof.console.sign_in import form_checked
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Lang, Refused
from wattproof.core.units import FAMILIES, QUANTITY_LABELS, UNITS, quantity_label
from wattproof.emissions.import_drafts import ImportDraft
from wattproof.emissions.import_form import (
    DELIMITER_NAMES,
    ENCODINGS,
    INTERVALS,
    columns_of,
    fields_of_guess,
    fields_of_map,
    mapping_of,
)
from wattproof.emissions.import_work import ImportWork
from wattproof.emissions.model import FACTORS
from wattproof.emissions.own_imports import key_of, open_draft, own_draft
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.ledger.store import Store
from wattproof.metering.guess import Guess, look_at
from wattproof.metering.map_text import map_text
from wattproof.metering.mapping import ImportMap, read_map
from wattproof.metering.stamp_guess import FORMATS

__all__ = ["mapping_pages"]

FACTORS_OFFERED: Final = 500
"""Factors that the form offers; any other can be typed in."""

Id = FromPath[str]
Imports = NamedDependency[ImportWork]


@get("/import/{draft_id:str}/mapping", include_in_schema=False)
async def show_mapping(
    draft_id: Id,
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    imports: Imports,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """The form for what the columns mean."""
    draft = open_draft(visitor, imports, draft_id)
    guess = await _guess(imports, draft, facts.zone)
    mapping = read_map(draft.mapping) if draft.mapping else None
    fields = fields_of_guess(guess) if mapping is None else fields_of_map(mapping, guess)
    return _mapping(frame, visitor, ledger, draft, guess, mapping, Filled(fields))


@post("/import/{draft_id:str}/mapping", include_in_schema=False)
async def take_mapping(
    draft_id: Id,
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    users: NamedDependency[Users],
    imports: Imports,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Take what the columns mean, and have the file read; or look at the file in another way."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    draft = open_draft(visitor, imports, draft_id)
    if form["again"]:
        delimiter = DELIMITER_NAMES.get(form["delimiter"], "")
        draft = msgspec.structs.replace(
            draft, encoding=form["encoding"], delimiter=delimiter, mapping=""
        )
        await _guess(imports, draft, facts.zone)  # refused here, not on the next page
        imports.drafts.save(draft)
        return frame.go(f"/import/{draft.id}/mapping")
    guess = await _guess(imports, draft, facts.zone)
    try:
        mapping = mapping_of(form, guess.header)
    except Refused as refusal:
        return _mapping(frame, visitor, ledger, draft, guess, None, form.refused(refusal))
    return _checked(frame, visitor, users, imports, draft, mapping)


@post("/import/{draft_id:str}/mapping/text", include_in_schema=False)
async def take_mapping_text(
    draft_id: Id,
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    users: NamedDependency[Users],
    imports: Imports,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Take an M.toml, pasted or as a file, and have the file read with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    draft = open_draft(visitor, imports, draft_id)
    handed_in = form.file("toml_file")
    data = form["toml"].encode() if handed_in is None else await handed_in.read()
    try:
        mapping = read_map(data.decode("utf-8-sig", errors="replace"))
    except Refused as refusal:
        guess = await _guess(imports, draft, facts.zone)
        fields = {**fields_of_guess(guess), "toml": form["toml"]}
        again = Filled(fields).refused(refusal, {refusal.code: "toml"})
        return _mapping(frame, visitor, ledger, draft, guess, None, again)
    return _checked(frame, visitor, users, imports, draft, mapping)


@get("/import/{draft_id:str}/mapping.toml", include_in_schema=False)
async def give_mapping(
    draft_id: Id, visitor: NamedDependency[Visitor], imports: Imports
) -> Response[str]:
    """The mapping as a file."""
    draft = own_draft(visitor, imports, draft_id)
    headers = {"Content-Disposition": f'attachment; filename="mapping-{draft.id[:6]}.toml"'}
    return Response(draft.mapping, media_type="application/toml; charset=utf-8", headers=headers)


def mapping_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_mapping, take_mapping, take_mapping_text, give_mapping]


async def _guess(imports: ImportWork, draft: ImportDraft, zone: str) -> Guess:
    return await sync_to_thread(
        look_at,
        imports.drafts.readings(draft),
        zone=zone,
        encoding=draft.encoding,
        delimiter=draft.delimiter,
    )


def _checked(
    frame: Frame,
    visitor: Visitor,
    users: Users,
    imports: ImportWork,
    draft: ImportDraft,
    mapping: ImportMap,
) -> Response[Any]:
    """Keep a mapping, and have the file read with it."""
    draft = msgspec.structs.replace(draft, mapping=map_text(mapping))
    imports.check(draft, key=key_of(users, visitor))
    return frame.go(f"/import/{draft.id}")


def _mapping(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    draft: ImportDraft,
    guess: Guess,
    mapping: ImportMap | None,
    form: Filled,
) -> Response[Any]:
    lang = visitor.lang
    columns = columns_of(guess, mapping)
    return frame.page(
        visitor,
        "emissions/import_mapping.html",
        status=form.status,
        draft=draft,
        guess=guess,
        form=form,
        likely=[column for column in columns if column.likely or form[f"c{column.at}.take"]],
        others=[
            column for column in columns if not column.likely and not form[f"c{column.at}.take"]
        ],
        quantities=_quantities(lang),
        units=[(name, unit.zh if lang == "zh" else "") for name, unit in UNITS.items()],
        factors=_factors(ledger, lang),
        column_options=[("", "–"), *((name, name) for name in dict.fromkeys(guess.header))],
        format_options=[(format_, "") for format_ in FORMATS],
        interval_options=[(seconds, duration(seconds, lang)) for seconds in INTERVALS],
        encoding_options=[(encoding, "") for encoding in ENCODINGS],
    )


def _quantities(lang: Lang) -> list[tuple[str, str]]:
    names: Sequence[str] = (*QUANTITY_LABELS, *FAMILIES)
    return [(name, quantity_label(name, lang)) for name in names]


def _factors(ledger: Store, lang: Lang) -> list[tuple[str, str]]:
    """Factors to be offered: id and name."""
    found = ledger.page(FACTORS, after=None, limit=FACTORS_OFFERED)
    names = {one.id: one.stated.name_zh if lang == "zh" else one.stated.name_en for one in found}
    return list(names.items())
