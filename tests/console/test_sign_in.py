"""Signing in and out, the password, language and look, over HTTP."""

from __future__ import annotations

import pytest
from tests.support.site import PASSWORD, Client, Site

from wattproof.console.cli import USERS_FILE
from wattproof.console.users import MAX_FAILURES


def code_of(text: str, code: str) -> bool:
    return f"<code>{code}</code>" in text


def test_the_right_password(site: Site) -> None:
    with site.client() as client:
        answer = client.form("/sign-in", login="steel", password=PASSWORD, next="/meters")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/meters"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "steel-works" in client.page("/account")


def test_a_wrong_password(site: Site) -> None:
    with site.client() as client:
        answer = client.form("/sign-in", login="steel", password="wrong")
        assert answer.status_code == 403
        assert code_of(answer.text, "console.sign_in")
        assert 'value="steel"' in answer.text
        assert "wrong" not in answer.text
        assert "set-cookie" not in answer.headers or "session" not in answer.headers["set-cookie"]
        client.page("/account", 401)


def test_too_many_wrong_passwords(fresh_site: Site) -> None:
    with fresh_site.client() as client:
        for _ in range(MAX_FAILURES):
            client.form("/sign-in", login="steel", password="wrong")
        answer = client.form("/sign-in", login="steel", password=PASSWORD)
        assert answer.status_code == 429
        assert code_of(answer.text, "console.locked")
        client.sign_in("offices")


@pytest.mark.parametrize(
    "login", ["\x00", "a" * 10_000, "ä", "\ud7ff", "<b>", "';DROP TABLE users;--"]
)
def test_strange_names(fresh_site: Site, login: str) -> None:
    with fresh_site.client() as client:
        answer = client.form("/sign-in", login=login, password="x" * 10_000)
        assert answer.status_code == 403
        assert "<b>" not in answer.text


def test_forms_that_are_not_ones_own(site: Site) -> None:
    with site.client() as client, site.client() as other:
        mine, foreign = client.csrf, other.csrf
        wanted = {"login": "steel", "password": PASSWORD}
        for token in ("", "x", foreign, "ä"):
            answer = client.post("/sign-in", data={**wanted, "csrf": token})
            assert answer.status_code == 403
            assert code_of(answer.text, "console.form")
        for origin in ("https://elsewhere.example", "null", "http://127.0.0.1"):
            answer = client.post(
                "/sign-in", data={**wanted, "csrf": mine}, headers={"Origin": origin}
            )
            assert code_of(answer.text, "console.form")
        answer = client.post(
            "/sign-in", data={**wanted, "csrf": mine}, headers={"Origin": site.url}
        )
        assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/sign-out", "/account/password", "/language", "/theme", "/tour"])
def test_no_form_without_its_token(site: Site, path: str) -> None:
    with site.client("steel") as client:
        answer = client.post(path, data={"old": PASSWORD, "new": "another password", "lang": "zh"})
        assert answer.status_code == 403
        assert code_of(answer.text, "console.form")
        client.page("/account")


@pytest.mark.parametrize(
    "elsewhere", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"]
)
def test_nothing_leads_elsewhere(site: Site, elsewhere: str) -> None:
    with site.client() as client:
        assert elsewhere not in client.get("/sign-in", params={"next": elsewhere}).text
        answer = client.form("/sign-in", login="steel", password=PASSWORD, next=elsewhere)
        assert answer.headers["location"] == "/"
        answer = client.get("/sign-in", params={"next": elsewhere})
        assert answer.headers["location"] == "/"
        assert client.form("/language", lang="en", back=elsewhere).headers["location"] == "/"


def test_signing_out_ends_the_session(site: Site) -> None:
    with site.client("steel") as client:
        token = client.cookies["wattproof_session"]
        assert client.form("/sign-out").headers["location"] == "/"
        client.cookies.set("wattproof_session", token)
        assert "/sign-in" in client.page("/account", 401)


def test_an_expired_session_says_so_and_leads_back(site: Site) -> None:
    with site.client("steel") as client:
        with site.users() as users:
            users.sign_out(client.cookies["wattproof_session"])
        page = client.page("/meters?status=active", 401)
        assert 'href="/sign-in?next=/meters%3Fstatus%3Dactive"' in page


