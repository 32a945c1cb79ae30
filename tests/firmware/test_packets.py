"""A meter's golden packets: made by others, accepted by the rules, rebuilt by the firmware in C."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.memory_ledger import Accepted, MemoryLedger, key_of
from tests.vectors.make_packets import as_text, packet_vectors

from wattproof.core.errors import Refused
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import NONCE_BYTES, sign_transaction
from wattproof.metering.contract import CONTRACT as METERING
from wattproof.metering.model import Packet, PacketAccepted

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "packets.json"
STORIES = json.loads(VECTORS.read_text(encoding="utf-8"))["stories"]
COMPILER = shutil.which("cc")
GUARDS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

stories = pytest.mark.parametrize("story", STORIES, ids=[story["name"] for story in STORIES])


def test_the_committed_vectors_are_what_the_script_makes() -> None:
    assert VECTORS.read_text(encoding="utf-8") == as_text(packet_vectors())


@stories
def test_the_rules_accept_and_refuse_as_told(story: Any) -> None:
    ledger = _ledger(story)
    for step in story["packets"]:
        if "refused" in step:
            with pytest.raises(Refused) as refused:
                _submit(ledger, step)
            assert refused.value.code == step["refused"], step["name"]
        else:
            event = _submit(ledger, step).event(PacketAccepted)
            assert list(event.outcomes) == step["outcomes"], step["name"]


@stories
def test_our_own_signer_makes_the_same_bytes(story: Any) -> None:
    ledger = _ledger(story)
    for step in story["packets"]:
        raw = bytes.fromhex(step["transaction"])
        body = ledger.machine.codec.decode(cose.parse(raw), raw).body
        assert isinstance(body, Packet)
        key = SigningKey.from_seed(bytes.fromhex(step["key_seed"]))
        nonce = body.sequence.to_bytes(NONCE_BYTES, "big")
        assert sign_transaction(body, key, ledger_id=ledger.ledger_id, nonce=nonce) == raw


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")
def test_the_firmware_in_c_makes_the_same_bytes(tmp_path: Path) -> None:
    program = tmp_path / "packets"
    folder = ROOT / "docs" / "firmware"
    sources = [folder / "packet.c", ROOT / "tests" / "firmware" / "main.c"]
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", f"-I{folder}"]
    compile_ = [str(COMPILER), *strict, *map(str, sources), "-o", str(program)]
    guarded = subprocess.run([*compile_, *GUARDS], capture_output=True)
    if guarded.returncode:  # a compiler without these libraries
        subprocess.run(compile_, check=True)
    steps = [step for story in STORIES for step in story["packets"] if _in_reach(step)]
    lines = "".join(_line(step) for step in steps)
    run = subprocess.run([str(program)], input=lines, capture_output=True, text=True, check=True)
    made = [line.split() for line in run.stdout.splitlines()]
    wanted = [
        [step[name] for name in ("payload", "sig_structure", "transaction")] for step in steps
    ]
    assert made == wanted


def _ledger(story: Any) -> MemoryLedger:
    """A ledger with the story's id and its meter, which may report."""
    ledger = MemoryLedger([IDENTITY, METERING], authorise)
    ledger.genesis()
    ledger.ledger_id = bytes.fromhex(story["enrolment"]["external_aad"])
    _submit(ledger, story["enrolment"])
    importer = key_of("importer")
    ledger.submit(AuthenticateDevice(device="meter-1", evidence=bytes(32)), importer)
    ledger.submit(ConfirmDevice(device="meter-1"), importer)
    return ledger


def _submit(ledger: MemoryLedger, step: Any) -> Accepted:
    return ledger.submit_raw(bytes.fromhex(step["transaction"]))


def _in_reach(step: Any) -> bool:
    """Whether the firmware's struct can hold it: a quality for each reading, or none."""
    increments, quality = (array["uint_array"] for array in step["fields"][-2:])
    return len(quality) in (0, len(increments))


def _line(step: Any) -> str:
    """A packet as main.c reads it."""
    return " ".join(str(part) for part in _parts(step)) + "\n"


def _parts(step: Any) -> Iterator[object]:
    sequence, start_s, interval_s, kind, opening, increments, quality = step["fields"][3:]
    yield from (step["public"], step["external_aad"], step["signature"])
    yield from (sequence, start_s, interval_s, int(kind == "register"))
    yield opening["int"] if isinstance(opening, dict) else opening
    for array in (increments, quality):
        yield len(array["uint_array"])
        yield from array["uint_array"]
