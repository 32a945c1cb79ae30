"""The pages of a host's wiring: its picture, ports, bindings, and the forms that change them.

GET  /tracking/wiring                  ports and bindings, as a picture and as tables
GET  /tracking/wiring/port             the form for a port
POST /tracking/wiring/port             shows what will be signed
GET  /tracking/wiring/binding          the form for a binding, typed as on a keypad
POST /tracking/wiring/binding          shows what will be signed
POST /tracking/wiring/remove-port      shows what will be signed
POST /tracking/wiring/release          shows what will be signed: a binding released
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.actor import Actor
from wattproof.core.errors import Refused
from wattproof.emissions.tracking.diagram import Diagram, cut, diagram
from wattproof.emissions.tracking.forms import (
    KINDS,
    MEASURES,
    TRANSPORTS,
    binding_of,
    devices_offered,
    free_number,
    number_of,
    port_of,
)
from wattproof.emissions.tracking.host_view import HostAsked, HostView, acting, host_view
from wattproof.emissions.tracking.model import (
    BINDINGS,
    PORTS,
    THRESHOLDS,
    Binding,
    Port,
    RemoveBinding,
    RemovePort,
)
from wattproof.emissions.tracking.node_view import NodeView, node_view, nodes_of
from wattproof.emissions.tracking.refusals import (
    DEVICE_NOT_YOURS,
    GROUP_TAKEN,
    PART_TAKEN,
    PORT_REPEATED,
    PORT_TAKEN,
    PORT_TWICE,
    PORT_UNKNOWN,
    PREDICTION_MISPLACED,
    PREDICTION_MISSING,
    QUANTITIES_DIFFER,
    SYNTAX,
)
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body

__all__ = ["GroupView", "group_views", "wiring_pages"]

PATH: Final = "/tracking/wiring"

PORT_FIELDS: Final[Mapping[str, str]] = {
    PORT_TAKEN.code: "number",
    DEVICE_NOT_YOURS.code: "device",
}
BINDING_FIELDS: Final[Mapping[str, str]] = dict.fromkeys(
    (
        one.code
        for one in (
            GROUP_TAKEN, PART_TAKEN, PORT_REPEATED, PORT_TWICE, PORT_UNKNOWN,
            PREDICTION_MISPLACED, PREDICTION_MISSING, QUANTITIES_DIFFER, SYNTAX,
        )
    ),
    "text",
)  # fmt: skip
"""What the ledger refuses of a binding is about what was typed."""


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A binding as people type it, how many sets of lines watch it, and open interrupts."""

    binding: Binding
    text: str
    sets: int
    open: int

    @property
    def state(self) -> str:
        """How the group is, in a word: ``interrupt``, ``within`` its lines, or ``unwatched``."""
        if self.open:
            return "interrupt"
        return "within" if self.sets else "unwatched"


@get(PATH, include_in_schema=False)
async def show_wiring(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    host: HostAsked = "",
) -> Response[Any]:
    """The wiring of one host."""
    view = host_view(ledger, visitor, actor, host)
    ports = list(ledger.scan(PORTS, view.host))
    nodes = await long_reads.run(lambda: _nodes(ledger, view.host))
    groups = group_views(ledger, view.host)
    return frame.page(
        visitor,
        "tracking/wiring.html",
        view=view,
        ports=[(port, nodes[port.device]) for port in ports if port.device in nodes],
        bound=_bound(groups),
        groups=groups,
        picture=_picture(ports, groups, nodes),
        nodes=nodes,
        by_group={str(group.binding.group): group for group in groups},
        cut=cut,
    )


@get(f"{PATH}/port", include_in_schema=False)
async def new_port(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame], ledger: Ledger, actor: Asker
) -> Response[Any]:
    """The form for a port."""
    return _port_form(frame, visitor, ledger, actor, Filled())


@post(f"{PATH}/port", include_in_schema=False)
async def define_port(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = port_of(ledger, form, actor)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _port_form(frame, visitor, ledger, actor, form.refused(refusal, PORT_FIELDS))
    return signer.draft(visitor, body, back=PATH)


@get(f"{PATH}/binding", include_in_schema=False)
async def new_binding(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame], ledger: Ledger
) -> Response[Any]:
    """The form for a binding."""
    return _binding_form(frame, visitor, ledger, Filled())


