"""From a draft to the ledger, over HTTP: what is shown, and that nothing is written twice."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from tests.support.site import OWN_KEY, Client, Site

from wattproof.book.model import ACCOUNTS, OpenAccount
from wattproof.console.cli import USERS_FILE
from wattproof.identity.model import DEVICES, ConfirmDevice, EnrolDevice, GrantRole
from wattproof.keys import cose
from wattproof.keys.derived import derived_key
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import Body, encode_payload, new_nonce

_numbers = count(1)


def drafted(site: Site, login: str, body: Body) -> str:
    """The path of a draft, as a form would have made it."""
    with site.users() as users:
        payload = encode_payload(body, nonce=new_nonce())
        draft = users.drafts.add(login, payload, back="/account", now_s=next(_numbers))
    return f"/sign/{draft.id}"


def test_a_draft_for_a_purpose_is_signed_by_the_key_that_follows_for_it(site: Site) -> None:
    body = EnrolDevice(id="follows", owner="operator", quantity="gas.import", zone="UTC")
    payload = encode_payload(body, nonce=new_nonce())
    with site.users() as users:
        add = users.drafts.add
        draft = add("registrar", payload, purpose="a test", now_s=next(_numbers))
        assert users.drafts.find("registrar", draft.id) == draft
    did = did_of(derived_key(site.key_of("operator"), "a test").public)
    with site.client("registrar") as client:
        assert did in client.page(f"/sign/{draft.id}")
        answer = client.form(f"/sign/{draft.id}")
    assert answer.status_code == 303
    device = site.writer.store.get(DEVICES, "follows")
    assert device is not None
    assert device.did == did


def test_what_will_be_signed_is_shown_and_nothing_happens(site: Site) -> None:
    path = drafted(site, "registrar", GrantRole(party="grid", role="auditor"))
    size = site.size
    with site.client("registrar") as client:
        page = client.page(path)
    assert "Grant a role" in page
    assert "Auditor" in page
    assert "Nothing has happened yet" in page
    assert 'href="/account"' in page
    assert site.size == size


def test_signing_writes_one_entry_however_often(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-one"))
    size = site.size
    with site.client("offices") as client:
        first = client.form(path)
        again = client.form(path)
        assert first.status_code == again.status_code == 303
        assert first.headers["location"] == again.headers["location"]
        assert "offices-one" in client.page(first.headers["location"])
        assert "It is in the ledger already" in client.page(path)
    assert site.size == size + 1


def test_a_double_click(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-double"))
    size = site.size
    with site.client("offices") as client, ThreadPoolExecutor(8) as pool:
        token = client.csrf
        answers = list(pool.map(lambda _: client.post(path, data={"csrf": token}), range(8)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert site.size == size + 1


def test_a_restart_between_two_attempts(fresh_site: Site) -> None:
    site = fresh_site
    path = drafted(site, "offices", OpenAccount(id="offices-restart"))
    size = site.size
    with site.client("offices") as client:
        first = client.form(path)
        cookies = dict(client.cookies)
    site.stop()
    # As if the node had died after the ledger's commit and before its own note of it.
    with sqlite3.connect(site.folder.path / USERS_FILE) as accounts:
        accounts.execute("UPDATE drafts SET transaction_id = ''")
    accounts.close()
    site.start()
    with site.client() as client:
        client.cookies.update(cookies)
        again = client.form(path)
    assert again.headers["location"] == first.headers["location"]
    assert site.size == size + 1


def test_two_browsers_of_one_user(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-two"))
    size = site.size
    with site.client("offices") as one, site.client("offices") as other:
        assert one.form(path).headers["location"] == other.form(path).headers["location"]
    assert site.size == size + 1


def test_a_draft_of_somebody_else(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-mine"))
    size = site.size
    with site.client("registrar") as other:
        for answer in (other.get(path), other.get(path + "/payload"), other.form(path)):
            assert answer.status_code == 404
            assert "offices-mine" not in answer.text
    assert site.size == size


def test_forged_forms_sign_nothing(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-forged"))
    size = site.size
    with site.client("offices") as client:
        token = client.csrf
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert client.post(path).status_code == 403
        assert client.post(path, data={"csrf": "guess"}).status_code == 403
        assert client.post(path, data={"csrf": token}, headers=elsewhere).status_code == 403
        assert client.post(path, data={"csrf": token}, headers={"Origin": "null"}).is_error
        with site.client("registrar") as other:
            assert client.post(path, data={"csrf": other.csrf}).status_code == 403
    assert site.size == size


def test_an_expired_session_loses_nothing(site: Site) -> None:
    path = drafted(site, "offices", OpenAccount(id="offices-later"))
    size = site.size
    with site.client("offices") as client:
        token = client.csrf
        with site.users() as users:
            users.sign_out(client.cookies["wattproof_session"])
        answer = client.post(path, data={"csrf": token})
        assert answer.status_code == 401
        assert f'href="/sign-in?next={path}"' in answer.text
        assert site.size == size
        client.sign_in("offices")
        assert client.form(path).status_code == 303
    assert site.size == size + 1


def test_what_the_rules_refuse_is_said(site: Site) -> None:
    path = drafted(site, "offices", GrantRole(party="offices", role="regulator"))
    size = site.size
    with site.client("offices") as client:
        answer = client.form(path)
        assert answer.status_code == 403
        assert "identity.role.missing" in answer.text
        assert "Sign and submit" in answer.text
    assert site.size == size


# --- a key of one's own -----------------------------------------------------------------------


def handed_in(client: Client, path: str, raw: bytes) -> int:
    files = {"signed": ("signed.cose", raw, "application/cose")}
    return client.post(path, data={"csrf": client.csrf}, files=files).status_code


def test_a_key_of_ones_own_signs_outside(site: Site) -> None:
    path = drafted(site, OWN_KEY, OpenAccount(id="wind-own"))
    key, ledger_id = site.key_of("wind-farm"), site.writer.ledger_id
    size = site.size
    with site.client(OWN_KEY) as client:
        assert "Sign and submit" not in client.page(path)
        answer = client.get(path + "/payload")
        assert answer.headers["content-disposition"].startswith("attachment")
        raw = cose.sign(answer.content, key, aad=ledger_id)
        assert handed_in(client, path, raw) == 303
        assert handed_in(client, path, raw) == 303
    assert site.size == size + 1
    assert site.writer.store.get(ACCOUNTS, "wind-own") is not None


def test_wrong_content_is_refused(site: Site) -> None:
    path = drafted(site, OWN_KEY, OpenAccount(id="wind-right"))
    key, ledger_id = site.key_of("wind-farm"), site.writer.ledger_id
    size = site.size
    other = encode_payload(ConfirmDevice(device="wind-1"), nonce=new_nonce())
    with site.client(OWN_KEY) as client:
        payload = client.get(path + "/payload").content
        assert handed_in(client, path, cose.sign(other, key, aad=ledger_id)) == 400
        assert handed_in(client, path, cose.sign(payload, key, aad=bytes(32))) == 403
        stranger = cose.sign(payload, SigningKey.generate(), aad=ledger_id)
        assert handed_in(client, path, stranger) == 403
        for raw in (b"", b"no COSE at all", payload, bytes(70_000)):
            assert 400 <= handed_in(client, path, raw) < 500
        assert client.form(path).status_code == 400
        assert site.size == size
        assert handed_in(client, path, cose.sign(payload, key, aad=ledger_id)) == 303
    assert site.size == size + 1


@pytest.mark.parametrize("path", ["/sign/unknown", "/sign/unknown/payload", "/account"])
def test_who_is_not_signed_in_signs_nothing(site: Site, path: str) -> None:
    with site.client() as client:
        assert "/sign-in" in client.page(path, 401)
