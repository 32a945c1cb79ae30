"""Parties, devices and the queue in a real browser: each role's path from sign-in to done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import Chromium, Opener
from tests.support.memory_ledger import key_of
from tests.support.paths import fits, go_on, in_chinese, refused_at, sign
from tests.support.site import Client, Site

from wattproof.cli.app import make_app, run
from wattproof.identity import queries
from wattproof.identity.model import PARTIES, AuthenticateDevice, EnrolDevice
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.node import ROOMS, host


def signed(site: Site, body: Body, key: SigningKey) -> bytes:
    return sign_transaction(body, key, ledger_id=site.writer.ledger_id)


def submit(site: Site, body: Body, key: SigningKey) -> None:
    (answer,) = site.writer.engine.submit_many([signed(site, body, key)])
    assert isinstance(answer, Receipt), answer


def enrol(site: Site, id_: str, owner: str = "steel-works") -> None:
    """A device that has only applied."""
    body = EnrolDevice(id=id_, owner=owner, quantity="gas.import", zone="Asia/Shanghai")
    submit(site, body, key_of(id_))


def badge(page: Page, queue: str) -> int:
    page.goto("/queue")
    return int(page.get_by_role("link", name=queue).locator(".badge").inner_text())


def test_the_registrar_registers_a_party_and_grants_a_role(site: Site, open_page: Opener) -> None:
    page = open_page("registrar")
    page.get_by_role("link", name="Parties").click()
    page.get_by_role("link", name="Register a party").click()
    page.locator("#f-id").fill("steel works 2")
    page.get_by_label("Name", exact=True).fill("Demo second works")
    page.get_by_label("Unified social credit code").fill("911101085513850820")
    page.get_by_label("Public key").fill("did:key:nonsense")
    page.get_by_label("Regulated enterprise").check()
    go_on(page)
    for field, code in (("id", "core.id"), ("uscc", "core.uscc_check"), ("key", "keys.did")):
        refused_at(page, field, code)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Demo second works")
    expect(page.get_by_label("Regulated enterprise")).to_be_checked()

    page.locator("#f-id").fill("steel-works")
    page.get_by_label("Unified social credit code").fill("")
    page.get_by_label("Public key").fill(did_of(key_of("works-2").public))
    go_on(page)
    refused_at(page, "id", "identity.party.taken")

    page.locator("#f-id").fill("works-2")
    go_on(page)
    sign(page, "Register a party", "works-2", "Demo second works", "Regulated enterprise")
    assert site.writer.store.get(PARTIES, "works-2") is not None

    page.goto("/parties?role=enterprise")
    page.get_by_role("link", name="works-2").click()
    page.get_by_text("Grant a role").click()
    page.locator("#grant").get_by_label("Role").select_option("consumer")
    go_on(page.locator("#grant"))
    sign(page, "Grant a role", "works-2", "Consumer")
    page.goto("/parties/works-2")
    expect(page.locator("dl")).to_contain_text("Consumer")


def test_from_enrolment_to_association(site: Site, open_page: Opener, tmp_path: Path) -> None:
    """The owner hands in what the device signed; the authority, then the owner, take it on."""
    owner, authority = open_page("steel"), open_page("metering")
    waiting = badge(authority, "To authenticate")

    owner.goto("/devices/enrol")
    owner.get_by_label("Id of the device").fill("boiler")
    owner.get_by_label("Measures").select_option("heat.import")
    owner.get_by_role("button", name="Write it").click()
    written = json.loads(owner.locator("pre").first.inner_text())
    assert written["fields"]["owner"] == "steel-works"
    body = host().machine.codec.from_json(
        written["type"], written["version"], fields=written["fields"]
    )
    (tmp_path / "boiler.cose").write_bytes(signed(site, body, key_of("boiler")))
    owner.get_by_label("The signed enrolment").set_input_files(tmp_path / "boiler.cose")
    owner.get_by_role("button", name="Hand it in").click()
    owner.wait_for_url("**/devices/boiler")
    expect(owner.locator("main")).to_contain_text("waiting to be authenticated")

    assert badge(authority, "To authenticate") == waiting + 1
    row = authority.get_by_role("row").filter(has=authority.get_by_text("boiler", exact=True))
    row.get_by_role("link", name="Authenticate").click()
    go_on(authority.locator("#authenticate"))
    refused_at(authority, "evidence", "identity.evidence")
    (tmp_path / "report.pdf").write_bytes(b"a test report" * 100_000)
    authority.get_by_label("Evidence", exact=True).set_input_files(tmp_path / "report.pdf")
    go_on(authority.locator("#authenticate"))
    sign(authority, "boiler", hashlib.sha256(b"a test report" * 100_000).hexdigest())
    assert badge(authority, "To authenticate") == waiting

    owner.goto("/queue")
    owner.get_by_role("link", name="To confirm").click()
    owner.get_by_role("row").filter(has_text="boiler").get_by_role("link", name="Confirm").click()
    go_on(owner.locator("#confirm"))
    sign(owner, "Confirm the rights to a device", "boiler")

    owner.goto("/queue?step=associate")
    owner.get_by_role("row").filter(has_text="boiler").get_by_role("link", name="Associate").click()
    form = owner.locator("#associate")
    form.get_by_label("Metering point").fill("point-boiler")
    form.get_by_label("Region").fill("Shanghai")
    form.get_by_label("Suppliers").fill("wind-farm, grid")
    go_on(form)
    refused_at(form, "region", "core.region")
    form.get_by_label("Region").fill("310115")
    form.get_by_label("Consumers").fill("bank")
    go_on(form)
    expect(form.get_by_role("alert")).to_contain_text("identity.device.side_role")
    expect(form.get_by_label("Suppliers")).to_have_value("wind-farm, grid")
    form.get_by_label("Consumers").fill("steel-works")
    go_on(form)
    sign(owner, "point-boiler", "wind-farm", "steel-works")
    device = queries.device(site.writer.store, "boiler")
    assert (device.status, device.point, device.region) == ("active", "point-boiler", "310115")

    owner.goto("/devices/boiler")
    owner.get_by_text("Associate it").click()
    expect(form.get_by_label("Suppliers")).to_have_value("grid, wind-farm")
    expect(form.get_by_label("Region")).to_have_value("310115")


def test_what_is_handed_in_must_be_an_enrolment(site: Site) -> None:
    stranger = signed(site, AuthenticateDevice(device="x", evidence=bytes(32)), key_of("x"))
    with site.client("steel") as client:
        for raw, code in (
            (b"", "identity.enrol.no_file"),
            (b"{}", "keys.cose"),
            (stranger, "identity.enrol.other_type"),
        ):
            answer = client.post(
                "/devices/enrol",
                data={"csrf": client.csrf},
                files={"signed": ("file.cose", raw)},
            )
            assert 400 <= answer.status_code < 500
            assert code in answer.text
            assert "3. Hand it in" in answer.text


def test_forms_made_by_hand(site: Site) -> None:
    """What no browser would send is refused on its page, never a fault of ours."""
    with site.client("registrar") as client:
        person = {"id": "somebody", "kind": "person", "key": did_of(key_of("somebody").public)}
        for path, fields, code in (
            ("/parties/new", {}, "console.field_needed"),
            ("/parties/new", {**person, "person": "a name"}, "identity.person_hash"),
            ("/parties/new", {**person, "person": "ab" * 32, "name": "A"}, "person_fields"),
            ("/parties/new", {**person, "roles": "king"}, "identity.role.unknown"),
            ("/parties/steel-works/promote", {}, "identity.no_action"),
            ("/parties/steel-works/grant", {"role": "consumer"}, "identity.role.held"),
            ("/parties/steel-works/suspend", {"reason": "r" * 500}, "console.field"),
            ("/parties/operator/suspend", {}, "identity.role.last_registrar"),
            ("/devices/office-a/melt", {}, "identity.no_action"),
        ):
            answer = client.form(path, **fields)
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
            assert code in answer.text, path
    with site.client("steel") as client:
        for query, code in (
            ("id=a+b&owner=steel-works&quantity=gas&zone=UTC", "core.id"),
            ("id=m&owner=steel-works&quantity=joy&zone=UTC", "core.quantity"),
            ("id=m&owner=steel-works&quantity=gas&zone=Moon", "core.zone"),
            (
                "id=m&owner=steel-works&quantity=gas&zone=UTC&register_modulus=1.5",
                "identity.enrol.modulus",
            ),
        ):
            answer = client.get(f"/devices/enrol?{query}")
            assert (answer.status_code, code in answer.text) == (400, True), query
            assert client.get(f"/devices/enrol/file?{query}").status_code == 400


def test_a_step_that_somebody_else_took_meanwhile(site: Site, open_page: Opener) -> None:
    enrol(site, "chiller")
    page = open_page("metering")
    page.goto("/devices/chiller")
    submit(site, AuthenticateDevice(device="chiller", evidence=bytes(32)), site.key_of("metering"))
    page.get_by_label("or its SHA-256").fill("ab" * 32)
    go_on(page.locator("#authenticate"))
    expect(page.get_by_role("alert")).to_contain_text("identity.device.already_authenticated")
    expect(page.locator("main")).to_contain_text("waiting for its owner's confirmation")


def test_suspended_and_reinstated(site: Site, open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/devices/office-sun")
    page.get_by_text("Suspend it").click()
    page.locator("#suspend").get_by_label("Reason").fill("inverter replaced")
    go_on(page.locator("#suspend"))
    sign(page, "office-sun", "inverter replaced")
    assert queries.device(site.writer.store, "office-sun").status == "suspended"
    page.goto("/devices/office-sun")
    page.get_by_text("Reinstate it").click()
    go_on(page.locator("#reinstate"))
    sign(page, "office-sun")
    assert queries.device(site.writer.store, "office-sun").status == "active"


def test_a_party_replaces_its_key(site: Site, open_page: Opener) -> None:
    page, elsewhere = open_page("grid"), open_page("grid")
    before = queries.party(site.writer.store, "grid").did
    page.goto("/parties/grid")
    page.get_by_role("link", name="Replace the key").click()
    page.get_by_label("Your password").fill("not the password")
    go_on(page)
    refused_at(page, "password", "console.password")
    page.get_by_label("Your password").fill(site.password)
    go_on(page)
    sign(page, "Replace one's key")
    after = queries.party(site.writer.store, "grid").did
    assert after != before

    # The next transaction is signed with the new key, and other sessions have ended.
    page.goto("/accounts")
    page.get_by_label("Id").fill("grid-after")
    go_on(page)
    sign(page, "grid-after")
    elsewhere.goto("/queue")
    expect(elsewhere.get_by_role("link", name="Sign in").first).to_be_visible()
    page.goto("/parties/grid")
    expect(page.locator("main")).to_contain_text(after)
    expect(page.locator("main")).to_contain_text("signed from entry")


def test_a_key_in_ones_own_hands_is_replaced_outside(fresh_site: Site, tmp_path: Path) -> None:
    site, signed_file = fresh_site, tmp_path / "rotation.cose"
    with pytest.raises(SystemExit) as end:
        run(
            make_app(host(), ROOMS),
            ["rotate-key", str(site.folder.path), "wind-farm", "wind-2", "--holder", "wind-farm",
             "-o", str(signed_file)],
        )  # fmt: skip
    assert not end.value.code
    with site.client("wind") as client:
        assert "rotate-key" in client.page("/account/key")
        files: dict[str, Any] = {"signed": ("rotation.cose", b"no transaction")}
        token = {"csrf": client.csrf}
        bad = client.post("/account/key/hand-in", data=token, files=files)
        assert (bad.status_code, "keys.cose" in bad.text) == (400, True)
        files = {"signed": ("rotation.cose", b"")}
        empty = client.post("/account/key/hand-in", data=token, files=files)
        assert (empty.status_code, "identity.rotate.other_type" in empty.text) == (400, True)
        files = {"signed": ("rotation.cose", signed_file.read_bytes())}
        good = client.post("/account/key/hand-in", data=token, files=files)
        assert good.status_code == 303
        new = did_of(site.key_of("wind-2").public)
        assert new in client.page("/parties/wind-farm")
        assert queries.party(site.writer.store, "wind-farm").did == new
        assert client.form("/account/key", password=site.password).status_code == 409


@pytest.mark.parametrize(
    "path",
    ["/parties/{}", "/devices/{}"],
)
def test_what_is_somebody_elses_is_not_told_from_what_is_not_there(site: Site, path: str) -> None:
    theirs = "offices" if "parties" in path else "office-a"
    with site.client("steel") as client:
        answers = [client.get(path.format(name)) for name in (theirs, "nothing-like-this")]
        forms = [client.form(path.format(name) + "/revoke") for name in (theirs, "nothing")]
        stripped = {
            answer.text.replace(theirs, "X").replace("nothing-like-this", "X") for answer in answers
        }
    assert [answer.status_code for answer in (*answers, *forms)] == [403] * 4
    assert len(stripped) == 1
    assert all(theirs not in answer.text.replace(path.format(theirs), "") for answer in answers)


def test_who_stands_on_a_side_sees_the_device(site: Site) -> None:
    with site.client("grid") as client:
        assert "steel-main" in client.page("/devices/associated")
        page = client.page("/devices/steel-main")
        assert "point-steel-main" in page
        assert "Go on" not in page
        assert client.form("/devices/steel-main/suspend").status_code == 403
        assert client.get("/devices/steel-stack").status_code == 403
        assert "steel-main" not in client.page("/devices")


def test_lists_hold_what_one_may_see(site: Site) -> None:
    with site.client("steel") as own, site.client("metering") as everything:
        assert "office-a" not in own.page("/devices")
        assert "office-a" not in own.page("/devices?owner=offices")
        assert "offices" not in own.page("/parties")
        assert "office-a" in everything.page("/devices?owner=offices")
        assert "office-a" not in everything.page("/devices?status=enrolled")
        assert "offices" in everything.page("/parties")


def test_only_the_registrar_registers(site: Site) -> None:
    with site.client("steel") as client:
        assert client.get("/parties/new").status_code == 403
        assert client.form("/parties/new", id="x").status_code == 403
        assert client.form("/parties/steel-works/grant", role="auditor").status_code == 403
        assert "Register a party" not in client.page("/parties")
        assert "Grant a role" not in client.page("/parties/steel-works")


def test_a_node_without_accounts_shows_and_changes_nothing(fresh_site: Site) -> None:
    site = fresh_site
    with site.users() as users:
        for user in users.logins():
            users._file.do("DELETE FROM users WHERE login = ?", (user.login,))
    with Client(site.url) as visitor:
        for path in ("/parties", "/devices", "/queue", "/devices/steel-main", "/devices/enrol"):
            assert "Go on" not in visitor.page(path)
        token = {"csrf": _token(visitor)}
        for path in ("/parties/new", "/parties/grid/suspend", "/devices/steel-main/suspend"):
            assert visitor.post(path, data=token).status_code == 401


def _token(visitor: Client) -> str:
    return visitor.get("/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("login", "path", "words"),
    [
        ("metering", "/queue", "待认证"),
        ("registrar", "/parties", "登记主体"),
        ("registrar", "/parties/new", "统一社会信用代码"),
        ("registrar", "/parties/steel-works", "控排企业"),
        ("steel", "/devices", "本方设备"),
        ("steel", "/devices/steel-main", "关联计量点与供用方"),
        ("steel", "/devices/associated", "本方身份"),
        ("steel", "/devices/enrol", "在密钥所在处签名"),
        ("steel", "/account/key", "以新密钥取代现有密钥"),
    ],
)
def test_in_chinese_on_a_phone_without_javascript(
    pages_in_chinese: Callable[[str], Page], login: str, path: str, words: str
) -> None:
    page = pages_in_chinese(login)
    page.goto(path)
    expect(page.locator("main")).to_contain_text(words)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert fits(page), path


@pytest.fixture(scope="module")
def pages_in_chinese(browser: Chromium, site: Site) -> Iterator[Callable[[str], Page]]:
    with in_chinese(browser, site) as page_of:
        yield page_of
