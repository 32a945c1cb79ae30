"""The words in which the checking page tells what a transaction says: names of types and fields."""

from __future__ import annotations

import json
import types
import typing
from functools import lru_cache
from typing import Any, get_args, get_origin

from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import Body, Part

__all__ = ["verify_data"]

Field = dict[str, Any]


@lru_cache(maxsize=8)
def verify_data(machine: Machine | None = None, *, ledger_id: str = "") -> str:
    """The page's data block: JSON that may stand inside a ``<script>`` element.

    Holds the ledger's id (hex), to be asked for unless the reader asks for another, and for each
    type of transaction its words and its fields in order, with those of the groups within.
    """
    contracts = machine.contracts if machine is not None else ()
    bodies = [body for contract in contracts for body in contract.rules]
    bodies.sort(key=lambda body: (body.spec.type, body.spec.version))
    data = {
        "ledger": ledger_id,
        "types": {f"{body.spec.type} {body.spec.version}": _words(body) for body in bodies},
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _words(body: type[Body]) -> dict[str, Any]:
    return {"en": body.spec.en, "zh": body.spec.zh, "fields": _fields(body)}


def _fields(struct: type[Body | Part]) -> list[Field]:
    hints = typing.get_type_hints(struct)
    return [_field(name, hints[name]) for name in struct.__struct_fields__]


def _field(name: str, hint: object) -> Field:
    """A field's name; for a `Part` also its fields, for several of them `many` as well."""
    if isinstance(hint, type) and issubclass(hint, Part):
        return {"name": name, "fields": _fields(hint)}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        inner = _field(name, arguments[0])
        return {**inner, "many": True} if "fields" in inner else inner
    if origin in (typing.Union, types.UnionType):
        found = [_field(name, argument) for argument in arguments]
        return next((field for field in found if "fields" in field), {"name": name})
    return {"name": name}
