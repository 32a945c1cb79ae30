"""The role table and what is printed from it."""

from __future__ import annotations

from wattproof.identity.contract import CONTRACT, authorise
from wattproof.identity.lifecycle import (
    DEVICE_STATUSES,
    PARTY_STATUSES,
    PARTY_TRANSITIONS,
    TRANSITIONS,
)
from wattproof.identity.queries import party_transitions
from wattproof.identity.roles import EVERYONE_ROLES, ROLES, check_roles, permissions
from wattproof.ledger.machine import Machine
from wattproof.ledger.transaction import EVERYONE

MACHINE = Machine([CONTRACT], authorise=authorise)


def test_every_role_has_words_in_both_languages() -> None:
    for name, role in {**ROLES, **EVERYONE_ROLES}.items():
        assert role.name == name
        assert role.en.isascii()
        assert role.purpose_en.isascii()
        assert not role.zh.isascii()
        assert not role.purpose_zh.isascii()


def test_roles_and_everyone_do_not_overlap() -> None:
    assert tuple(EVERYONE_ROLES) == EVERYONE
    assert not set(ROLES) & set(EVERYONE)


def test_the_table_is_made_of_what_the_machine_enforces() -> None:
    rows = permissions(MACHINE.specs)
    assert [(row.type, row.version, row.by) for row in rows] == [
        (spec.type, spec.version, spec.by) for spec in MACHINE.specs
    ]
    by_type = {row.type: row for row in rows}
    assert by_type["identity.role.grant"].who == ("Registrar",)
    assert by_type["identity.device.authenticate"].by == ("metering_authority", "importer")
    chinese = {row.type: row for row in permissions(MACHINE.specs, lang="zh")}
    assert chinese["identity.role.grant"].what == "授予角色"
    assert chinese["identity.role.grant"].who == ("登记机构",)


def test_roles_are_sorted_once_each() -> None:
    assert check_roles(()) == ()
    assert check_roles(("supplier", "auditor")) == ("auditor", "supplier")


def test_the_tables_name_known_statuses_only() -> None:
    for steps, statuses in ((TRANSITIONS, DEVICE_STATUSES), (PARTY_TRANSITIONS, PARTY_STATUSES)):
        for step in steps:
            assert set(step.sources) <= set(statuses)
            assert step.target in {"", *statuses}
            assert "revoked" not in step.sources
    assert party_transitions() is PARTY_TRANSITIONS
