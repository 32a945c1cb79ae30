"""The worked example in the documents is the golden vector, byte for byte, in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("document", ["wire-format.md", "wire-format.zh.md"])
def test_the_worked_example_is_the_vector(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    vectors = (ROOT / "tests" / "vectors" / "envelopes.json").read_text(encoding="utf-8")
    cases = {case["name"]: case for case in json.loads(vectors)["cases"]}
    case = cases["packet of 4 readings"]
    blocks = re.findall(r"^```\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    shown = ["".join(re.sub(r"#.*", "", block).split()) for block in blocks]
    assert shown == [case["transaction"], case["sig_structure"]]
    for name in ("key_seed", "public", "external_aad", "id"):
        assert f"`{case[name]}`" in text
