"""From the fields of a form to the definition of a product or of a class of vehicles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattproof.console.filled import Filled
from wattproof.core.codes import check_id
from wattproof.core.errors import Conflict, ErrorCode, Malformed
from wattproof.core.units import parse_decimal
from wattproof.emissions.library import factor_ug
from wattproof.emissions.logistics.emission import factor_applies
from wattproof.emissions.logistics.model import (
    MODES,
    SCOPES,
    DefineProduct,
    DefineVehicle,
    VehicleQuantity,
)
from wattproof.emissions.logistics.refusals import VEHICLE_MISMATCH
from wattproof.emissions.model import FACTORS, Factor
from wattproof.emissions.queries import latest_factor
from wattproof.emissions.refusals import NO_FACTOR
from wattproof.ledger.state import Reading

__all__ = ["ABOUT_FIELDS", "QUANTITIES", "UNCONFIRMED", "product_body", "vehicle_body"]

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "emissions.product.scope": "scope",
    "emissions.vehicle.factor": "value",
    "emissions.vehicle.both_factors": "value",
    "emissions.vehicle.mismatch": "factor",
    "emissions.no_factor": "factor",
    "emissions.factor_unknown": "factor",
    "shipments.unconfirmed": "agreed",
}
"""Which field of a form a refusal of the ledger is about."""

UNCONFIRMED: Final = "unconfirmed"
"""The confidence of a factor that nobody could confirm; using it takes an explicit yes."""

QUANTITIES: Final[Mapping[VehicleQuantity, str]] = {
    "distance": "kgCO2e/km",
    "freight": "kgCO2e/t-km",
}
"""In which unit the form takes a value, by what it applies to."""

NOT_CHOICE = ErrorCode(
    Malformed,
    "shipments.form_choice",
    en="{text!r} is none of {allowed}.",
    zh="“{text}”不在可选范围：{allowed}。",
)
NOT_AGREED = ErrorCode(
    Conflict,
    "shipments.unconfirmed",
    en="Factor {factor} is not confirmed: say that you want to use it all the same.",
    zh="排放因子 {factor} 未经证实：如仍要采用，请勾选确认。",
)


def product_body(form: Filled) -> DefineProduct:
    """The definition of a product; without a value it has no factor. Raises `Malformed`."""
    id_ = form.take("id", check_id)
    value_ug = form.take("value", _value("distance"), needed=False)
    form.finish()
    return form.bounded(
        DefineProduct(
            id=id_,
            name=form["name"],
            unit=form["unit"],
            value_ug=value_ug,
            scope=_scope(form["scope"]) if value_ug is not None else "",
            source=form["source"],
        )
    )


def vehicle_body(form: Filled, *, reading: Reading) -> DefineVehicle:
    """The definition of a class of vehicles: by a factor of the ledger, or by a value of one's own.

    Raises `Malformed`, and ``shipments.unconfirmed`` where nobody said yes to such a factor.
    """
    id_, mode = form.take("id", check_id), form.take("mode", _chosen(MODES))
    factor = form.take("factor", lambda text: _factor(reading, text), needed=False)
    quantity: VehicleQuantity = form.take("quantity", _chosen(tuple(QUANTITIES)))
    form.finish()
    value_ug = None if factor else form.take("value", _value(quantity), needed=False)
    form.finish()
    if factor is not None:
        if factor.stated.confidence == UNCONFIRMED and not form["agreed"]:
            raise NOT_AGREED(factor=factor.id)
        quantity = _quantity(factor)
    return form.bounded(
        DefineVehicle(
            id=id_,
            name=form["name"],
            mode=mode,
            quantity=quantity,
            factor=factor.id if factor else "",
            factor_version=factor.version if factor else 0,
            value_ug=value_ug,
            scope=_scope(form["scope"]) if value_ug is not None else "",
            source=form["source"],
        )
    )


def _factor(reading: Reading, text: str) -> Factor | None:
    """A factor of the ledger: ``id@version``, or its newest version."""
    if not text:
        return None
    id_, at, version = text.partition("@")
    if not at:
        return latest_factor(reading, check_id(id_))
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    found = reading.get(FACTORS, id_, number)
    if found is None:
        raise NO_FACTOR(factor=id_[:64], version=version[:10])
    return found


def _quantity(factor: Factor) -> VehicleQuantity:
    applies = factor_applies(factor)
    if applies == "distance":
        return "distance"
    if applies == "freight":
        return "freight"
    raise VEHICLE_MISMATCH(factor=factor.id, applies=applies, needed=", ".join(QUANTITIES))


def _value(quantity: VehicleQuantity) -> Any:
    """Reads a value in the form's unit; nothing where it is left empty."""

    def value_ug(text: str) -> int | None:
        if not text:
            return None
        return factor_ug(parse_decimal(text), unit=QUANTITIES[quantity], quantity=quantity)

    return value_ug


def _chosen(allowed: tuple[Any, ...]) -> Any:
    def chosen(text: str) -> Any:
        if text not in allowed:
            raise NOT_CHOICE(text=text[:40], allowed=", ".join(allowed))
        return text

    return chosen


def _scope(text: str) -> Any:
    """The scope that was chosen; the ledger says where one is missing."""
    return text if text in SCOPES else ""
