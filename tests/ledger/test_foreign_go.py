"""Go's own modules for signed notes and tiled logs read a log of ours, tile by tile."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.checkpoint import Checkpoint, app_extension, open_checkpoint, sign_checkpoint
from wattproof.ledger.merkle import (
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
)
from wattproof.ledger.note import base64_text, cosign_note, encode_vkey, parse_vkey
from wattproof.ledger.tiles import (
    CHECKPOINT_PATH,
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TileNodes,
    bundles_for,
    entry_bundle,
    tile_path,
    tile_root,
    tiles_for,
)

PROGRAM = Path(__file__).parent / "go"
LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
WITNESS = SigningKey.from_seed(b"witness".ljust(32, b"."))
NAME = "ledger.example/north"
SIZE = 256 * 257 + 3
"""Full and partial tiles on two levels, and a partial one of one hash on the third."""


@dataclass(frozen=True)
class Answer:
    status: int
    error: str
    found: dict[str, object]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("the Go tool chain is not on PATH")
    fetched = subprocess.run(
        [go, "mod", "download"], cwd=PROGRAM, capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"the Go module golang.org/x/mod cannot be had: {fetched.stderr.strip()}")
    built = tmp_path_factory.mktemp("go") / "foreign"
    subprocess.run([go, "build", "-o", str(built), "."], cwd=PROGRAM, check=True)
    return built


@pytest.fixture
def log(tmp_path: Path) -> Path:
    entries = [b"entry %d" % index for index in range(SIZE)]
    entries[0] = b""
    entries[SIZE - 1] = bytes(MAX_ENTRY_BYTES)
    write_log(tmp_path, entries)
    return tmp_path


def write_log(folder: Path, entries: list[bytes]) -> None:
    levels = [[leaf_hash(entry) for entry in entries]]
    while len(below := levels[-1]) >= TILE_WIDTH:
        full = range(0, len(below) - TILE_WIDTH + 1, TILE_WIDTH)
        levels.append([tile_root(b"".join(below[at : at + TILE_WIDTH])) for at in full])
    for path in (*tiles_for(len(entries)), *bundles_for(len(entries))):
        place = slice(path.index * TILE_WIDTH, path.index * TILE_WIDTH + path.width)
        file = folder / path.text
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.level is None:
            file.write_bytes(entry_bundle(entries[place]))
        else:
            file.write_bytes(b"".join(levels[path.level][place]))
    head = Checkpoint(
        origin=NAME,
        size=len(entries),
        root=root_of(levels[0]),
        extensions=(app_extension(app_hash=bytes(32), height=9),),
    )
    note = cosign_note(sign_checkpoint(head, LOG, NAME), WITNESS, name="witness.example")
    (folder / CHECKPOINT_PATH).write_text(note, encoding="utf-8")
    (folder / "proofs.json").write_text(json.dumps(proofs(folder, len(entries))))


def proofs(folder: Path, size: int) -> dict[str, object]:
    """Proofs made from the files alone."""

    def read(level: int, index: int, width: int) -> bytes:
        return (folder / tile_path(level, index, width)).read_bytes()

    nodes = TileNodes(read, size=size)
    places = [*range(0, size, 997), 255, 256, 65_535, 65_536, size - 2, size - 1]
    return {
        "Inclusion": [
            {"Index": at, "Path": texts(inclusion_path(nodes, index=at, size=size))}
            for at in places
        ],
        "Consistency": [
            {
                "OldSize": at,
                "Path": texts(consistency_path(nodes, old_size=at, new_size=size)),
            }
            for at in (*places[1:], size)
        ],
    }


def texts(path: list[bytes]) -> list[str]:
    return [base64_text(item) for item in path]


def run(program: Path, log: Path, vkey: str) -> Answer:
    done = subprocess.run(
        [str(program), str(log), vkey], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return Answer(status=done.returncode, error=done.stderr, found=found)


def test_go_reads_a_log_of_ours_and_signs_what_we_read(program: Path, log: Path) -> None:
    answer = run(program, log, encode_vkey(NAME, LOG.public))
    assert answer.status == 0, answer.error
    assert answer.found["Origin"] == NAME
    assert answer.found["Size"] == SIZE
    assert answer.found["Signers"] == [NAME]
    given = json.loads((log / "proofs.json").read_text())
    assert answer.found["Inclusion"] == len(given["Inclusion"])
    assert answer.found["Consistency"] == len(given["Consistency"])
    name, public = parse_vkey(str(answer.found["VKey"]))
    ours = open_checkpoint(
        (log / CHECKPOINT_PATH).read_text(encoding="utf-8"), name=NAME, public=LOG.public
    )
    assert open_checkpoint(str(answer.found["Note"]), name=name, public=public) == ours


def test_go_refuses_a_log_that_was_changed(program: Path, log: Path) -> None:
    vkey = encode_vkey(NAME, LOG.public)
    assert "checkpoint" in run(program, log, encode_vkey(NAME, WITNESS.public)).error
    for path in ("tile/0/100", "tile/0/257.p/3", "tile/1/001.p/1", "tile/entries/257.p/3"):
        file = log / path
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        answer = run(program, log, vkey)
        assert answer.status == 1
        assert ("entries:" in answer.error) == ("entries" in path), answer.error
        file.write_bytes(whole)
    assert run(program, log, vkey).status == 0


def test_go_refuses_a_spoilt_proof(program: Path, tmp_path: Path) -> None:
    write_log(tmp_path, [b"%d" % index for index in range(66_000)])
    given = json.loads((tmp_path / "proofs.json").read_text())
    given["Inclusion"][1]["Path"][0] = base64_text(bytes(32))
    (tmp_path / "proofs.json").write_text(json.dumps(given))
    assert "proofs: entry 997" in run(program, tmp_path, encode_vkey(NAME, LOG.public)).error
