"""The API does what its OpenAPI schema says, whatever it is asked (schemathesis)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.served import Served
from tests.ledger.toy import Fill

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def filled(served: Served) -> Served:
    for number in range(20):
        served.submit(Fill(jar=f"jar-{number}", shelf="low", beans=number))
    return served


def test_it_keeps_to_its_schema(filled: Served, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", filled.url + "/api/v1/schema", "--no-color", "--generation-deterministic"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "30"),
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert filled.json("/healthz")["status"] == "ok"


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
