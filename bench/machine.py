"""What a measurement was taken on, and where its result is kept."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "describe", "write_result"]

RESULTS = Path(__file__).parent / "results"
"""One JSON file a measurement."""

PARTS = ("cbor2", "cryptography", "duckdb", "msgspec", "numpy", "pynacl", "uvicorn")


def describe() -> dict[str, Any]:
    """The processor, its cores, the memory, and the versions that a figure depends on."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "versions": {part: _version(part) for part in PARTS},
    }


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Keep a measurement, with the machine it was taken on, as ``bench/results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    whole = {"bench": name, **result, "machine": describe()}
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _cpu_model() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _version(part: str) -> str:
    try:
        return importlib.metadata.version(part)
    except importlib.metadata.PackageNotFoundError:
        return "none"
