"""Any sequence of steps, by anyone, leaves what a small model in dictionaries expects."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import EVIDENCE

from wattproof.core.errors import Refused
from wattproof.identity import queries
from wattproof.identity.contract import CONTRACT, authorise
from wattproof.identity.model import (
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
    rotation_message,
)
from wattproof.keys.did import did_of
from wattproof.ledger.transaction import Body

FOUNDERS = {
    "registrar": ("registrar",),
    "importer": ("importer", "supplier"),
    "authority": ("metering_authority",),
}
PARTIES = (*FOUNDERS, "p1", "p2")
DEVICES = ("d1", "d2")
KEYS = (*FOUNDERS, *(f"k{number}" for number in range(1, 13)))
GRANTED = ("registrar", "metering_authority", "supplier")

parties = st.sampled_from(PARTIES)
suppliers = st.sampled_from(("importer",) * 4 + PARTIES)
devices = st.sampled_from(DEVICES)
signers = st.integers(0, 99)
actions = st.sampled_from(("suspend", "reinstate") * 3 + ("revoke",))
roles = st.sampled_from(GRANTED)


@dataclass
class ModelParty:
    key: str
    roles: set[str]
    status: str = "active"


@dataclass
class ModelDevice:
    key: str
    owner: str
    status: str = "enrolled"
    imported: bool = False
    stopped_by: str = ""
    suppliers: set[str] = field(default_factory=set)


def has_devices(machine: IdentityMachine) -> bool:
    return bool(machine.devices)


class IdentityMachine(RuleBasedStateMachine):
    """Each rule says in one expression when its step is allowed, and does it to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger([CONTRACT], authorise)
        self.ledger.genesis(FOUNDERS)
        self.parties = {id_: ModelParty(id_, set(roles)) for id_, roles in FOUNDERS.items()}
        self.devices: dict[str, ModelDevice] = {}
        self.used_keys = {id_: id_ for id_ in FOUNDERS}

    def key_for(self, number: int, likely: str) -> str:
        """A key to sign with: mostly that of who may do it, else one that somebody holds, else
        any, used up or not."""
        holders: dict[str, ModelParty | ModelDevice] = {**self.parties, **self.devices}
        if number < 60 and likely in holders:
            return holders[likely].key
        if number < 80:
            held = [holder.key for holder in holders.values()]
            return held[number % len(held)]
        return KEYS[number % len(KEYS)]

    def new_key(self, number: int) -> str:
        """Mostly a key that nobody ever had."""
        free = [key for key in KEYS if key not in self.used_keys]
        return free[0] if free and number < 80 else KEYS[number % len(KEYS)]

    def owner_of(self, device: str) -> str:
        return self.devices[device].owner if device in self.devices else ""

    def party_of(self, key: str) -> str | None:
        """The active party that signs with the key now."""
        for id_, party in self.parties.items():
            if party.key == key and party.status == "active":
                return id_
        return None

    def has(self, key: str, *wanted: str) -> bool:
        signer = self.party_of(key)
        return signer is not None and bool(self.parties[signer].roles & set(wanted))

    def owns(self, key: str, device: str) -> bool:
        return self.party_of(key) == self.devices[device].owner

    def registrars_beside(self, id_: str) -> int:
        return sum(
            "registrar" in party.roles and party.status == "active"
            for other, party in self.parties.items()
            if other != id_
        )

    def step(self, body: Body, signer: str, *, allowed: bool) -> bool:
        try:
            self.ledger.submit(body, key_of(signer))
        except Refused as refusal:
            assert not allowed, f"refused: {refusal}"
            assert refusal.text("zh")
            return False
        assert allowed, f"{signer} should not have been able to {body}"
        return True

    @initialize(stage=st.integers(0, 4))
    def begin(self, stage: int) -> None:
        """Most runs begin with a device some way along, for random steps seldom get one there."""
        if stage > 0:
            self.enrol(id_="d1", owner="importer", fresh=0)
        if stage > 1:
            self.authenticate(id_="d1", by=0)
        if stage > 2:
            self.confirm(id_="d1", by=0)
        if stage > 3:
            self.move_device(id_="d1", action="suspend", by=0, official=True)

    @rule(id_=parties, fresh=signers, by=signers, role=roles)
    def register(self, id_: str, fresh: int, by: int, role: str) -> None:
        key = self.new_key(fresh)
        signer = self.key_for(by, "registrar")
        body = RegisterParty(
            id=id_, kind="organisation", key=key_of(key).public, name=id_, roles=(role,)
        )
        free = id_ not in self.parties and key not in self.used_keys
        if self.step(body, signer, allowed=free and self.has(signer, "registrar")):
            self.parties[id_] = ModelParty(key, {role})
            self.used_keys[key] = id_

    @rule(id_=parties, role=roles, by=signers)
    def grant(self, id_: str, role: str, by: int) -> None:
        signer = self.key_for(by, "registrar")
        party = self.parties.get(id_)
        fits = party is not None and party.status != "revoked" and role not in party.roles
        body = GrantRole(party=id_, role=role)
        if self.step(body, signer, allowed=fits and self.has(signer, "registrar")):
            assert party is not None
            party.roles.add(role)

    @rule(id_=parties, role=roles, by=signers)
    def ungrant(self, id_: str, role: str, by: int) -> None:
        signer = self.key_for(by, "registrar")
        party = self.parties.get(id_)
        fits = party is not None and role in party.roles
        fits = fits and (role != "registrar" or self.registrars_beside(id_) > 0)
        body = RevokeRole(party=id_, role=role)
        if self.step(body, signer, allowed=fits and self.has(signer, "registrar")):
            assert party is not None
            party.roles.remove(role)

    @rule(id_=parties, action=actions, by=signers)
    def move_party(self, id_: str, action: str, by: int) -> None:
        signer = self.key_for(by, "registrar")
        party = self.parties.get(id_)
        allowed = self.has(signer, "registrar") and party is not None
        body: Body
        if action == "suspend":
            body, target, sources = SuspendParty(party=id_), "suspended", {"active"}
        elif action == "reinstate":
            body, target, sources = ReinstateParty(party=id_), "active", {"suspended"}
        else:
            body, target, sources = RevokeParty(party=id_), "revoked", {"active", "suspended"}
        if party is not None:
            allowed = allowed and party.status in sources
            if action != "reinstate" and party.status == "active" and "registrar" in party.roles:
                allowed = allowed and self.registrars_beside(id_) > 0
        if self.step(body, signer, allowed=allowed):
            assert party is not None
            party.status = target

    @rule(id_=devices, owner=suppliers, fresh=signers)
    def enrol(self, id_: str, owner: str, fresh: int) -> None:
        key = self.new_key(fresh)
        body = EnrolDevice(id=id_, owner=owner, quantity="heat", zone="Asia/Shanghai")
        has_owner = owner in self.parties and self.parties[owner].status == "active"
        free = id_ not in self.devices and key not in self.used_keys
        if self.step(body, key, allowed=free and has_owner):
            self.devices[id_] = ModelDevice(key, owner)
            self.used_keys[key] = id_

    @precondition(has_devices)
    @rule(id_=devices, by=signers)
    def authenticate(self, id_: str, by: int) -> None:
        signer = self.key_for(by, "authority")
        device = self.devices.get(id_)
        allowed = device is not None and device.status == "enrolled"
        as_authority = allowed and self.has(signer, "metering_authority")
        as_authority = as_authority and not self.owns(signer, id_)
        as_importer = allowed and self.has(signer, "importer")
        body = AuthenticateDevice(device=id_, evidence=EVIDENCE)
        if self.step(body, signer, allowed=as_authority or as_importer):
            assert device is not None
            device.status, device.imported = "authenticated", not as_authority

    @precondition(has_devices)
    @rule(id_=devices, by=signers)
    def confirm(self, id_: str, by: int) -> None:
        signer = self.key_for(by, self.owner_of(id_))
        device = self.devices.get(id_)
        allowed = device is not None and device.status == "authenticated"
        allowed = allowed and self.owns(signer, id_)
        if self.step(ConfirmDevice(device=id_), signer, allowed=allowed):
            assert device is not None
            device.status = "active"

    @precondition(has_devices)
    @rule(id_=devices, supplier=suppliers, by=signers)
    def associate(self, id_: str, supplier: str, by: int) -> None:
        signer = self.key_for(by, self.owner_of(id_))
        device, party = self.devices.get(id_), self.parties.get(supplier)
        allowed = device is not None and device.status in {"authenticated", "active"}
        allowed = allowed and (self.owns(signer, id_) or self.has(signer, "metering_authority"))
        allowed = allowed and party is not None and party.status == "active"
        allowed = allowed and party is not None and "supplier" in party.roles
        body = AssociateDevice(device=id_, point="x", region="CN", suppliers=(supplier,))
        if self.step(body, signer, allowed=allowed):
            assert device is not None
            device.suppliers = {supplier}

    @precondition(has_devices)
    @rule(id_=devices, action=actions, by=signers, official=st.booleans())
    def move_device(self, id_: str, action: str, by: int, official: bool) -> None:
        signer = self.key_for(by, "authority" if official else self.owner_of(id_))
        device = self.devices.get(id_)
        allowed = device is not None and (
            self.owns(signer, id_) or self.has(signer, "registrar", "metering_authority")
        )
        body: Body
        if action == "suspend":
            body, target, sources = SuspendDevice(device=id_), "suspended", {"active"}
        elif action == "reinstate":
            body, target, sources = ReinstateDevice(device=id_), "active", {"suspended"}
        else:
            body, target = RevokeDevice(device=id_), "revoked"
            sources = {"enrolled", "authenticated", "active", "suspended"}
        if device is not None:
            allowed = allowed and device.status in sources
            if action == "reinstate" and self.owns(signer, id_):
                allowed = allowed and device.stopped_by == self.party_of(signer)
        if self.step(body, signer, allowed=allowed):
            assert device is not None
            device.status = target
            if action != "revoke":
                device.stopped_by = (self.party_of(signer) or "") if action == "suspend" else ""

    @rule(by=signers, fresh=signers, honest=st.booleans())
    def rotate(self, by: int, fresh: int, honest: bool) -> None:
        new = self.new_key(fresh)
        signer = self.key_for(by, "")
        holders: dict[str, ModelParty | ModelDevice] = {**self.parties, **self.devices}
        # Whoever has or had the key signs a proof that fits, active or not.
        holder = self.used_keys.get(signer, "")
        message = rotation_message(
            old_key=key_of(signer).public, new_key=key_of(new).public, holder=holder
        )
        prover = key_of(new if honest else signer)
        body = RotateKey(new_key=key_of(new).public, proof=prover.sign(message))
        held = holders.get(holder)
        live = held is not None and held.key == signer and held.status == "active"
        if self.step(body, signer, allowed=live and honest and new not in self.used_keys):
            assert held is not None
            held.key = new
            self.used_keys[new] = holder

    @rule()
    def restart(self) -> None:
        self.ledger.forget()

    @invariant()
    def state_is_the_model(self) -> None:
        state = self.ledger.state
        found = {
            party.id: (party.did, set(party.roles), party.status)
            for party in queries.parties(state)
        }
        assert found == {
            id_: (did_of(key_of(party.key).public), party.roles, party.status)
            for id_, party in self.parties.items()
        }
        for role in GRANTED:
            assert {party.id for party in queries.parties_with_role(state, role)} == {
                id_ for id_, party in self.parties.items() if role in party.roles
            }
        found_devices = {
            device.id: (
                device.did, device.owner, device.status, device.imported,
                device.suspended_by,
                {row.party for row in queries.associations_of_device(state, device.id)},
            )
            for device in queries.devices(state)
        }  # fmt: skip
        assert found_devices == {
            id_: (
                did_of(key_of(device.key).public), device.owner, device.status, device.imported,
                device.stopped_by, device.suppliers,
            )
            for id_, device in self.devices.items()
        }  # fmt: skip

    @invariant()
    def somebody_can_always_register(self) -> None:
        assert self.registrars_beside("") > 0

    @invariant()
    def numbers_are_given_once(self) -> None:
        numbers = sorted(device.number for device in queries.devices(self.ledger.state))
        assert numbers == list(range(1, len(self.devices) + 1))


TestIdentity = IdentityMachine.TestCase
TestIdentity.settings = settings(
    max_examples=70,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