def test_a_new_password_ends_other_sessions(fresh_site: Site) -> None:
    site = fresh_site
    with site.client("steel") as here, site.client("steel") as there:
        answer = here.form("/account/password", old=PASSWORD, new="another password")
        assert answer.status_code == 200
        assert 'role="status"' in answer.text
        here.page("/account")
        there.page("/account", 401)
        assert there.form("/sign-in", login="steel", password=PASSWORD).status_code == 403
        there.sign_in("steel", "another password")


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        ("wrong", "another password", 403, "console.password"),
        (PASSWORD, "short", 400, "console.password_form"),
    ],
)
def test_passwords_that_are_not_changed(
    fresh_site: Site, old: str, new: str, status: int, code: str
) -> None:
    with fresh_site.client("steel") as client:
        answer = client.form("/account/password", old=old, new=new)
        assert answer.status_code == status
        assert code_of(answer.text, code)
        client.page("/account")


def test_the_browsers_language_first(site: Site) -> None:
    with site.client(lang="zh") as client:
        assert 'lang="zh-Hans"' in client.page("/sign-in")
    with site.client() as client:
        assert '<html lang="en"' in client.page("/sign-in")


def test_a_chosen_language_is_remembered(fresh_site: Site) -> None:
    site = fresh_site
    with site.client("steel") as client:
        answer = client.form("/language", lang="zh", back="/meters")
        assert answer.headers["location"] == "/meters"
        assert 'lang="zh-Hans"' in client.page("/meters")
        client.form("/sign-out")
        assert 'lang="zh-Hans"' in client.page("/sign-in")
    with site.client("steel") as elsewhere:
        assert 'lang="zh-Hans"' in elsewhere.page("/meters")
        elsewhere.form("/language", lang="fr")
        assert 'lang="zh-Hans"' in elsewhere.page("/meters")


def test_the_look(site: Site) -> None:
    with site.client() as client:
        assert "data-bs-theme" not in client.page("/sign-in")
        client.form("/theme", theme="dark")
        assert 'data-bs-theme="dark"' in client.page("/sign-in")
        client.form("/theme", theme="pink")
        assert 'data-bs-theme="dark"' in client.page("/sign-in")
        client.form("/theme", theme="auto")
        assert "data-bs-theme" not in client.page("/sign-in")


def test_what_every_page_says_to_the_browser(site: Site) -> None:
    with site.client("steel") as client:
        for path in ("/", "/meters", "/account", "/nowhere", "/parties/no-such"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert headers["cache-control"] == "no-store", path
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "same-origin", path


def test_people_get_pages_and_programs_get_problem_details(site: Site) -> None:
    with site.client("steel") as client:
        assert code_of(client.page("/nowhere", 404), "gateway.no_path")
        assert code_of(client.page("/ledger?before=x", 400), "gateway.request")
        answer = client.get("/api/v1/nowhere")
        assert answer.headers["content-type"] == "application/problem+json"


PRIVATE = ("/meters", "/meters/steel-main", "/ledger", "/ledger/entries/{entry}", "/account",
           "/meters/steel-main/readings.csv", "/queue", "/devices", "/parties")  # fmt: skip


@pytest.mark.parametrize("path", PRIVATE)
def test_nobody_sees_anything_without_signing_in(site: Site, path: str) -> None:
    path = path.format(entry=site.first_packet("steel-main"))
    with site.client() as client:
        page = client.page(path, 401)
        assert "steel" not in page.replace(path, "")


OTHERS = ("/meters/steel-main", "/meters/steel-main/readings.csv", "/ledger/entries/{entry}",
          "/parties/steel-works")  # fmt: skip


@pytest.mark.parametrize("path", OTHERS)
def test_what_belongs_to_others_is_refused_and_not_leaked(site: Site, path: str) -> None:
    path = path.format(entry=site.first_packet("steel-main"))
    with site.client("steel") as owner:
        assert owner.get(path).status_code == 200
    with site.client("offices") as other:
        page = other.page(path, 403)
        assert code_of(page, "gateway.not_yours")
        assert "MWh" not in page
        unknown = path.replace("steel-main", "no-such").replace("steel-works", "no-such")
        if unknown != path:
            assert code_of(other.page(unknown, 403), "gateway.not_yours")


def test_lists_hold_what_one_may_see(site: Site) -> None:
    with site.client("offices") as client:
        meters, ledger = client.page("/meters"), client.page("/ledger?before=80")
    assert "office-a" in meters
    assert "steel-main" not in meters
    assert "steel-main" not in ledger
    assert "It concerns others" in ledger


def test_an_open_node_has_no_account_to_show(fresh_site: Site) -> None:
    """Without any account everybody may read, and nobody may sign."""
    fresh_site.stop()
    (fresh_site.folder.path / USERS_FILE).unlink()
    fresh_site.start()
    with Client(fresh_site.url) as client:
        assert "steel-main" in client.page("/meters")
        assert "Energy" in client.page("/")
        client.page("/account", 401)
        client.page("/sign/any", 401)
        answer = client.form("/account/password", old="a", new="b")
        assert answer.status_code == 401
