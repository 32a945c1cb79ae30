from __future__ import annotations

import logging

import pytest
from litestar import get
from tests.gateway.served import Served, problem, serving

from wattproof.core.errors import codes


def test_nothing_there(served: Served) -> None:
    for path in ("/nowhere", "/api/v1/nothing", "/api/v2/ledger", "/log/other", "/" + "a" * 5000):
        params = problem(served.client.get(path), 404, "gateway.no_path")["params"]
        assert params == {"path": path[:200]}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/ledger", "GET, HEAD, OPTIONS"),
        ("GET", "/api/v1/transactions", "OPTIONS, POST"),
        ("PUT", "/log/checkpoint", "GET, HEAD, OPTIONS"),
        ("HEAD", "/api/v1/verify", "OPTIONS, POST"),
        ("TRACE", "/healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method(served: Served, method: str, path: str, allowed: str) -> None:
    answer = served.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        problem(answer, 405, "gateway.method")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/entries?limit=many", "limit"),
        ("/api/v1/entries?limit=0", "limit"),
        ("/api/v1/entries?limit=257", "limit"),
        ("/api/v1/entries?from=-1", "from"),
        ("/api/v1/entries?from=99999999999999999999999", "from"),
        ("/api/v1/transactions/xyz", "id"),
        (f"/api/v1/transactions/{'A' * 64}", "id"),
        (f"/api/v1/transactions/{'a' * 64}%0A", "id"),
    ],
)
def test_a_parameter_out_of_its_bounds(served: Served, path: str, name: str) -> None:
    reason = problem(served.client.get(path), 400, "gateway.request")["params"]["reason"]
    assert reason.startswith(name), reason


def test_the_sentence_comes_in_the_language_asked_for(served: Served) -> None:
    for language, key in (("zh-CN", "zh"), ("en", "en"), ("fr", "en")):
        answer = served.client.get("/nowhere", headers={"Accept-Language": language})
        found = problem(answer, 404, "gateway.no_path")
        assert found["detail"] == found[key]
        assert answer.headers["vary"] == "Accept-Language"


def test_every_code_can_be_looked_up(served: Served) -> None:
    listed = served.json("/api/v1/errors")
    assert [item["code"] for item in listed] == [code.code for code in codes()]
    for item in listed:
        assert served.json(f"/api/v1/errors/{item['code']}") == item
        assert 400 <= item["status"] < 600
    problem(served.client.get("/api/v1/errors/no.such"), 404, "gateway.no_code")


@get("/tests/fault", sync_to_thread=False)
def fault() -> str:
    raise LookupError("a secret of ours")


def test_what_nobody_foresaw_is_logged_and_not_shown(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path_factory.mktemp("ledger"), routers=[fault]) as served:
        caplog.set_level(logging.ERROR, logger="wattproof.gateway")
        answer = served.client.get("/tests/fault")
    number = problem(answer, 500, "gateway.fault")["params"]["fault"]
    assert "secret" not in answer.text
    (record,) = (record for record in caplog.records if record.name == "wattproof.gateway")
    assert number in record.getMessage()
    assert record.exc_info is not None


def test_headers_of_every_answer(served: Served) -> None:
    for path in ("/nowhere", "/api/v1/ledger", "/log/checkpoint", "/healthz", "/api/v1/schema"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-frame-options"] == "DENY"
        expected = "public, max-age=1" if path.startswith("/log") else "no-store"
        assert headers["cache-control"] == expected
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_head_is_answered_like_get_without_its_body(served: Served) -> None:
    for path in ("/log/checkpoint", "/api/v1/schema", "/healthz"):
        head, whole = served.client.head(path), served.client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
        assert head.headers["content-type"] == whole.headers["content-type"]
