"""How a device comes onto the ledger: its enrolment is written here, signed elsewhere, handed in.

The device signs for itself, with a key that nobody else has; so the console writes the enrolment
down for `wattproof sign`, and takes what was signed.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.sign_in import form_checked
from wattproof.console.visitor import Visitor
from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Malformed, Refused, WattProofError
from wattproof.core.periods import DEFAULT_ZONE, load_zone
from wattproof.core.units import QUANTITY_LABELS, base_unit, parse_quantity
from wattproof.gateway.access import may_see
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.gateway.submission import Submitter
from wattproof.identity import queries
from wattproof.identity.model import EnrolDevice
from wattproof.keys import cose
from wattproof.keys.cose import MAX_TRANSACTION_BYTES
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store

__all__ = ["enrolment_handlers"]

FILE: Final = "signed"

OTHER_TYPE = ErrorCode(
    Malformed,
    "identity.enrol.other_type",
    en="This is signed, but it is not a device's enrolment: {what}.",
    zh="该文件已签名，但不是设备接入申请：{what}。",
)
NO_FILE = ErrorCode(
    Malformed,
    "identity.enrol.no_file",
    en="Choose the file that was signed.",
    zh="请选择已签名的文件。",
)
MODULUS = ErrorCode(
    Malformed,
    "identity.enrol.modulus",
    en="Give a whole number of base units, or leave it empty where the register never starts"
    " again.",
    zh="请填写基本单位的整数；计度器不翻转时留空。",
)
ABOUT: Final = {
    "identity.device.taken": FILE,
    "identity.key.taken": FILE,
    "identity.enrol.other_type": FILE,
    "identity.enrol.no_file": FILE,
}


@get("/devices/enrol", include_in_schema=False)
async def show_enrolment(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    facts: NamedDependency[LedgerFacts],
    ledger: Ledger,
    handed_in: Annotated[str, QueryParameter(max_length=64)] = "",
) -> Response[Any]:
    """The three steps; with fields in the query, the enrolment written down."""
    return _page(frame, visitor, facts, asked=_asked(request), done=_entry(ledger, handed_in))


@get("/devices/enrol/file", include_in_schema=False)
async def enrolment_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The enrolment as a file for `wattproof sign`."""
    body = _enrolment(_asked(request))
    name = f'attachment; filename="enrol-{body.id.replace(":", "-")}.json"'
    return Response(
        _written(body).encode(),
        media_type="application/json",
        headers={"Content-Disposition": name},
    )


@post("/devices/enrol", include_in_schema=False)
async def hand_in(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    facts: NamedDependency[LedgerFacts],
    submitter: NamedDependency[Submitter],
    machine: NamedDependency[Machine],
    ledger: Ledger,
) -> Response[Any]:
    """Submit a device's own signed enrolment; the ledger says whether it is one."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    file = form.file(FILE)
    try:
        raw = b"" if file is None else await file.read(MAX_TRANSACTION_BYTES + 1)
        body = _signed_enrolment(machine, raw, visitor)
        receipt = await submitter.submit(raw)
    except WattProofError as error:
        return _page(frame, visitor, facts, handed=form.refused(error, ABOUT))
    device = queries.device(ledger, body.id)
    if may_see(visitor.actor, [device.owner]):
        return frame.go(f"/devices/{device.id}")
    return frame.go(f"/devices/enrol?handed_in={receipt.id.hex()}")


def enrolment_handlers() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_enrolment, enrolment_file, hand_in]


def _signed_enrolment(machine: Machine, raw: bytes, visitor: Visitor) -> EnrolDevice:
    if not raw:
        raise NO_FILE()
    body = machine.codec.decode(cose.parse(raw), raw).body
    if not isinstance(body, EnrolDevice):
        raise OTHER_TYPE(what=body.spec.zh if visitor.lang == "zh" else body.spec.en)
    return body


def _asked(request: Request[Any, Any, Any]) -> Filled:
    return Filled(dict(request.query_params.items()))


def _entry(ledger: Store, transaction_id: str) -> int | None:
    """The log index of what was handed in before."""
    try:
        found = ledger.find_entry(bytes.fromhex(transaction_id))
    except ValueError:
        return None
    return None if found is None else found.index


def _page(
    frame: Frame,
    visitor: Visitor,
    facts: LedgerFacts,
    *,
    asked: Filled | None = None,
    handed: Filled | None = None,
    done: int | None = None,
) -> Response[Any]:
    asked, handed = asked or Filled(), handed or Filled()
    body: EnrolDevice | None = None
    if "id" in asked.texts:
        try:
            body = _enrolment(asked)
        except Refused as refusal:
            asked.refused(refusal)
    return frame.page(
        visitor,
        "identity/enrol.html",
        status=max(asked.status, handed.status),
        asked=asked,
        handed=handed,
        done=done,
        written=None if body is None else _written(body),
        device=None if body is None else body.id,
        file=None if body is None else body.id.replace(":", "-"),
        query=_query(asked),
        ledger_id=facts.id,
        default_zone=DEFAULT_ZONE,
        quantities=[
            (name, f"{words[visitor.lang == 'zh']} · {name} ({base_unit(name)})")
            for name, words in QUANTITY_LABELS.items()
        ],
    )


def _enrolment(form: Filled) -> EnrolDevice:
    """The enrolment that the fields stand for. Raises `Malformed`."""
    id_, owner = form.take("id", check_id), form.take("owner", check_id)
    quantity = form.take("quantity", parse_quantity)
    zone = form.take("zone", _zone)
    modulus = form.take("register_modulus", _modulus, needed=False)
    form.finish()
    return form.bounded(
        EnrolDevice(
            id=id_,
            owner=owner,
            quantity=quantity,
            zone=zone,
            maker=form["maker"],
            model=form["model"],
            serial=form["serial"],
            register_modulus=modulus,
        )
    )


def _zone(text: str) -> str:
    load_zone(text)
    return text


def _modulus(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise MODULUS()
    return int(text)


def _written(body: EnrolDevice) -> str:
    """The enrolment as `wattproof sign` reads it, without what is at its default."""
    fields = {
        field.name: value
        for field in msgspec.structs.fields(body)
        if (value := getattr(body, field.name)) != field.default
    }
    document = {"type": body.spec.type, "version": body.spec.version, "fields": fields}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _query(form: Filled) -> dict[str, str]:
    names = EnrolDevice.__struct_fields__
    return {name: form[name] for name in names if form[name]}
