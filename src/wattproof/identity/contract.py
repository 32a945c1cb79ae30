"""The contract of identity: which rule runs for which transaction."""

from __future__ import annotations

from typing import Final

from wattproof.identity import device_rules, party_rules
from wattproof.identity.device_rules import demand_owner_or, find_device
from wattproof.identity.model import (
    ASSOCIATIONS,
    COUNTERS,
    DEVICES,
    KEYS,
    PARTIES,
    ROLE_HOLDERS,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    GrantRole,
    RegisterParty,
    ReinstateDevice,
    ReinstateParty,
    RevokeDevice,
    RevokeParty,
    RevokeRole,
    RotateKey,
    SuspendDevice,
    SuspendParty,
)
from wattproof.identity.party_rules import find_party
from wattproof.identity.signers import active_device, authorise, party
from wattproof.ledger.genesis import Genesis
from wattproof.ledger.machine import Contract

__all__ = [
    "CONTRACT",
    "active_device",
    "authorise",
    "demand_owner_or",
    "find_device",
    "find_party",
    "party",
]

CONTRACT: Final = Contract(
    "identity",
    collections=(ASSOCIATIONS, COUNTERS, DEVICES, KEYS, PARTIES, ROLE_HOLDERS),
)

CONTRACT.rule(Genesis)(party_rules.open_ledger)
CONTRACT.rule(RegisterParty)(party_rules.register_party)
CONTRACT.rule(GrantRole)(party_rules.grant_role)
CONTRACT.rule(RevokeRole)(party_rules.revoke_role)
CONTRACT.rule(SuspendParty)(party_rules.suspend_party)
CONTRACT.rule(ReinstateParty)(party_rules.reinstate_party)
CONTRACT.rule(RevokeParty)(party_rules.revoke_party)
CONTRACT.rule(RotateKey)(party_rules.rotate_key)
CONTRACT.rule(EnrolDevice)(device_rules.enrol_device)
CONTRACT.rule(AuthenticateDevice)(device_rules.authenticate_device)
CONTRACT.rule(ConfirmDevice)(device_rules.confirm_device)
CONTRACT.rule(AssociateDevice)(device_rules.associate_device)
CONTRACT.rule(SuspendDevice)(device_rules.suspend_device)
CONTRACT.rule(ReinstateDevice)(device_rules.reinstate_device)
CONTRACT.rule(RevokeDevice)(device_rules.revoke_device)
