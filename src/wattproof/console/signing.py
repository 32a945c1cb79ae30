"""From a filled-in form to a signed transaction: what will be signed is shown in words first.

A page that wants to change something makes a draft with `Signer.draft`, which sends the browser to
the draft's page. There the transaction stands in words, and nothing has happened yet. Sending that
page's form signs and submits it. The draft's nonce is fixed, so a double click, the back button, a
restart between two attempts, all give the same bytes and the first receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Response

from wattproof.console.drafts import Draft
from wattproof.console.frame import Frame
from wattproof.console.refusals import NO_DRAFT, OTHER_CONTENT
from wattproof.console.sign_in import form_checked, local_path
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import WattProofError
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.gateway.submission import Submitter
from wattproof.keys import cose
from wattproof.keys.derived import derived_key
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, encode_payload, new_nonce

__all__ = ["Follow", "Following", "Signer", "router"]

Follow = Callable[[Any, SigningKey | None], str]
"""What goes on after a transaction was signed here and is in the ledger.

It is given the body and the signer's key, None where that is not kept here, and gives the page to
which the browser goes.
"""

Following = Mapping[type[Body], Follow]
"""The transactions, by their type, that something follows on."""


class Signer:
    """Makes drafts for pages. Handlers ask for it by the name ``signer``."""

    def __init__(self, users: Users, frame: Frame) -> None:
        self._users = users
        self._frame = frame

    def draft(
        self, visitor: Visitor, body: Body, *, back: str = "/", purpose: str = ""
    ) -> Redirect:
        """Keep `body` as a draft of the visitor's, and show it.

        `back` is the page to go to where the visitor leaves it. With a `purpose` it is signed by
        the key that follows from the visitor's for it. Raises ``gateway.sign_in_needed``, and
        ``console.no_key`` where there is nothing here for it to follow from.
        """
        session = visitor.signed_in_as
        if purpose:
            self._users.key_of(session)
        payload = encode_payload(body, nonce=new_nonce())
        made = self._users.drafts.add(
            session.user.login, payload, back=local_path(back), purpose=purpose, now_s=now_s()
        )
        return self._frame.go(f"/sign/{made.id}")


@get("/sign/{draft_id:str}", include_in_schema=False)
async def show(
    draft_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    machine: NamedDependency[Machine],
    ledger: Ledger,
) -> Response[Any]:
    """What will be signed, in words."""
    return _page(frame, users, visitor, machine, ledger, _draft(users, visitor, draft_id))


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
    following: NamedDependency[Following],
    ledger: Ledger,
) -> Response[Any]:
    """Sign and submit; then show the entry, or go where something follows on it.

    A draft that is in the ledger is only shown.
    """
    form = await request.form()
    draft = _draft(users, visitor, draft_id)
    form_checked(request, visitor, str(form.get("csrf", "")))
    if draft.transaction_id:
        return frame.go(f"/ledger/transactions/{draft.transaction_id}")
    try:
        raw = await _signed(users, visitor, draft, form.get("signed"), bytes.fromhex(facts.id))
        receipt = await submitter.submit(raw)
    except WattProofError as error:
        return _page(frame, users, visitor, machine, ledger, draft, error)
    users.drafts.finish(draft.id, receipt.id.hex())
    body = machine.codec.body_of(draft.payload)
    if (follow := following.get(type(body))) is not None:
        keeps_key = visitor.signed_in_as.user.keeps_key
        return frame.go(follow(body, _key(users, visitor, draft) if keeps_key else None))
    return frame.go(f"/ledger/transactions/{receipt.id.hex()}")


def router() -> Router:
    """The routes."""
    return Router("/", route_handlers=[show, payload, sign])


async def _signed(
    users: Users, visitor: Visitor, draft: Draft, handed_in: Any, ledger_id: bytes
) -> bytes:
    session = visitor.signed_in_as
    if session.user.keeps_key:
        return cose.sign(draft.payload, _key(users, visitor, draft), aad=ledger_id)
    raw = await handed_in.read() if isinstance(handed_in, UploadFile) else b""
    if cose.parse(raw).payload != draft.payload:
        raise OTHER_CONTENT()
    return raw


def _key(users: Users, visitor: Visitor, draft: Draft) -> SigningKey:
    """The visitor's key, or the one that follows from it for the draft's purpose."""
    key = users.key_of(visitor.signed_in_as)
    return derived_key(key, draft.purpose) if draft.purpose else key


def _draft(users: Users, visitor: Visitor, draft_id: str) -> Draft:
    draft = users.drafts.find(visitor.signed_in_as.user.login, draft_id[:64])
    if draft is None:
        raise NO_DRAFT()
    return draft


def _page(
    frame: Frame,
    users: Users,
    visitor: Visitor,
    machine: Machine,
    ledger: Store,
    draft: Draft,
    error: WattProofError | None = None,
) -> Response[Any]:
    body = machine.codec.body_of(draft.payload)
    spec = body.spec
    derived = _key(users, visitor, draft).public if draft.purpose else b""
    return frame.page(
        visitor,
        "console/sign.html",
        status=error.http_status if error else 200,
        draft=draft.id,
        done=draft.transaction_id,
        what=spec.zh if visitor.lang == "zh" else spec.en,
        type=spec.type,
        version=spec.version,
        fields=frame.words.fields(body, lang=visitor.lang, reading=ledger, signer=derived),
        derived=did_of(derived) if derived else "",
        back=draft.back,
        ledger_id=ledger.entry(0).id.hex(),
        error=error.text(visitor.lang) if error else "",
        code=error.code if error else "",
    )
