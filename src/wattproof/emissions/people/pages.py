"""The page of a person: a day declared as one more node, and the days declared so far.

    GET  /my-day           what is missing before a day can be declared, or the form of a day
    POST /my-day/node      the node's enrolment, to be signed by the node's key
    POST /my-day/confirm   the owner's confirmation of the node
    POST /my-day/sum       what the form comes to so far, a piece of the page
    POST /my-day           the same for browsers without JavaScript, or the day, to be signed
    GET  /my-day/days      the days declared so far, drawn and listed
    POST /my-day/forget    deletes what the days were made of

No address names a person: everything here is about whoever is signed in.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.i18n import marked
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Conflict, ErrorCode, Refused, Unauthorised
from wattproof.emissions.people.activities import GROUPS, Declared, activities
from wattproof.emissions.people.day import check_day, last_over, next_day, packet_of
from wattproof.emissions.people.details import DETAILS_FILE, Details
from wattproof.emissions.people.forms import counted, field_of
from wattproof.emissions.people.own_node import (
    PURPOSE,
    OwnNode,
    days_of,
    end_of,
    enrolment,
    own_node,
)
from wattproof.emissions.people.view import History, rows_shown
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.identity.model import PARTIES, ConfirmDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.store import Store

__all__ = ["ROOM", "pages"]

ROOM: Final = Room(
    name="people",
    package="wattproof.emissions.people",
    navigation=(
        NavItem(path="/my-day", text=marked("My day"), icon="user", order=75, persons=True),
    ),
)

NOT_PERSON = ErrorCode(
    Unauthorised,
    "people.not_person",
    en="Days are declared by people; {party} is no person on this ledger.",
    zh="只有个人可以申报日常排放；{party} 在本账本上不是个人。",
)
KEY_ELSEWHERE = ErrorCode(
    Conflict,
    "people.key_elsewhere",
    en="Your signing key is not kept here, and the key of your node follows from it: this page"
    " cannot sign for you.",
    zh="您的签名密钥不在此处保管，而您的节点密钥由它派生：本页面无法代为签名。",
)
NOT_ACTIVE = ErrorCode(
    Conflict,
    "people.node_waiting",
    en="Your node is not active yet, so it cannot declare a day.",
    zh="您的节点尚未生效，还不能申报。",
)
NOT_AGREED = ErrorCode(
    Conflict,
    "people.forget_unconfirmed",
    en="Nothing was deleted: say that you want it.",
    zh="未删除任何内容：请先勾选确认。",
)


class _Person(msgspec.Struct, frozen=True, kw_only=True):
    """The person who is signed in, the key that opens their details, and their node."""

    party: str
    key: SigningKey
    node: OwnNode
    end_s: int | None


@get("/my-day", include_in_schema=False)
async def show_day(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    ledger: Ledger,
) -> Response[Any]:
    """What is missing before a day can be declared, or the form of a day."""
    if not visitor.signed_in:
        return frame.page(visitor, "people/not_yet.html", why="", node=None)
    try:
        person = _person(visitor, users, ledger)
    except Refused as refusal:
        return frame.page(visitor, "people/not_yet.html", why=refusal.text(visitor.lang), node=None)
    if person.node.status != "active":
        return frame.page(visitor, "people/not_yet.html", why="", node=person.node)
    return _form(frame, visitor, person, Filled())


@post("/my-day/node", include_in_schema=False)
async def enrol_node(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    users: NamedDependency[Users],
    ledger: Ledger,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Show the node's enrolment, to be signed by its own key."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    person = _person(visitor, users, ledger)
    body = enrolment(person.node, owner=person.party, zone=facts.zone)
    return signer.draft(visitor, body, back="/my-day", purpose=PURPOSE)


@post("/my-day/confirm", include_in_schema=False)
async def confirm_node(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    users: NamedDependency[Users],
    ledger: Ledger,
) -> Response[Any]:
    """Show the owner's confirmation of the node, to be signed by the person's key."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    person = _person(visitor, users, ledger)
    return signer.draft(visitor, ConfirmDevice(device=person.node.id), back="/my-day")


