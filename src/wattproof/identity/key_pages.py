"""The page on which somebody who is signed in replaces the key of their party.

A key that is kept here is followed by one that is made here and kept sealed, before it is offered;
a key in the holder's own hands is replaced outside, and what was signed is handed in.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import ErrorCode, Malformed, Refused, WattProofError
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.gateway.submission import Submitter
from wattproof.identity import labels, queries
from wattproof.identity.model import RotateKey, rotation_message
from wattproof.keys import cose
from wattproof.keys.cose import MAX_TRANSACTION_BYTES
from wattproof.keys.did import public_of
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store

__all__ = ["handlers"]

NOT_A_ROTATION = ErrorCode(
    Malformed,
    "identity.rotate.other_type",
    en="Choose the file that “wattproof rotate-key” wrote: this is not the replacement of a key.",
    zh="请选择“wattproof rotate-key”生成的文件：该文件不是密钥更换交易。",
)
ABOUT = {
    "console.password": "password",
    "console.locked": "password",
    "identity.rotate.other_type": "signed",
    "identity.key.taken": "signed",
}


@get("/account/key", include_in_schema=False)
async def show_key(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    facts: NamedDependency[LedgerFacts],
    ledger: Ledger,
) -> Response[Any]:
    """The key with which the visitor's party signs, and how it is replaced."""
    return _page(frame, visitor, users, facts, ledger, Filled())


@post("/account/key", include_in_schema=False)
async def replace_key(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    facts: NamedDependency[LedgerFacts],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Make the key that follows, and show what will be signed."""
    form = await Filled.of(request)
    session = visitor.signed_in_as
    form_checked(request, visitor, form["csrf"])
    try:
        key = await sync_to_thread(
            users.plan_key, session, password=form.secret("password"), now_s=now_s()
        )
        party = queries.party(ledger, session.user.party)
        message = rotation_message(
            old_key=public_of(party.did), new_key=key.public, holder=party.id
        )
        body = RotateKey(new_key=key.public, proof=key.sign(message))
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _page(frame, visitor, users, facts, ledger, form.refused(refusal, ABOUT))
    return signer.draft(visitor, body, back="/account/key")


@post("/account/key/hand-in", include_in_schema=False)
async def hand_in(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    facts: NamedDependency[LedgerFacts],
    submitter: NamedDependency[Submitter],
    machine: NamedDependency[Machine],
    ledger: Ledger,
) -> Response[Any]:
    """Submit a replacement that was signed outside."""
    form = await Filled.of(request)
    party = visitor.signed_in_as.user.party
    form_checked(request, visitor, form["csrf"])
    file = form.file("signed")
    try:
        raw = b"" if file is None else await file.read(MAX_TRANSACTION_BYTES + 1)
        if not raw or not isinstance(machine.codec.decode(cose.parse(raw), raw).body, RotateKey):
            raise NOT_A_ROTATION()
        await submitter.submit(raw)
    except WattProofError as error:
        return _page(frame, visitor, users, facts, ledger, form.refused(error, ABOUT))
    return frame.go(f"/parties/{party}")


def handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_key, replace_key, hand_in]


def _page(
    frame: Frame,
    visitor: Visitor,
    users: Users,
    facts: LedgerFacts,
    ledger: Store,
    form: Filled,
) -> Response[Any]:
    user = visitor.signed_in_as.user
    party = queries.party(ledger, user.party)
    keys = labels.keys(queries.keys_of(ledger, kind="party", holder=party.id))
    others = [
        other.login
        for other in users.logins()
        if other.party == party.id and other.keeps_key and other.login != user.login
    ]
    return frame.page(
        visitor,
        "identity/key.html",
        status=form.status,
        form=form,
        party=party,
        keys=keys,
        others=others,
        keeps_key=user.keeps_key,
        ledger_id=facts.id,
    )
