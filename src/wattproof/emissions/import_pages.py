"""The pages of an import: a CSV file, its mapping, what it says, and its way onto the ledger.

    GET  /import                     one's imports, and the form for a file
    POST /import                     takes the file
    GET  /import/{id}                how far it is: what was found, progress, or the report
    GET  /import/{id}/progress       a piece of that page, while something is at work
    POST /import/{id}/run            signs and submits, or goes on with what was cut short
    POST /import/{id}/remove         removes it from here

What the columns mean is the matter of `import_mapping`. Nothing is signed before `run`. A draft is
found only among the visitor's own.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from babel.dates import format_datetime
from litestar import Request, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame, NavItem
from wattproof.console.i18n import LOCALES, marked
from wattproof.console.sign_in import form_checked
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import (
    Conflict,
    ErrorCode,
    Lang,
    Malformed,
    Refused,
    Unauthorised,
    WattProofError,
)
from wattproof.emissions.import_drafts import ImportDraft
from wattproof.emissions.import_mapping import mapping_pages
from wattproof.emissions.import_upload import MAX_FILE_BYTES, MAX_REQUEST_BYTES, receive
from wattproof.emissions.import_work import ImportWork
from wattproof.emissions.own_imports import AT_WORK, OWN_KEY, ROLE, importer, key_of, own_draft
from wattproof.gateway.ledger import LedgerFacts
from wattproof.metering.guess import look_at

__all__ = ["IMPORT_NAV", "import_pages"]

PROBLEMS_SHOWN: Final = 100
"""Problems of a file on one page."""
WAIT_S: Final = 1.5
"""How long a page waits for a job that may be done at once."""
LOOK_S: Final = 0.05

IMPORT_NAV: Final = (
    NavItem(path="/import", text=marked("Import"), icon="file-import", order=70, roles=(ROLE,)),
)

NOT_READY = ErrorCode(
    Conflict,
    "import.not_ready",
    en="There is nothing to import here yet: look at what was found first.",
    zh="尚无可导入的内容，请先查看核对结果。",
)
NOT_AGREED = ErrorCode(
    Malformed,
    "import.form_unconfirmed",
    en="A factor is not confirmed: say that you want to use it all the same.",
    zh="有排放因子未经证实：如仍要采用，请勾选确认。",
)

Id = FromPath[str]
Imports = NamedDependency[ImportWork]


@get("/import", include_in_schema=False)
async def list_imports(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame], imports: Imports
) -> Response[Any]:
    """One's imports, and the form for a file."""
    return _list(frame, importer(visitor), imports)


