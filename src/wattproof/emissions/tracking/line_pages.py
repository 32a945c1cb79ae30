"""The form for sets of lines over a binding, and removing one.

GET  /tracking/errors/{group}/lines          the form
POST /tracking/errors/{group}/lines          shows what will be signed
POST /tracking/errors/{group}/remove-lines   shows what will be signed
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.i18n import duration
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Refused
from wattproof.core.periods import iso
from wattproof.core.units import units_of
from wattproof.emissions.tracking.forms import (
    STEPS_S,
    line_text,
    number_of,
    threshold_of,
)
from wattproof.emissions.tracking.host_view import acting
from wattproof.emissions.tracking.model import THRESHOLDS, RemoveThreshold
from wattproof.emissions.tracking.queries import binding_of, measured_quantity
from wattproof.emissions.tracking.refusals import LINE_ZERO_STEP, TOO_MANY_WATCHES
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.emissions.tracking.words import unit_of
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Ledger
from wattproof.ledger.store import Store

__all__ = ["line_pages"]

FIELDS: Final = {LINE_ZERO_STEP.code: "begin", TOO_MANY_WATCHES.code: "set"}
UNITS_NAMED: Final = 8


@get("/tracking/errors/{group:int}/lines", include_in_schema=False)
async def new_lines(
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """The form for a set of lines."""
    return _form(frame, visitor, ledger, facts.zone, group, Filled())


@post("/tracking/errors/{group:int}/lines", include_in_schema=False)
async def set_lines(
    request: Request[Any, Any, Any],
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    facts: NamedDependency[LedgerFacts],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    binding = binding_of(ledger, acting(ledger, visitor).host, group)
    try:
        body = threshold_of(
            form,
            group=group,
            quantity=measured_quantity(ledger, binding),
            zone=facts.zone,
            now_s=now_s(),
        )
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _form(frame, visitor, ledger, facts.zone, group, form.refused(refusal, FIELDS))
    return signer.draft(visitor, body, back=f"/tracking/errors/{group}")


@post("/tracking/errors/{group:int}/remove-lines", include_in_schema=False)
async def remove_lines(
    request: Request[Any, Any, Any],
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed: that a set is gone. Raises what would refuse it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    body = RemoveThreshold(group=group, set=number_of(form["set"]))
    rehearsal.check(visitor, body)
    return signer.draft(visitor, body, back=f"/tracking/errors/{group}")


def line_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [new_lines, set_lines, remove_lines]


def _form(
    frame: Frame, visitor: Visitor, ledger: Store, zone: str, group: int, form: Filled
) -> Response[Any]:
    view, lang = acting(ledger, visitor), visitor.lang
    binding = binding_of(ledger, view.host, group)
    sets, unit = list(ledger.scan(THRESHOLDS, view.host, group)), unit_of(ledger, binding)
    return frame.page(
        visitor,
        "tracking/lines_form.html",
        status=form.status,
        view=view,
        form=form,
        group=group,
        text=binding_text(group, binding.left, binding.right),
        free=max((one.set for one in sets), default=0) + 1,
        taken=[(one, [line_text(line, unit, lang) for line in one.lines]) for one in sets],
        steps=[(str(step_s), duration(step_s, lang)) for step_s in STEPS_S],
        units=units_of(measured_quantity(ledger, binding))[:UNITS_NAMED],
        clock=iso(now_s(), zone)[-6:],
        clock_zone=zone,
    )
