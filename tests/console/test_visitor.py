"""Who asks, and whether a form is that visitor's own."""

from __future__ import annotations

from typing import Any

import pytest

from wattproof.console.sign_in import local_path
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor, Visitors, check_form
from wattproof.core.errors import WattProofError
from wattproof.gateway.access import ANYBODY
from wattproof.keys.passphrase import LOWEST


def visitor_of(path: str = "/", query: str = "", **headers: str) -> Visitor:
    users = Users(":memory:", cost=LOWEST)
    scope: Any = {
        "type": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1"))
                    for name, value in headers.items()],
        "state": {},
    }  # fmt: skip
    visitors = Visitors(users=users, roles_of=lambda _party: ("supplier",))
    visitor = visitors.of(scope)
    assert visitors.of(scope) is visitor
    users.close()
    return visitor


def test_somebody_new() -> None:
    visitor = visitor_of()
    assert visitor.fresh_visit
    assert not visitor.signed_in
    assert visitor.actor is ANYBODY
    assert len(visitor.csrf) >= 24
    assert visitor_of().csrf != visitor.csrf
    with pytest.raises(WattProofError, match=r"gateway\.sign_in_needed"):
        _ = visitor.signed_in_as


@pytest.mark.parametrize(
    ("cookie", "accept", "lang"),
    [
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "fr,en;q=0.5", "en"),
        ("", "", "en"),
        ("wattproof_lang=en", "zh-CN", "en"),
        ("wattproof_lang=zh", "en", "zh"),
        ("wattproof_lang=fr", "zh", "zh"),
    ],
)
def test_the_language(cookie: str, accept: str, lang: str) -> None:
    assert visitor_of(cookie=cookie, accept_language=accept).lang == lang


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_look(theme: str) -> None:
    assert visitor_of(cookie=f"wattproof_theme={theme}").theme == theme
    assert visitor_of(cookie="wattproof_theme=pink").theme == "auto"


@pytest.mark.parametrize(
    "strange",
    ['other={"a": [1, "b"]}; ', "=; ;;=a; ", 'x="\\"; ', "a" * 9000 + "; ", "\xff\xfe=\x80; "],
)
def test_strange_cookies_of_others_hide_none_of_ours(strange: str) -> None:
    visitor = visitor_of(cookie=strange + "wattproof_visit=token")
    assert visitor.csrf == "token"
    assert not visitor.fresh_visit


def test_the_pages_own_address() -> None:
    assert visitor_of("/meters", "a=1&b=%20").path == "/meters?a=1&b=%20"
    assert visitor_of("/parties/中 文").path == "/parties/%E4%B8%AD%20%E6%96%87"


HOST = "wattproof.example:8000"


@pytest.mark.parametrize("origin", [None, "http://wattproof.example:8000"])
def test_a_form_of_ones_own(origin: str | None) -> None:
    visitor = visitor_of(cookie="wattproof_visit=token")
    check_form(visitor, csrf="token", origin=origin, host=HOST)


@pytest.mark.parametrize(
    ("csrf", "origin"),
    [
        ("", None),
        ("tokem", None),
        ("tøken", None),
        ("token", "null"),
        ("token", "https://elsewhere.example"),
        ("token", "http://wattproof.example"),
        ("token", "http://wattproof.example:8000.elsewhere.example"),
    ],
)
def test_a_forged_form(csrf: str, origin: str | None) -> None:
    visitor = visitor_of(cookie="wattproof_visit=token")
    with pytest.raises(WattProofError, match=r"console\.form"):
        check_form(visitor, csrf=csrf, origin=origin, host=HOST)


def test_a_form_before_any_page() -> None:
    visitor = visitor_of()
    with pytest.raises(WattProofError, match=r"console\.form"):
        check_form(visitor, csrf=visitor.csrf, origin=None, host=HOST)


@pytest.mark.parametrize("path", ["/", "/ledger?before=3", "/parties/%E4%B8%AD", "/a//b"])
def test_paths_to_go_back_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "javascript:1",
     "/\t/elsewhere.example", "/a\r\nSet-Cookie: b=c", "ledger", "/中", "\\/a", " /a"],
)  # fmt: skip
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert local_path(path) == "/"