@post("/import", include_in_schema=False, request_max_body_size=MAX_REQUEST_BYTES)
async def upload(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    imports: Imports,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Take a file, and go on to what its columns mean."""
    importer(visitor)
    partial = imports.drafts.partial()
    try:
        try:
            found = await receive(
                request, partial, admit=lambda csrf: form_checked(request, visitor, csrf)
            )
            form_checked(request, visitor, found.fields.get("csrf", ""))
            await sync_to_thread(look_at, partial, zone=facts.zone)
            user = visitor.signed_in_as.user
            draft = imports.drafts.add(
                partial, login=user.login, party=user.party, file=found.name, now_s=now_s()
            )
        finally:
            partial.unlink(missing_ok=True)
    except Unauthorised:
        raise
    except Refused as refusal:
        return _list(frame, visitor, imports, refusal)
    return frame.go(f"/import/{draft.id}/mapping")


@get("/import/{draft_id:str}", include_in_schema=False)
async def show_import(
    draft_id: Id,
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    imports: Imports,
    problem: Annotated[int, QueryParameter(name="problem", ge=0, le=100_000)] = 0,
) -> Response[Any]:
    """How far an import is."""
    draft = own_draft(visitor, imports, draft_id)
    if draft.stage == "mapping":
        return frame.go(f"/import/{draft.id}/mapping")
    if draft.stage == "checking" and imports.progress(draft) is None:  # the node was restarted
        imports.check(draft, key=key_of(users, visitor))
    await _wait(imports, draft)
    return _show(frame, visitor, imports, draft, problem=problem)


@get("/import/{draft_id:str}/progress", include_in_schema=False)
async def show_progress(
    draft_id: Id,
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    imports: Imports,
) -> Response[Any]:
    """The moving part of the page; at the end the whole page is asked for again."""
    draft = own_draft(visitor, imports, draft_id)
    progress = imports.progress(draft)
    if progress is None:
        return Response(b"", media_type="text/html", headers={"HX-Refresh": "true"})
    return frame.page(visitor, "emissions/import_bar.html", draft=draft, progress=progress)


@post("/import/{draft_id:str}/run", include_in_schema=False)
async def run_draft(
    draft_id: Id,
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    imports: Imports,
) -> Response[Any]:
    """Sign and submit. Sent again, it changes nothing: what is done is done once."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    draft = own_draft(visitor, imports, draft_id)
    if draft.stage == "done" or imports.progress(draft) is not None:
        return frame.go(f"/import/{draft.id}")
    try:
        key = key_of(users, visitor)
        if key is None:
            raise OWN_KEY()
        preview = draft.preview
        if draft.stage not in ("checked", "running") or preview is None or not preview.ok:
            raise NOT_READY()
        if draft.stage == "checked" and preview.unconfirmed and not form["agreed"]:
            raise NOT_AGREED()
        imports.run(draft, key=key)
    except WattProofError as error:
        return _show(frame, visitor, imports, draft, error=error)
    return frame.go(f"/import/{draft.id}")


@post("/import/{draft_id:str}/remove", include_in_schema=False)
async def remove_draft(
    draft_id: Id,
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    imports: Imports,
) -> Response[Any]:
    """Remove an import from here; what it brought onto the ledger stays there."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    draft = own_draft(visitor, imports, draft_id)
    if imports.progress(draft) is not None:
        raise AT_WORK()
    imports.drafts.remove(draft)
    return frame.go("/import")


def import_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [
        list_imports, upload, show_import, show_progress, run_draft, remove_draft,
        *mapping_pages(),
    ]  # fmt: skip


async def _wait(imports: ImportWork, draft: ImportDraft) -> None:
    """Give a job that is nearly done the moment that it needs."""
    for _ in range(round(WAIT_S / LOOK_S)):
        if imports.progress(draft) is None:
            return
        await asyncio.sleep(LOOK_S)


def _list(
    frame: Frame, visitor: Visitor, imports: ImportWork, refusal: Refused | None = None
) -> Response[Any]:
    user = visitor.signed_in_as.user
    drafts = imports.drafts.of(user.login)
    return frame.page(
        visitor,
        "emissions/imports.html",
        status=refusal.http_status if refusal else 200,
        drafts=[(draft, imports.progress(draft) is not None) for draft in drafts],
        most_mib=MAX_FILE_BYTES >> 20,
        own_key=OWN_KEY().text(visitor.lang) if not user.keeps_key else "",
        error=refusal.text(visitor.lang) if refusal else "",
        code=refusal.code if refusal else "",
    )


def _show(
    frame: Frame,
    visitor: Visitor,
    imports: ImportWork,
    draft: ImportDraft,
    *,
    problem: int = 0,
    error: WattProofError | None = None,
) -> Response[Any]:
    """The page of a draft at its present stage."""
    progress = imports.progress(draft)
    draft = own_draft(visitor, imports, draft.id)
    values: dict[str, Any] = {
        "draft": draft,
        "progress": progress,
        "clock": partial(_clock, lang=visitor.lang),
    }
    if progress is not None:
        return frame.page(visitor, "emissions/import_progress.html", **values)
    if draft.stage == "done":
        return frame.page(visitor, "emissions/import_done.html", **values)
    if draft.stage == "running":
        return frame.page(visitor, "emissions/import_stopped.html", error=error, **values)
    preview = draft.preview
    problems = preview.problems if preview is not None else ()
    keeps_key = visitor.signed_in_as.user.keeps_key
    return frame.page(
        visitor,
        "emissions/import_preview.html",
        status=error.http_status if error else 200,
        preview=preview,
        problems=problems[problem : problem + PROBLEMS_SHOWN],
        before=problem,
        following=problem + PROBLEMS_SHOWN if problem + PROBLEMS_SHOWN < len(problems) else 0,
        error=error,
        own_key="" if keeps_key else OWN_KEY().text(visitor.lang),
        **values,
    )


def _clock(text: str, *, lang: Lang) -> str:
    """An ISO local time as people read it, on the clock that it was read on."""
    pattern = "y年M月d日 HH:mm" if lang == "zh" else "d MMM y, HH:mm"
    local = datetime.fromisoformat(text).replace(tzinfo=None)
    return format_datetime(local, pattern, locale=LOCALES[lang])
