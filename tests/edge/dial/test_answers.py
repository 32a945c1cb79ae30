"""The command with which a person answers for doubtful pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wattproof.edge.command import main
from wattproof.edge.dial.doubtful import keep, list_doubtful
from wattproof.edge.dial.picture import Shot
from wattproof.edge.dial.plausible import Judgement

UNSURE = Judgement(value=None, read="012345", share=0.614, reason="illegible")

NODE = """
[node]
id = "old-meter"
quantity = "electricity.import"
ledger = "{ledger}"
key = "node.key"
[send]
url = "http://127.0.0.1:1"
[source]
"""
DIAL = """
kind = "dial"
picture = "{folder}/now.jpg"
folder = "{folder}/doubtful"
box = [0, 0, 300, 80]
digits = 6
decimals = 1
max_per_hour = 12.5
start = 1234
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(NODE.format(ledger="0" * 64) + DIAL.format(folder=tmp_path))
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = 0
    try:
        main(["dial", *map(str, arguments)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out = capsys.readouterr()
    return code, out.out + out.err


def test_a_person_lists_corrects_and_throws_away(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    folder = config.parent / "doubtful"
    assert "No picture is in doubt" in told(capsys, config)[1]
    one, other = (
        keep(folder, Shot(b"\xff\xd8 %d" % at, at), UNSURE, digits=6, decimals=1)
        for at in (1000, 2000)
    )
    code, text = told(capsys, config)
    assert code == 0 and f"{one.id}: 1234.5 (61 %)" in text and str(folder) in text
    code, text = told(capsys, config, "--confirm", one.id, "--value", "1239.5", "--json")
    assert json.loads(text)[0]["answer"] == "1239.5"
    assert told(capsys, config, "--discard", other.id)[0] == 0
    assert [kept.answer for kept in list_doubtful(folder)] == ["1239.5"]
    code, text = told(capsys, config, "--confirm", "none")
    assert code == 1 and "edge.dial.unknown_picture" in text
    assert told(capsys, config, "--value", "3")[0] == 1


def test_another_source_has_no_pictures(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text().partition("[source]")[0]
    config.write_text(text + '[source]\nkind = "http"\nurl = "http://127.0.0.1:1/"\n')
    code, said = told(capsys, config)
    assert code == 1 and "edge.dial.other_kind" in said