@post("/my-day/sum", include_in_schema=False)
async def show_sum(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    ledger: Ledger,
) -> Response[Any]:
    """What the form comes to so far; what is wrong with it is said in its place."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    _person(visitor, users, ledger)
    declared, why = _tried(form, visitor)
    return frame.page(visitor, "people/sum.html", **_sum_of(declared, visitor), why=why)


@post("/my-day", include_in_schema=False)
async def declare(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    users: NamedDependency[Users],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
) -> Response[Any]:
    """Show the day as it will be signed, or the form again with its sum or what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    person = _person(visitor, users, ledger)
    zone = _zone(person)
    try:
        declared = counted(form, visitor.lang)
        if form["do"] == "count":
            return _form(frame, visitor, person, form, declared)
        day = check_day(form["day"], person.end_s, now_s=now_s(), zone=zone)
    except Refused as refusal:
        form.refused(refusal, _ABOUT_DAY)
        return _form(frame, visitor, person, form, _tried(form, visitor)[0])
    packet = packet_of(person.node.stream, day, declared.grams, zone=zone)
    if form["keep"]:
        _details(folder, person).keep(packet.start_s, declared)
    return signer.draft(visitor, packet, back="/my-day", purpose=PURPOSE)


@get("/my-day/days", include_in_schema=False)
async def show_days(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """The days declared so far."""
    return _days(frame, visitor, _person(visitor, users, ledger), ledger, folder, facts)


@post("/my-day/forget", include_in_schema=False)
async def forget(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """Delete what the days were made of; the grams on the log stay."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    person = _person(visitor, users, ledger)
    if not form["sure"]:
        form.refused(NOT_AGREED())
        return _days(frame, visitor, person, ledger, folder, facts, form)
    _details(folder, person).forget()
    return frame.go("/my-day/days")


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_day, enrol_node, confirm_node, show_sum, declare, show_days, forget]


_ABOUT_DAY: Final = {
    "people.day": "day",
    "people.day_future": "day",
    "people.day_declared": "day",
}


def _person(visitor: Visitor, users: Users, ledger: Store) -> _Person:
    """Whoever is signed in. Raises ``people.not_person`` or ``people.key_elsewhere``."""
    session = visitor.signed_in_as
    party = ledger.get(PARTIES, session.user.party)
    if party is None or party.kind != "person":
        raise NOT_PERSON(party=session.user.party)
    if not session.user.keeps_key:
        raise KEY_ELSEWHERE()
    key = users.key_of(session)
    return _Person(
        party=party.id,
        key=key,
        node=own_node(ledger, key),
        end_s=end_of(ledger, party.id),
    )


def _zone(person: _Person) -> str:
    """The zone of the person's active node; raises ``people.node_waiting`` without one."""
    device = person.node.device
    if device is None or device.status != "active":
        raise NOT_ACTIVE()
    return device.zone


def _details(folder: LedgerFolder, person: _Person) -> Details:
    return Details(folder.path / DETAILS_FILE, party=person.party, key=person.key)


def _tried(form: Filled, visitor: Visitor) -> tuple[Declared | None, str]:
    """What the form comes to, or why it comes to nothing yet."""
    try:
        return counted(Filled(form.texts), visitor.lang), ""
    except Refused as refusal:
        return None, refusal.text(visitor.lang)


def _sum_of(declared: Declared | None, visitor: Visitor) -> dict[str, Any]:
    rows = () if declared is None else rows_shown(declared, visitor.lang)
    return {"declared": declared, "rows": rows}


def _form(
    frame: Frame,
    visitor: Visitor,
    person: _Person,
    form: Filled,
    declared: Declared | None = None,
) -> Response[Any]:
    zone = _zone(person)
    first = next_day(person.end_s, now_s=now_s(), zone=zone)
    return frame.page(
        visitor,
        "people/my_day.html",
        status=form.status,
        form=form,
        groups=[
            (name, words[visitor.lang == "zh"], [one for one in activities() if one.group == name])
            for name, words in GROUPS.items()
        ],
        measures={one.id: one.measure_name(visitor.lang) for one in activities()},
        field_of=field_of,
        first=first.isoformat() if first else "",
        last=last_over(now_s(), zone).isoformat(),
        why="",
        **_sum_of(declared, visitor),
    )


def _days(
    frame: Frame,
    visitor: Visitor,
    person: _Person,
    ledger: Store,
    folder: LedgerFolder,
    facts: LedgerFacts,
    form: Filled | None = None,
) -> Response[Any]:
    details = _details(folder, person).all()
    zone = person.node.device.zone if person.node.device else facts.zone
    text = frame.text(visitor.lang)
    return frame.page(
        visitor,
        "people/days.html",
        status=form.status if form else 200,
        form=form or Filled(),
        history=History(
            days_of(ledger, person.party, details),
            zone=zone,
            lang=visitor.lang,
            title=text(marked("Your days")),
            line=text(marked("Declared")),
        ),
        kept=len(details),
    )
