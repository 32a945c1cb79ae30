"""What makes a meter of a file ready to report, as far as the ledger does not have it yet."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Unauthorised
from wattproof.emissions.contract import check_fits
from wattproof.emissions.model import UNITY_ID, AssignFactor
from wattproof.emissions.queries import emission_stream, latest_factor
from wattproof.identity.lifecycle import device_after
from wattproof.identity.model import (
    PARTIES,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    Device,
    EnrolDevice,
)
from wattproof.keys.did import did_of
from wattproof.ledger.state import Reading
from wattproof.ledger.transaction import Body
from wattproof.metering.mapping import SeriesMap

__all__ = ["METER_DIFFERS", "assignment", "check_importer", "check_same", "enrolment"]

NOT_IMPORTER = ErrorCode(
    Unauthorised,
    "import.importer",
    en="{party} cannot import: it must be an active party with this key and the roles {roles}.",
    zh="{party} 不能导入：须为持有该密钥且具有角色 {roles} 的有效主体。",
)
METER_DIFFERS = ErrorCode(
    Conflict,
    "import.meter_differs",
    en="Meter {meter} is on the ledger with {field} {known}, not {given}.",
    zh="账本上表计 {meter} 的 {field} 为 {known}，而非 {given}。",
)

_ROLES = ("consumer", "importer")
"""What an importing party must be: it vouches for its meters, and stands as their consumer."""


def check_importer(reading: Reading, party: str, *, key: bytes) -> None:
    """Raise ``import.importer`` unless the party may import and signs with this public key."""
    found = reading.get(PARTIES, party)
    if (
        found is None
        or found.status != "active"
        or found.did != did_of(key)
        or not set(_ROLES) <= set(found.roles)
    ):
        raise NOT_IMPORTER(party=party, roles=", ".join(_ROLES))


def check_same(device: Device, wanted: SeriesMap, party: str) -> None:
    """Raise ``import.meter_differs`` if the device on the ledger is not the meter that is meant,
    or why it cannot report any more."""
    pairs = (
        ("owner", device.owner, party),
        ("quantity", device.quantity, wanted.quantity),
        ("zone", device.zone, wanted.zone),
        ("modulus", device.register_modulus, wanted.modulus),
        ("region", device.region or wanted.region or "", wanted.region or device.region),
    )
    for field, known, given in pairs:
        if known != given:
            raise METER_DIFFERS(meter=device.id, field=field, known=known, given=given)
    if device.status in ("suspended", "revoked"):
        device_after(device, "report")


def enrolment(
    device: Device | None, wanted: SeriesMap, *, party: str, evidence: bytes
) -> list[Body]:
    """What makes the meter an active device of the importing party.

    `evidence` is the SHA-256 of the file from which its readings come.
    """
    id_, status = wanted.meter, "" if device is None else device.status
    bodies: list[Body] = []
    if not status:
        bodies.append(
            EnrolDevice(
                id=id_,
                owner=party,
                quantity=wanted.quantity,
                zone=wanted.zone,
                register_modulus=wanted.modulus,
            )
        )
    if status in ("", "enrolled"):
        bodies.append(AuthenticateDevice(device=id_, evidence=evidence))
    if status in ("", "enrolled", "authenticated"):
        bodies.append(ConfirmDevice(device=id_))
    if wanted.region and (device is None or not device.region):
        bodies.append(
            AssociateDevice(device=id_, point=id_, region=wanted.region, consumers=(party,))
        )
    return bodies


def assignment(
    reading: Reading, device: Device | None, wanted: SeriesMap, *, from_s: int | None
) -> list[Body]:
    """What puts the series' factor in force from `from_s` on, if it is not; None: nothing is new.

    Raises ``emissions.factor_unknown``, ``emissions.mismatch`` or ``emissions.co2_already``.
    """
    if wanted.factor is None:
        return []
    if wanted.factor == UNITY_ID and wanted.quantity.partition(".")[0] == "co2":
        return []
    factor = latest_factor(reading, wanted.factor)
    check_fits(wanted.meter, wanted.quantity, factor)
    if from_s is None:
        return []
    stream = None if device is None else emission_stream(reading, device.number)
    for span in () if stream is None else stream.spans:
        if span.factor == wanted.factor and span.from_s <= from_s < (span.to_s or from_s + 1):
            return []
    return [
        AssignFactor(
            device=wanted.meter, factor=factor.id, version=factor.version, from_s=from_s, to_s=0
        )
    ]
