"""The manifest: which segment files are the lake, and how far into the log they reach.

One small JSON file, replaced by an atomic rename. What it does not name does not exist, so a
process that dies between two steps leaves either the old lake or the new one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from wattproof.analytics.table import Table

__all__ = [
    "MANIFEST",
    "Manifest",
    "Segment",
    "read_manifest",
    "schema_digest",
    "sync_folder",
    "write_manifest",
]

MANIFEST: Final = "manifest.json"
"""The manifest's name in the lake's folder."""

FORMAT: Final = 1
"""Version of the lake's own layout."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file with the rows that entries `first_entry` up to `next_entry` gave a table.

    `size_bytes` and `sha256` (hex) are the file's own; `ranges` the least and the greatest value
    of each column by which the table is sorted.
    """

    table: str
    file: str
    first_entry: int
    next_entry: int
    rows: int
    size_bytes: int
    sha256: str
    ranges: dict[str, tuple[int, int]]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The lake at one moment.

    `ledger` is the ledger's id in hex, `schema` the digest of the tables' definitions, `cursor`
    the number of log entries projected and `tip` the leaf hash (hex) of the last one, by which
    another log of the same ledger is told apart. `names` are lists of texts for which columns hold
    numbers: number n stands for the n-th text, counted from 1.
    """

    ledger: str
    schema: str
    cursor: int = 0
    tip: str = ""
    segments: tuple[Segment, ...] = ()
    names: dict[str, tuple[str, ...]] = {}


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The manifest with SHA-256 (hex) over its exact bytes."""

    sha256: str
    manifest: msgspec.Raw


def schema_digest(tables: Iterable[Table], *, versions: Mapping[str, int]) -> str:
    """SHA-256, in hex, over the layout, the definitions and the versions of what fills them."""
    what = (FORMAT, sorted(tables, key=lambda table: table.name), sorted(versions.items()))
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the lake in `folder`; None where there is none or it is damaged."""
    try:
        sealed = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Sealed)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            return None
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put `manifest` in the place of the one before, durably."""
    raw = msgspec.json.encode(manifest)
    sealed = _Sealed(hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))
    temporary = folder / f"{MANIFEST}.tmp"
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(sealed) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / MANIFEST)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
