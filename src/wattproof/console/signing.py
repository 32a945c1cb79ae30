"""From a filled-in form to a signed transaction: what will be signed is shown in words first.

A page that wants to change something makes a draft with `Signer.draft`, which sends the browser to
the draft's page. There the transaction stands in words, and nothing has happened yet. Sending that
page's form signs and submits it. The draft's nonce is fixed, so a double click, the back button, a
restart between two attempts, all give the same bytes and the first receipt.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Response

from wattproof.console.frame import Frame
from wattproof.console.sign_in import form_checked, local_path
from wattproof.console.users import Draft, Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import ErrorCode, Malformed, NotFound, WattProofError
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.submission import Submitter
from wattproof.gateway.words import plain
from wattproof.keys import cose
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import Body, encode_payload, new_nonce

__all__ = ["Signer", "router"]

NO_DRAFT = ErrorCode(
    NotFound,
    "console.no_draft",
    en="There is nothing of yours to sign here any more; fill the form in again.",
    zh="此处已没有待您签名的内容，请重新填写表单。",
)
OTHER_CONTENT = ErrorCode(
    Malformed,
    "console.other_content",
    en="What was handed in is another transaction than the one shown here.",
    zh="提交的交易与此处显示的内容不一致。",
)
SHOWN_ITEMS: Final = 20
"""Items of a long list that are shown."""


class Signer:
    """Makes drafts for pages. Handlers ask for it by the name ``signer``."""

    def __init__(self, users: Users, frame: Frame) -> None:
        self._users = users
        self._frame = frame

    def draft(self, visitor: Visitor, body: Body) -> Redirect:
        """Keep `body` as a draft of the visitor's, and show it."""
        assert visitor.session is not None, "the guard lets only those who are signed in"
        payload = encode_payload(body, nonce=new_nonce())
        made = self._users.add_draft(visitor.session.user.login, payload, now_s=now_s())
        return self._frame.go(f"/sign/{made.id}")


@get("/sign/{draft_id:str}", include_in_schema=False)
async def show(
    draft_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    machine: NamedDependency[Machine],
) -> Response[Any]:
    """What will be signed, in words."""
    return _page(frame, visitor, machine, _draft(users, visitor, draft_id))


@get("/sign/{draft_id:str}/payload", include_in_schema=False)
async def payload(
    draft_id: FromPath[str], visitor: NamedDependency[Visitor], users: NamedDependency[Users]
) -> Response[bytes]:
    """The bytes to be signed by those who hold their own key."""
    draft = _draft(users, visitor, draft_id)
    name = f'attachment; filename="payload-{draft_id[:8]}.cbor"'
    return Response(
        draft.payload, media_type="application/cbor", headers={"Content-Disposition": name}
    )


@post("/sign/{draft_id:str}", include_in_schema=False)
async def sign(
    request: Request[Any, Any, Any],
    draft_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    machine: NamedDependency[Machine],
    submitter: NamedDependency[Submitter],
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Sign and submit; then show the entry."""
    form = await request.form()
    form_checked(request, visitor, str(form.get("csrf", "")))
    draft = _draft(users, visitor, draft_id)
    try:
        raw = await _signed(users, visitor, draft, form.get("signed"), bytes.fromhex(facts.id))
        receipt = await submitter.submit(raw)
    except WattProofError as error:
        return _page(frame, visitor, machine, draft, error)
    users.finish_draft(draft.id, receipt.id.hex())
    return frame.go(f"/ledger/transactions/{receipt.id.hex()}")


def router() -> Router:
    """The routes."""
    return Router("/", route_handlers=[show, payload, sign])


async def _signed(
    users: Users, visitor: Visitor, draft: Draft, handed_in: Any, ledger_id: bytes
) -> bytes:
    assert visitor.session is not None, "the guard lets only those who are signed in"
    if visitor.session.user.keeps_key:
        return cose.sign(draft.payload, users.key_of(visitor.session), aad=ledger_id)
    raw = await handed_in.read() if isinstance(handed_in, UploadFile) else b""
    if cose.parse(raw).payload != draft.payload:
        raise OTHER_CONTENT()
    return raw


def _draft(users: Users, visitor: Visitor, draft_id: str) -> Draft:
    assert visitor.session is not None, "the guard lets only those who are signed in"
    draft = users.draft(visitor.session.user.login, draft_id[:64])
    if draft is None:
        raise NO_DRAFT()
    return draft


def _page(
    frame: Frame,
    visitor: Visitor,
    machine: Machine,
    draft: Draft,
    error: WattProofError | None = None,
) -> Response[Any]:
    body = machine.codec.body_of(draft.payload)
    spec = body.spec
    return frame.page(
        visitor,
        "console/sign.html",
        status=error.http_status if error else 200,
        draft=draft.id,
        done=draft.transaction_id,
        what=spec.zh if visitor.lang == "zh" else spec.en,
        type=spec.type,
        version=spec.version,
        fields=[(name, _shown(value)) for name, value in plain(body).items()],
        back=local_path("/"),
        error=error.text(visitor.lang) if error else "",
        code=error.code if error else "",
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(_shown(item) for item in value[:SHOWN_ITEMS])
        return shown + (f" … ({len(value)})" if len(value) > SHOWN_ITEMS else "") or "–"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_shown(item)}" for name, item in value.items())
    return "–" if value is None or value == "" else str(value)
