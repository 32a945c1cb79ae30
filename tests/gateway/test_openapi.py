"""The API does what its OpenAPI schema says, whatever it is asked (schemathesis)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.served import Served
from tests.ledger.toy import Fill
from tests.support.served_rooms import serving_region

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def filled(served: Served) -> Served:
    for number in range(20):
        served.submit(Fill(jar=f"jar-{number}", shelf="low", beans=number))
    return served


def run_schemathesis(url: str, folder: Path, *tags: str) -> None:
    """Ask the API all kinds of things; fails on a server error or a breach of the schema."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", url + "/api/v1/schema", "--no-color", "--generation-deterministic"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "25"),
        *(f"--include-tag={tag}" for tag in tags),
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=folder, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_frame_keeps_to_its_schema(filled: Served, tmp_path: Path) -> None:
    run_schemathesis(filled.url, tmp_path)
    assert filled.json("/healthz")["status"] == "ok"


def test_the_rooms_keep_to_theirs(tmp_path: Path) -> None:
    with serving_region(tmp_path / "ledger") as region:
        url = str(region.client.base_url).rstrip("/")
        run_schemathesis(url, tmp_path, "identity", "book", "metering", "emissions")
        assert region.client.get("/healthz").status_code == 200


def test_every_operation_tells_its_errors_in_the_one_shape(filled: Served) -> None:
    schema = filled.json("/api/v1/schema")
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert answer["content"] == {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    }