@post(f"{PATH}/binding", include_in_schema=False)
async def define_binding(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong with it."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = binding_of(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _binding_form(frame, visitor, ledger, form.refused(refusal, BINDING_FIELDS))
    return signer.draft(visitor, body, back=PATH)


@post(f"{PATH}/remove-port", include_in_schema=False)
async def remove_port(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed: that the number of a port is free. Raises what would refuse it."""
    form = await Filled.of(request)
    number = number_of(form["number"])
    return _removed(request, visitor, signer, rehearsal, form, RemovePort(number=number))


@post(f"{PATH}/release", include_in_schema=False)
async def release_binding(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Show what will be signed: that a binding is released. Raises what would refuse it."""
    form = await Filled.of(request)
    group = number_of(form["group"])
    return _removed(request, visitor, signer, rehearsal, form, RemoveBinding(group=group))


def wiring_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [
        show_wiring,
        new_port,
        define_port,
        new_binding,
        define_binding,
        remove_port,
        release_binding,
    ]


def group_views(ledger: Store, host: str) -> list[GroupView]:
    """The bindings of a host, by group."""
    found = []
    for binding in ledger.scan(BINDINGS, host):
        sets = list(ledger.scan(THRESHOLDS, host, binding.group))
        found.append(
            GroupView(
                binding=binding,
                text=binding_text(binding.group, binding.left, binding.right),
                sets=len(sets),
                open=sum(bool(line.open) for one in sets for line in one.lines),
            )
        )
    return found


def _nodes(ledger: Store, host: str) -> dict[str, NodeView]:
    """The nodes at a host's ports, by the id of the device."""
    now = now_s()
    return {
        device.id: node_view(ledger, device, ports, now_s=now)
        for device, ports in nodes_of(ledger, host)
        if ports
    }


def _removed(
    request: Request[Any, Any, Any],
    visitor: Visitor,
    signer: Signer,
    rehearsal: Rehearsal,
    form: Filled,
    body: Body,
) -> Response[Any]:
    form_checked(request, visitor, form["csrf"])
    rehearsal.check(visitor, body)
    return signer.draft(visitor, body, back=PATH)


def _bound(groups: list[GroupView]) -> dict[int, list[int]]:
    """The groups in which a port stands, by the port's number."""
    found: dict[int, list[int]] = {}
    for group in groups:
        for number in group.binding.left + group.binding.right:
            found.setdefault(number, []).append(group.binding.group)
    return found


def _picture(
    ports: list[Port], groups: list[GroupView], nodes: Mapping[str, NodeView]
) -> Diagram | None:
    shown = [port for port in ports if port.device in nodes]
    if not shown:
        return None
    numbers = {port.number for port in shown}
    bindings = [
        group.binding
        for group in groups
        if numbers.issuperset(group.binding.left + group.binding.right)
    ]
    return diagram(shown, bindings)


def _port_form(
    frame: Frame, visitor: Visitor, ledger: Store, actor: Actor, form: Filled
) -> Response[Any]:
    view: HostView = acting(ledger, visitor)
    ports = list(ledger.scan(PORTS, view.host))

    def used(field: str) -> list[tuple[str, str]]:
        names = sorted({getattr(port, field) for port in ports} - {""})
        return [(name, name) for name in names]

    return frame.page(
        visitor,
        "tracking/port_form.html",
        status=form.status,
        view=view,
        form=form,
        number=free_number(ports),
        devices=devices_offered(ledger, actor),
        transports=[(name, name) for name in TRANSPORTS],
        plants=used("plant"),
        processes=used("process"),
        people=used("person"),
    )


def _binding_form(frame: Frame, visitor: Visitor, ledger: Store, form: Filled) -> Response[Any]:
    view = acting(ledger, visitor)
    words, lang = frame.words, visitor.lang
    groups = [binding.group for binding in ledger.scan(BINDINGS, view.host)]
    return frame.page(
        visitor,
        "tracking/binding_form.html",
        status=form.status,
        view=view,
        form=form,
        ports=list(ledger.scan(PORTS, view.host)),
        groups=groups,
        kinds=[(kind, words.value("kind", kind, lang)) for kind in KINDS],
        measures=[(one, words.value("measure", one, lang)) for one in MEASURES],
    )
