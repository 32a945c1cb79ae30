"""init, submit, sign, prove, verify, audit: right calls, wrong calls, second runs."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.cli.conftest import Command

from wattproof.book.model import OpenAccount
from wattproof.engines.folder import LedgerFolder
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import encode_payload


def a_transaction(ledger: LedgerFolder) -> str:
    store = ledger.read()
    try:
        return store.entry(1).id.hex()
    finally:
        store.close()


def test_init_opens_a_ledger_once(command: Command, tmp_path: Path) -> None:
    made = command("init", tmp_path / "new", "--name", "Delta", "--json")
    assert made.code == 0
    assert made.json["name"] == "Delta"
    assert made.json["factors"] > 100
    again = command("init", tmp_path / "new", "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "folder.exists")


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [("--uscc", "911101085513850820", "core.uscc_check"), ("--zone", "Moon/Sea", "core.zone")],
)
def test_init_refuses_what_cannot_be(
    command: Command, tmp_path: Path, option: str, value: str, code: str
) -> None:
    ran = command("init", tmp_path / "new", option, value)
    assert ran.code == 1
    assert f"[{code}]" in ran.err
    assert not (tmp_path / "new" / "ledger.db").exists()


def test_audit_holds_and_says_what_it_checked(command: Command, ledger: LedgerFolder) -> None:
    ran = command("audit", ledger.path, "--json")
    assert ran.code == 0
    assert ran.json["ok"] is True
    assert ran.json["entries"] == ran.json["signatures"] > 3
    assert len(ran.json["root"]) == 64
    assert ran.json["conservation"] == {}
    assert "first_break" not in ran.json


@pytest.mark.parametrize(("lang", "words"), [("en", "First break"), ("zh", "首个断点")])
def test_audit_names_the_first_break(
    command: Command, ledger: LedgerFolder, lang: str, words: str
) -> None:
    database = sqlite3.connect(ledger.database)
    database.execute("DELETE FROM entry WHERE idx = 2")
    database.commit()
    database.close()
    ran = command("audit", ledger.path, lang=lang)
    assert ran.code == 1
    assert words in ran.out
    broken = command("audit", ledger.path, "--json")
    assert broken.json["ok"] is False
    assert broken.json["first_break"]["entry"] == 2


def test_a_proof_verifies_with_the_ledger_gone(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    proof = tmp_path / "p.json"
    assert command("prove", ledger.path, a_transaction(ledger), "-o", proof).code == 0
    ledger.path.rename(tmp_path / "elsewhere")
    ran = command("verify", proof, "--json")
    assert ran.code == 0
    assert [step["ok"] for step in ran.json["steps"]] == [True] * 5
    assert ran.json["type"] == "emissions.factor.publish"
    assert command("verify", proof, "--ledger", ran.json["ledger_id"]).code == 0
    assert command("verify", proof, "--ledger", "ab" * 32).code == 1


def test_a_changed_proof_fails(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    proof = tmp_path / "p.json"
    command("prove", ledger.path, a_transaction(ledger), "-o", proof)
    data = bytearray(proof.read_bytes())
    data[len(data) // 2] ^= 1
    proof.write_bytes(data)
    ran = command("verify", proof, lang="zh")
    assert ran.code == 1
    assert "证明不成立" in ran.out


@pytest.mark.parametrize(
    ("text", "code", "exit_code"),
    [("xyz", "cli.transaction_id", 1), ("00" * 32, "cli.no_transaction", 1)],
)
def test_prove_refuses_an_unknown_transaction(
    command: Command, ledger: LedgerFolder, tmp_path: Path, text: str, code: str, exit_code: int
) -> None:
    ran = command("prove", ledger.path, text, "-o", tmp_path / "p")
    assert (ran.code, f"[{code}]" in ran.err) == (exit_code, True)


def test_sign_and_submit(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    body = {
        "type": "identity.party.register",
        "version": 1,
        "fields": {
            "id": "mill",
            "kind": "organisation",
            "key": base64.b64encode(SigningKey.generate().public).decode(),
            "name": "A mill",
        },
    }
    (tmp_path / "body.json").write_text(json.dumps(body), encoding="utf-8")
    signed = tmp_path / "mill.cose"
    assert command("sign", ledger.path, "operator", tmp_path / "body.json", "-o", signed).code == 0
    first = command("submit", ledger.path, signed, "--json")
    assert first.code == 0
    assert first.json[0]["first"] is True
    again = command("submit", ledger.path, signed, "--json")
    assert again.json[0]["first"] is False
    assert again.json[0]["index"] == first.json[0]["index"]


def test_sign_where_no_ledger_is(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    """A device engineer makes the key, signs the enrolment elsewhere, and hands it in."""
    keys, signed = tmp_path / "bench", tmp_path / "enrol.cose"
    made = command("key", "new", keys, "meter-1", "--create", "--json")
    assert made.code == 0
    assert not (keys / "ledger.db").exists()
    assert command("key", "new", keys, "meter-2", "--create").code == 0
    fields = {"id": "meter-1", "owner": "importer", "quantity": "electricity.import"}
    body = {"type": "identity.device.enrol", "version": 1, "fields": {**fields, "zone": "UTC"}}
    (tmp_path / "enrol.json").write_text(json.dumps(body), encoding="utf-8")
    store = ledger.read()
    ledger_id = store.entry(0).id.hex()
    store.close()
    call = ("sign", keys, "meter-1", tmp_path / "enrol.json", "-o", signed)
    assert command(*call).code == 2, "without a ledger its id must be given"
    assert command(*call, "--ledger-id", ledger_id).code == 0
    (answer,) = command("submit", ledger.path, signed, "--json").json
    assert answer["events"][0]["did"] == made.json["did"]
    for text in ("xyz", ledger_id[:-2]):
        assert "[cli.ledger_id]" in command(*call, "--ledger-id", text).err


def test_sign_a_payload_as_it_is(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    """What the console gives to those who hold their own key: its nonce is in it already."""
    payload = encode_payload(OpenAccount(id="till"), nonce=bytes(range(16)))
    (tmp_path / "payload.cbor").write_bytes(payload)
    signed = tmp_path / "till.cose"
    call = ("sign", ledger.path, "operator", tmp_path / "payload.cbor", "-o", signed)
    assert command(*call).code == 0
    assert cose.parse(signed.read_bytes()).payload == payload
    assert command("submit", ledger.path, signed).code == 0
    (tmp_path / "payload.cbor").write_bytes(payload[:-1])
    refused = command(*call)
    assert (refused.code, "[keys.cbor" in refused.err) == (1, True), refused.err


def test_submit_reports_each_file(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xd2\x84nonsense")
    (tmp_path / "empty").write_bytes(b"")
    ran = command("submit", ledger.path, tmp_path / "bad", tmp_path / "empty", "--json")
    assert ran.code == 1
    assert all("code" in answer["error"] for answer in ran.json)


def test_a_second_writer_is_told_so(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with ledger.write():
        ran = command("submit", ledger.path, tmp_path / "file")
        assert command("audit", ledger.path).code == 0
    assert (ran.code, "[store.in_use]" in ran.err) == (2, True)


@pytest.mark.parametrize("name", ["audit", "serve"])
def test_no_ledger_is_said_in_one_sentence(command: Command, tmp_path: Path, name: str) -> None:
    ran = command(name, tmp_path, lang="zh")
    assert ran.code == 2
    assert "没有账本" in ran.err
    assert ran.err.count("\n") == 1


def test_submit_to_nobody(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    ran = command("submit", "http://127.0.0.1:9", tmp_path / "file")
    assert (ran.code, "[remote.no_answer]" in ran.err) == (2, True)


def test_a_bad_call_exits_with_2(command: Command) -> None:
    assert command("verify").code == 2
    assert command("nonsense").code == 2


def test_keys_and_roles(command: Command, ledger: LedgerFolder) -> None:
    assert {"log", "operator", "importer"} <= set(
        command("key", "list", ledger.path, "--json").json
    )
    made = command("key", "new", ledger.path, "mine", "--json").json
    assert made["did"].startswith("did:key:z6Mk")
    assert command("key", "show", ledger.path, "mine", "--json").json == made
    taken = command("key", "new", ledger.path, "mine")
    assert "[keys.store.taken]" in taken.err
    table = command("explain", "roles", "--json").json
    assert {row["by"] for row in table if row["transaction"] == "metering.packet v1"} == {"device"}
    assert "登记主体" in command("explain", "roles", lang="zh").out


def test_prove_takes_an_entry_number(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    assert command("prove", ledger.path, 1, "-o", tmp_path / "p").code == 0
    assert command("verify", tmp_path / "p", "--json").json["index"] == 1
    assert command("prove", ledger.path, 10**6, "-o", tmp_path / "p").code == 1


def test_the_passphrase_can_be_changed(
    command: Command, ledger: LedgerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "[folder.no_passphrase]" in command("key", "passphrase", ledger.path).err
    monkeypatch.setenv("WATTPROOF_NEW_PASSPHRASE", "a longer phrase")
    assert command("key", "passphrase", ledger.path).code == 0
    assert not (ledger.path / "keys.secret").exists()
    assert "[folder.no_passphrase]" in command("key", "list", ledger.path).err


def test_keys_of_another_ledger_are_not_taken(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    command("init", tmp_path / "other")
    for name in ("keys", "keys.secret"):
        (ledger.path / name).rename(ledger.path / f"old-{name}")
        (tmp_path / "other" / name).rename(ledger.path / name)
    (tmp_path / "file").write_bytes(b"x")
    assert "[genesis.log_key]" in command("submit", ledger.path, tmp_path / "file").err


def test_a_kept_checkpoint_shows_an_older_copy(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    """What an audit alone cannot see: a whole older copy, and a history that forked from one."""
    shutil.copytree(ledger.path, tmp_path / "older")
    command("key", "new", ledger.path, "mill")
    for name in ("one", "two"):
        sign_party(command, ledger, tmp_path, name)
    kept = tmp_path / "kept"
    kept.write_text(command("checkpoint", ledger.path).out, encoding="utf-8")
    held = command("audit", ledger.path, "--checkpoint", kept, "--json")
    assert (held.code, held.json["ok"]) == (0, True)
    sign_party(command, ledger, tmp_path, "three")
    assert command("audit", ledger.path, "--checkpoint", kept).code == 0
    older = LedgerFolder(tmp_path / "older", ledger.machine)
    assert command("audit", older.path).code == 0
    shorter = command("audit", older.path, "--checkpoint", kept, "--json")
    assert shorter.json["first_break"]["code"] == "audit.shorter"
    for name in ("four", "five", "six"):
        sign_party(command, older, tmp_path, name)
    forked = command("audit", older.path, "--checkpoint", kept, "--json")
    assert (forked.code, forked.json["first_break"]["code"]) == (1, "audit.forked")
    kept.write_text("no checkpoint", encoding="utf-8")
    assert command("audit", ledger.path, "--checkpoint", kept).code == 1


def sign_party(command: Command, ledger: LedgerFolder, tmp_path: Path, name: str) -> None:
    """Register a party: one more entry."""
    key = base64.b64encode(SigningKey.generate().public).decode()
    fields = {"id": name, "kind": "organisation", "key": key, "name": name}
    body = {"type": "identity.party.register", "version": 1, "fields": fields}
    (tmp_path / "body.json").write_text(json.dumps(body), encoding="utf-8")
    signed = tmp_path / f"{name}.cose"
    assert command("sign", ledger.path, "operator", tmp_path / "body.json", "-o", signed).code == 0
    assert command("submit", ledger.path, signed).code == 0
