"""The life of a device: each step, who may take it, and each refusal by its code."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import (
    EVIDENCE,
    active_meter,
    authenticated_meter,
    enrolled_meter,
    new_ledger,
    organisation,
)
from tests.support.refusals import refused, submit_refused

from wattproof.identity import events, queries
from wattproof.identity.contract import active_device
from wattproof.identity.lifecycle import DEVICE_STATUSES, TRANSITIONS
from wattproof.identity.model import (
    DEVICES,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    ReinstateDevice,
    RevokeDevice,
    SuspendDevice,
    SuspendParty,
)
from wattproof.keys.did import did_of
from wattproof.ledger.machine import Context, Contract, Event, event
from wattproof.ledger.transaction import Body, transaction

METER = "meter"


@event("tests.reported", en="{number} reported", zh="{number} 已上报")
class Reported(Event):
    number: int


@transaction("tests.report", 1, by=("device",), en="Report", zh="上报")
class Report(Body):
    pass


@transaction("tests.knock", 1, by=("anyone",), en="Knock", zh="敲门")
class Knock(Body):
    pass


REPORTS = Contract("tests.reports", collections=())


@REPORTS.rule(Report)
def report(ctx: Context, _: Report) -> None:
    ctx.emit(Reported(number=active_device(ctx).number))


@REPORTS.rule(Knock)
def knock(ctx: Context, _: Knock) -> None:
    ctx.emit(Reported(number=active_device(ctx).number))


@pytest.fixture
def ledger() -> MemoryLedger:
    return new_ledger(REPORTS)


def authenticate(device: str = METER) -> AuthenticateDevice:
    return AuthenticateDevice(device=device, evidence=EVIDENCE)


def associate(**changes: Any) -> AssociateDevice:
    body = AssociateDevice(device=METER, point="point-1", region="CN-SH", suppliers=("supplier",))
    return replace(body, **changes)


def enrolment(**changes: Any) -> EnrolDevice:
    body = EnrolDevice(id=METER, owner="owner", quantity="electricity.import", zone="Asia/Shanghai")
    return replace(body, **changes)


def test_from_enrolment_to_the_first_report(ledger: MemoryLedger) -> None:
    enrolled = ledger.submit(enrolment(register_modulus=10**9, maker="A maker"), key_of(METER))
    assert enrolled.event(events.DeviceEnrolled).number == 1
    submit_refused(ledger, "identity.device.not_authenticated", Report(), METER)
    authenticated = ledger.submit(authenticate(), key_of("authority"))
    assert authenticated.event(events.DeviceAuthenticated).imported is False
    submit_refused(ledger, "identity.device.not_confirmed", Report(), METER)
    confirmed = ledger.submit(ConfirmDevice(device=METER), key_of("owner"))
    assert confirmed.event(events.DeviceConfirmed).quantity == "electricity.import"
    associated = ledger.submit(associate(consumers=("consumer",)), key_of("owner"))
    assert associated.event(events.DeviceAssociated).suppliers == ("supplier",)
    reported = ledger.submit(Report(), key_of(METER))
    assert reported.event(Reported).number == 1
    ledger.forget()
    device = queries.device(ledger.state, METER)
    assert device.status == "active"
    assert device.did == did_of(key_of(METER).public)
    assert (device.evidence, device.authenticated_by) == (EVIDENCE.hex(), "authority")
    assert (device.point, device.region, device.imported) == ("point-1", "CN-SH", False)
    assert (device.register_modulus, device.maker) == (10**9, "A maker")


def test_numbers_count_up_and_refusals_use_none(ledger: MemoryLedger) -> None:
    assert enrolled_meter(ledger, "m1").number == 1
    submit_refused(ledger, "identity.device.taken", enrolment(id="m1"), "m2")
    assert enrolled_meter(ledger, "m2").number == 2
    assert queries.device_by_number(ledger.state, 2).id == "m2"
    refused("identity.device.unknown", lambda: queries.device_by_number(ledger.state, 3))


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("core.id", enrolment(id="no blanks")),
        ("core.quantity", enrolment(quantity="happiness")),
        ("identity.not_canonical", enrolment(quantity="weight")),
        ("identity.not_canonical", enrolment(quantity="Electricity.import")),
        ("identity.not_canonical", enrolment(quantity="electricity．import")),
        ("core.zone", enrolment(zone="+08:00")),
        ("identity.party.unknown", enrolment(owner="nobody")),
        ("transaction.fields", enrolment(register_modulus=-1)),
        ("transaction.fields", enrolment(serial="\x1b[31m")),
    ],
)
def test_enrolment_refusals(ledger: MemoryLedger, code: str, body: EnrolDevice) -> None:
    submit_refused(ledger, code, body, METER)
    assert queries.holder_of(ledger.state, key_of(METER).public) is None


def test_a_key_that_signs_already_cannot_enrol(ledger: MemoryLedger) -> None:
    submit_refused(ledger, "identity.key.taken", enrolment(), "owner")
    active_meter(ledger, "m1")
    submit_refused(ledger, "identity.key.taken", enrolment(), "m1")


def test_a_suspended_party_gets_no_device(ledger: MemoryLedger) -> None:
    ledger.submit(SuspendParty(party="owner"), key_of("registrar"))
    submit_refused(ledger, "identity.party.suspended", enrolment(), METER)


def test_who_authenticates(ledger: MemoryLedger) -> None:
    submit_refused(ledger, "identity.device.unknown", authenticate(), "authority")
    enrolled_meter(ledger)
    submit_refused(ledger, "identity.role.missing", authenticate(), "owner")
    submit_refused(ledger, "identity.key.unknown", authenticate(), "stranger")
    ledger.submit(authenticate(), key_of("authority"))
    submit_refused(ledger, "identity.device.already_authenticated", authenticate(), "authority")
    ledger.submit(ConfirmDevice(device=METER), key_of("owner"))
    submit_refused(ledger, "identity.device.already_authenticated", authenticate(), "authority")


def test_nobody_authenticates_its_own_device_but_an_importer_on_record(
    ledger: MemoryLedger,
) -> None:
    enrolled_meter(ledger, "m1", owner="authority")
    submit_refused(ledger, "identity.device.own", authenticate("m1"), "authority")
    enrolled_meter(ledger, "m2", owner="importer")
    accepted = ledger.submit(authenticate("m2"), key_of("importer"))
    assert accepted.event(events.DeviceAuthenticated).imported is True
    assert ledger.one(DEVICES, "m2").imported is True
    organisation(ledger, "both", "importer", "metering_authority")
    for id_, owner, imported in (("m3", "both", True), ("m4", "owner", False)):
        enrolled_meter(ledger, id_, owner=owner)
        ledger.submit(authenticate(id_), key_of("both"))
        assert ledger.one(DEVICES, id_).imported is imported


def test_who_confirms(ledger: MemoryLedger) -> None:
    submit_refused(ledger, "identity.device.unknown", ConfirmDevice(device=METER), "owner")
    enrolled_meter(ledger)
    confirm = ConfirmDevice(device=METER)
    submit_refused(ledger, "identity.device.not_authenticated", confirm, "owner")
    ledger.submit(authenticate(), key_of("authority"))
    submit_refused(ledger, "identity.device.not_owner", confirm, "authority")
    submit_refused(ledger, "identity.key.unknown", confirm, "stranger")
    submit_refused(ledger, "identity.signer.not_party", confirm, METER)
    ledger.submit(confirm, key_of("owner"))
    submit_refused(ledger, "identity.device.already_confirmed", confirm, "owner")


def test_an_association_replaces_the_one_before(ledger: MemoryLedger) -> None:
    organisation(ledger, "second", "supplier", "consumer")
    authenticated_meter(ledger)
    ledger.submit(associate(consumers=("consumer", "second")), key_of("authority"))
    of_device = queries.associations_of_device(ledger.state, METER)
    assert [(row.side, row.party) for row in of_device] == [
        ("consumer", "consumer"), ("consumer", "second"), ("supplier", "supplier"),
    ]  # fmt: skip
    assert ledger.one(DEVICES, METER).status == "authenticated"
    ledger.submit(associate(suppliers=("second",), point="point-2"), key_of("owner"))
    of_device = queries.associations_of_device(ledger.state, METER)
    assert [(row.side, row.party) for row in of_device] == [("supplier", "second")]
    assert ledger.one(DEVICES, METER).point == "point-2"
    assert [row.device for row in queries.associations_of_party(ledger.state, "second")] == [METER]
    assert queries.associations_of_party(ledger.state, "consumer") == []
    assert [row.id for row in queries.devices_by_region(ledger.state, "CN-SH")] == [METER]


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("identity.device.unknown", associate(device="other")),
        ("identity.device.sides_empty", associate(suppliers=())),
        ("identity.device.side_role", associate(suppliers=("consumer",))),
        ("identity.device.side_role", associate(consumers=("supplier",))),
        ("identity.device.side_repeated", associate(suppliers=("supplier", "supplier"))),
        ("identity.party.unknown", associate(consumers=("nobody",))),
        ("identity.party.suspended", associate(suppliers=("resting",))),
        ("core.region", associate(region="Atlantis")),
        ("identity.not_canonical", associate(region="310000")),
        ("core.id", associate(point="no blanks")),
    ],
)
def test_association_refusals(ledger: MemoryLedger, code: str, body: AssociateDevice) -> None:
    organisation(ledger, "resting", "supplier")
    ledger.submit(SuspendParty(party="resting"), key_of("registrar"))
    authenticated_meter(ledger)
    ledger.submit(associate(), key_of("owner"))
    submit_refused(ledger, code, body, "owner")
    assert len(queries.associations_of_device(ledger.state, METER)) == 1


def test_who_associates(ledger: MemoryLedger) -> None:
    enrolled_meter(ledger)
    submit_refused(ledger, "identity.device.not_authenticated", associate(), "owner")
    ledger.submit(authenticate(), key_of("authority"))
    submit_refused(ledger, "identity.device.not_yours", associate(), "supplier")
    submit_refused(ledger, "identity.device.not_yours", associate(), "registrar")


@pytest.mark.parametrize("by", ["owner", "authority", "registrar"])
def test_suspension_and_its_end(ledger: MemoryLedger, by: str) -> None:
    active_meter(ledger)
    suspended = ledger.submit(SuspendDevice(device=METER, reason="dust"), key_of(by))
    assert suspended.event(events.DeviceSuspended).by == by
    submit_refused(ledger, "identity.device.suspended", Report(), METER)
    submit_refused(ledger, "identity.device.suspended", Knock(), METER)
    submit_refused(ledger, "identity.device.suspended", associate(), "owner")
    submit_refused(ledger, "identity.device.suspended", SuspendDevice(device=METER), by)
    reinstated = ledger.submit(ReinstateDevice(device=METER), key_of(by))
    assert reinstated.event(events.DeviceReinstated).device == METER
    assert ledger.one(DEVICES, METER).suspended_by == ""
    submit_refused(ledger, "identity.device.not_suspended", ReinstateDevice(device=METER), by)
    ledger.submit(Report(), key_of(METER))


def test_an_owner_lifts_only_its_own_suspension(ledger: MemoryLedger) -> None:
    reinstate = ReinstateDevice(device=METER)
    active_meter(ledger)
    ledger.submit(SuspendDevice(device=METER), key_of("authority"))
    submit_refused(ledger, "identity.device.suspended_by_other", reinstate, "owner")
    submit_refused(ledger, "identity.device.not_yours", reinstate, "supplier")
    ledger.submit(reinstate, key_of("registrar"))


@pytest.mark.parametrize("by", ["owner", "authority", "registrar"])
def test_revocation_is_final(ledger: MemoryLedger, by: str) -> None:
    active_meter(ledger)
    revoked = ledger.submit(RevokeDevice(device=METER), key_of(by))
    assert revoked.event(events.DeviceRevoked).by == by
    submit_refused(ledger, "identity.device.revoked", Report(), METER)
    for body, signer in (
        (authenticate(), "authority"),
        (ConfirmDevice(device=METER), "owner"),
        (associate(), "owner"),
        (SuspendDevice(device=METER), "owner"),
        (ReinstateDevice(device=METER), "owner"),
        (RevokeDevice(device=METER), "owner"),
    ):
        submit_refused(ledger, "identity.device.revoked", body, signer)


def test_strangers_do_not_stop_a_device(ledger: MemoryLedger) -> None:
    active_meter(ledger)
    for body in (SuspendDevice(device=METER), RevokeDevice(device=METER)):
        submit_refused(ledger, "identity.device.not_yours", body, "supplier")
        submit_refused(ledger, "identity.signer.not_party", body, METER)


def test_only_devices_report(ledger: MemoryLedger) -> None:
    submit_refused(ledger, "identity.signer.not_device", Report(), "owner")
    submit_refused(ledger, "identity.key.unknown", Report(), "stranger")
    submit_refused(ledger, "identity.signer.not_device", Knock(), "owner")
    submit_refused(ledger, "identity.signer.not_device", Knock(), "stranger")


@pytest.mark.parametrize("status", DEVICE_STATUSES)
@pytest.mark.parametrize("step", TRANSITIONS, ids=lambda step: step.action)
def test_the_printed_table_is_the_one_that_holds(
    ledger: MemoryLedger, step: Any, status: str
) -> None:
    """Bring a device into each status, try each action, compare with the table."""
    bring_to(ledger, status)
    body, signer = {
        "authenticate": (authenticate(), "authority"),
        "confirm": (ConfirmDevice(device=METER), "owner"),
        "associate": (associate(), "owner"),
        "report": (Report(), METER),
        "suspend": (SuspendDevice(device=METER), "owner"),
        "reinstate": (ReinstateDevice(device=METER), "owner"),
        "revoke": (RevokeDevice(device=METER), "owner"),
    }[step.action]
    if status in step.sources:
        ledger.submit(body, key_of(signer))
        assert ledger.one(DEVICES, METER).status == (step.target or status)
    else:
        with pytest.raises(Exception, match=r"^identity\.device\."):
            ledger.submit(body, key_of(signer))
        assert ledger.one(DEVICES, METER).status == status


def bring_to(ledger: MemoryLedger, status: str) -> None:
    enrolled_meter(ledger)
    if status == "enrolled":
        return
    ledger.submit(authenticate(), key_of("authority"))
    if status == "authenticated":
        return
    ledger.submit(ConfirmDevice(device=METER), key_of("owner"))
    if status == "suspended":
        ledger.submit(SuspendDevice(device=METER), key_of("owner"))
    elif status == "revoked":
        ledger.submit(RevokeDevice(device=METER), key_of("owner"))


def test_reads_by_owner_and_status(ledger: MemoryLedger) -> None:
    enrolled_meter(ledger, "m2")
    active_meter(ledger, "m1")
    enrolled_meter(ledger, "m3", owner="supplier")
    state = ledger.state
    assert [device.id for device in queries.devices(state)] == ["m1", "m2", "m3"]
    assert [device.id for device in queries.devices_by_owner(state, "owner")] == ["m1", "m2"]
    assert [device.id for device in queries.devices_by_status(state, "enrolled")] == ["m2", "m3"]
    refused("identity.device.unknown", lambda: queries.device(state, "m4"))
    assert queries.device_transitions() is TRANSITIONS
