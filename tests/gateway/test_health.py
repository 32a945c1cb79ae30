from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.gateway.served import Served, problem, serving
from tests.ledger.toy import Fill


def samples(served: Served) -> dict[str, float]:
    """Every sample of /metrics by its name and labels."""
    answer = served.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        sample.name + re.sub("[^ -~]", "", str(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_well(served: Served) -> None:
    served.submit(Fill(jar="well", shelf="low", beans=1))
    health = served.json("/healthz")
    ledger = served.json("/api/v1/ledger")
    assert health == {"status": "ok", "entries": ledger["size"], "height": ledger["height"]}


def test_unwell(tmp_path: Path) -> None:
    with serving(tmp_path / "ledger") as served:
        assert served.json("/healthz")["status"] == "ok"
        store = served.writer.store
        store._connect().execute("DELETE FROM entry")  # as damage would
        answer = served.client.get("/healthz")
        problem(answer, 503, "gateway.unwell")
        assert "retry-after" in answer.headers


def test_figures(tmp_path: Path) -> None:
    with serving(tmp_path / "ledger") as served:
        before = samples(served)
        raw = served.sign(Fill(jar="counted", shelf="low", beans=1))
        for _ in range(3):
            served.post(raw)
        served.client.get("/nowhere/at/all")
        served.client.get("/api/v1/transactions/" + "0" * 64)
        served.client.request("PROPFIND", "/log/checkpoint")
        after = samples(served)

    def counted(method: str, route: str, status: int) -> float:
        labels = [("method", method), ("route", route), ("status", str(status))]
        return after["wattproof_http_requests_total" + str(labels)]

    assert before["wattproof_log_entries[]"] == 1
    assert after["wattproof_log_entries[]"] == 2
    assert after["wattproof_block_height[]"] == 1
    assert after["wattproof_submissions_waiting[]"] == 0
    assert counted("POST", "/api/v1/transactions", 201) == 1
    assert counted("POST", "/api/v1/transactions", 200) == 2
    assert counted("GET", "unmatched", 404) == 1
    assert counted("GET", "/api/v1/transactions/{id}", 404) == 1
    assert counted("other", "unmatched", 405) == 1
    seconds = "wattproof_http_request_seconds_count"
    assert after[seconds + str([("method", "POST"), ("route", "/api/v1/transactions")])] == 3
