"""One log, one hash: under other hash seeds, time zones, locales and Python versions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.growing import on_disk
from tests.ledger.replaying import MACHINES, NEEDS

from wattproof.ledger.store import Store

ROOT = Path(__file__).parents[2]
SURROUNDINGS = [
    {"PYTHONHASHSEED": "0"},
    {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "random", "TZ": "Asia/Shanghai", "LANG": "zh_CN.GB18030", "COLUMNS": "1"},
]


@pytest.fixture(scope="module", params=sorted(MACHINES))
def log(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, Any]]:
    """A ledger's file, the machine that it is of, and what its log must come to."""
    if request.param == "full":
        path: Path = request.getfixturevalue("demo_ledger") / "ledger.db"
    else:
        path = tmp_path_factory.mktemp("determinism") / "ledger.db"
        on_disk(path, 600)
    machine = MACHINES[request.param]()
    store = Store.open(path, machine.collections)
    latest = store.latest_block()
    assert latest is not None
    rows = sum(1 for collection in machine.collections for _ in store.columns(collection))
    store.close()
    assert rows > 30
    return request.param, path, {
        "app_hash": latest.app_hash.hex(), "size": latest.size, "rows": rows
    }  # fmt: skip


def replayed(python: str | Path, name: str, path: Path, **surroundings: str) -> dict[str, Any]:
    """What another process says that the log comes to."""
    bare = {
        key: os.environ[key] for key in ("PATH", "HOME", "LD_LIBRARY_PATH") if key in os.environ
    }
    done = subprocess.run(
        [python, "-m", "tests.ledger.replaying", name, path],
        env={**bare, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **surroundings},
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=lambda s: s["PYTHONHASHSEED"])
def test_surroundings_do_not_matter(
    log: tuple[str, Path, dict[str, Any]], surroundings: dict[str, str]
) -> None:
    name, path, expected = log
    found = replayed(sys.executable, name, path, **surroundings)
    assert {**expected, "python": found["python"]} == found


def pythons() -> Iterator[tuple[str, str]]:
    """Other versions of Python at hand, on the PATH or where pyenv keeps them."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    kept = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for version in ("3.11", "3.12", "3.13", "3.14"):
        candidates = [
            shutil.which(f"python{version}"),
            *map(str, kept.glob(f"{version}.*/bin/python")),
        ]
        for candidate in filter(None, candidates):
            if version != mine and answers(candidate, version):
                yield version, candidate
                break


def answers(python: str, version: str) -> bool:
    """Whether this is a working Python of that version (pyenv's shims are not always)."""
    done = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.startswith(f"Python {version}.")


OTHERS = dict(pythons())


@pytest.fixture(scope="module")
def other_python(request: pytest.FixtureRequest) -> Path:
    """An environment of another Python with the packages that contracts need, kept for later."""
    version: str = request.param
    if version not in OTHERS:
        pytest.skip(f"no other Python version than {sys.version.split()[0]} is at hand")
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in NEEDS]
    folder = request.config.cache.mkdir("pythons") / re.sub(
        r"[^\w.]+", "-", f"{version}-{'-'.join(pins)}"
    )
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "0",
                   "--timeout", "10", "--only-binary", ":all:", *pins]  # fmt: skip
        try:
            subprocess.run([OTHERS[version], "-m", "venv", folder], check=True, timeout=60)
            subprocess.run(
                [folder / "bin" / "python", *install], check=True, timeout=120, capture_output=True
            )
        except (subprocess.SubprocessError, OSError):
            pytest.skip(f"Python {version} lacks {', '.join(pins)}, which could not be installed")
        (folder / "ready").touch()
    return folder / "bin" / "python"


@pytest.mark.parametrize("other_python", sorted(OTHERS) or ["none"], indirect=True)
def test_the_python_version_does_not_matter(
    log: tuple[str, Path, dict[str, Any]], other_python: Path
) -> None:
    name, path, expected = log
    found = replayed(other_python, name, path, PYTHONHASHSEED="7", TZ="Asia/Kathmandu")
    assert {**expected, "python": found["python"]} == found
    assert found["python"] != sys.version.split()[0]


def test_the_contracts_replayed_are_those_of_a_node() -> None:
    from wattproof.node import machine

    here, there = MACHINES["full"](), machine()
    assert [contract.name for contract in here.contracts] == [
        contract.name for contract in there.contracts
    ]
    assert here.specs == there.specs
    assert here.collections == there.collections
