"""trace new, grant, publish, epochs, search, check and open as a user calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Command
from tests.support.traced import codes_of

from wattproof.core.trace_codes import trace_text
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import RegisterParty
from wattproof.ledger.transaction import sign_transaction

CODES = codes_of(1_300)
DAY = ("--day", "2025-06-01", "--zone", "UTC")


@pytest.fixture
def parties(ledger: LedgerFolder) -> LedgerFolder:
    """A grid company and two readers, whose keys are all in the folder."""
    with ledger.write(workers=0) as writer, ledger.keys() as keys:
        operator = keys.get("operator")
        for id_, roles in (("grid", ("grid_company",)), ("reader", ()), ("late", ())):
            body = RegisterParty(
                id=id_, kind="organisation", key=keys.get_or_create(id_).public, name=id_,
                roles=roles,
            )  # fmt: skip
            writer.engine.submit(sign_transaction(body, operator, ledger_id=writer.ledger_id))
    return ledger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "codes.txt"
    path.write_text("\n".join(map(trace_text, CODES)) + "\n\n", encoding="utf-8")
    return path


def test_from_a_new_epoch_to_what_is_found(
    command: Command, parties: LedgerFolder, file: Path
) -> None:
    at = parties.path
    new = ("trace", "new", at, "--as", "grid", "--region", "CN-SH", "--for", "reader")
    epoch = command(*new, "--json").json["epoch"]
    published = command("trace", "publish", at, file, "--as", "grid", "--json").json
    assert (published["codes"], published["batches"]) == (1_300, [0, 1])
    (listed,) = command("trace", "epochs", at, "--as", "reader", "--json").json["epochs"]
    assert (listed["epoch"], listed["region"], listed["codes"]) == (epoch, "CN-SH", 1_300)

    query = ("--province", "CN-SH", "--kind", "supply", "--technology", "T010100")
    found = command("trace", "search", at, "--as", "reader", *query, *DAY, "--json").json
    expected = [
        trace_text(code)
        for code in CODES
        if (code.province, code.kind, code.technology) == ("CN-SH", "supply", "T010100")
    ]
    assert sorted(one["code"] for one in found["codes"]) == sorted(expected)
    assert (found["found"], found["unread"]) == (len(expected), 0)
    nothing = command("trace", "search", at, "--as", "reader", "--day", "2025-06-03", "--json")
    assert nothing.json["found"] == 0
    shown = command("trace", "search", at, "--as", "reader", "--kind", "供能", lang="zh")
    assert "共 260 个溯源码" in shown.out and "供能" in shown.out and "另有 210 个" in shown.out
    assert "260 batches" not in command("trace", "check", at, "--as", "reader").out

    checked = command("trace", "check", at, "--as", "grid", "--json")
    assert (checked.code, checked.json["batches"], checked.json["wrong"]) == (0, 2, 0)


def test_late_joiners_and_rotation(
    command: Command, parties: LedgerFolder, file: Path, tmp_path: Path
) -> None:
    at = parties.path
    new = ("trace", "new", at, "--as", "grid", "--region", "CN-SH")
    first = command(*new, "--for", "reader", "--json").json["epoch"]
    command("trace", "publish", at, file, "--as", "grid")
    held: Callable[[str], int] = lambda party: command(  # noqa: E731
        "trace", "search", at, "--as", party, "--json"
    ).json["found"]
    none = command("trace", "search", at, "--as", "late")
    assert none.code != 0 and "settlement.key.none_held" in none.out + none.err
    assert command("trace", "grant", at, first, "--as", "grid", "--for", "late").code == 0
    assert held("late") == held("reader") == 1_300
    command(*new, "--for", "late")
    later = tmp_path / "later.txt"
    later.write_text(trace_text(codes_of(1, day=5)[0]), encoding="utf-8")
    command("trace", "publish", at, later, "--as", "grid")
    assert (held("late"), held("reader")) == (1_301, 1_300)


def test_a_code_is_read_and_found(command: Command, parties: LedgerFolder, file: Path) -> None:
    at, text = parties.path, trace_text(CODES[3])
    told = command("trace", "open", text, "--json").json
    assert (told["kind"], told["region"], told["record"]) == ("consumption", "KR", 3)
    assert "用能" in command("trace", "open", text, lang="zh").out
    command("trace", "new", at, "--as", "grid", "--region", "CN-SH", "--for", "reader")
    missing = command("trace", "open", text, "--in", at, "--as", "reader")
    assert missing.code == 1 and "not in this ledger" in missing.out
    entry = command("trace", "publish", at, file, "--as", "grid", "--json").json["entries"]
    found = command("trace", "open", text, "--in", at, "--as", "reader", "--json").json
    assert [one["entry"] in entry for one in found["sealed"]] == [True]
    wrong = command("trace", "open", text[:-1] + ("1" if text[-1] != "1" else "2"))
    assert wrong.code != 0 and "core.trace.check" in wrong.out + wrong.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("search", "--as", "grid"), "settlement.key.none_held"),
        (("search", "--as", "grid", "--kind", "green"), "settlement.trace.kind"),
        (("search", "--as", "grid", "--province", "XX"), "core.region"),
        (("search", "--as", "grid", "--technology", "T9"), "core.technology"),
        (("search", "--as", "nobody"), "keys.store.unknown"),
        (("new", "--as", "grid", "--region", "CN-SH", "--for", "nobody"), "identity.party.unknown"),
        (("new", "--as", "reader", "--region", "CN-SH", "--for", "late"), "identity.role.missing"),
        (("new", "--as", "grid", "--region", "x" * 200, "--for", "late"), "settlement.key.about"),
    ],
)
def test_bad_calls(
    command: Command, parties: LedgerFolder, arguments: tuple[str, ...], code: str
) -> None:
    name, *options = arguments
    answer = command("trace", name, parties.path, *options)
    assert answer.code != 0
    assert code in answer.err + answer.out


def test_files_that_cannot_be_published(
    command: Command, parties: LedgerFolder, tmp_path: Path
) -> None:
    at, path = parties.path, tmp_path / "codes.txt"
    missing = command("trace", "publish", at, path, "--as", "grid")
    assert "settlement.trace.file" in missing.err + missing.out
    path.write_text(f"{trace_text(CODES[0])}\nnonsense\n", encoding="utf-8")
    wrong = command("trace", "publish", at, path, "--as", "grid", lang="zh")
    assert "codes.txt 第 2 行" in wrong.err + wrong.out
    path.write_text(trace_text(CODES[0]), encoding="utf-8")
    command("trace", "new", at, "--as", "grid", "--region", "CN-SH", "--for", "reader")
    other = command("trace", "publish", at, path, "--as", "reader")
    assert "settlement.key.none_opened" in other.err + other.out
