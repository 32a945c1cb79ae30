from __future__ import annotations

import pytest

from wattproof.gateway.language import language_of


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("fr-FR, de;q=0.9", "en"),
        ("zh", "zh"),
        ("ZH-Hans-CN", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.2", "zh"),
        ("en;q=0.5, zh;q=0.50", "en"),
        ("en;q=0.5, zh;q=0.501", "zh"),
        ("en;q=0, zh;q=0.001", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=x, zh;q=2, zh;q=-1, zh;q=0.٣, zh;level=1", "en"),
        (";;,,=;q", "en"),
        ("fr," * 500 + "zh", "en"),
    ],
)
def test_the_language_of_higher_weight(header: str | None, expected: str) -> None:
    assert language_of(header) == expected
