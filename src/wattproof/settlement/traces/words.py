"""What the fields of epochs, copies and batches are called."""

from __future__ import annotations

from typing import Final

from wattproof.console.words import RoomWords

__all__ = ["WORDS"]

WORDS: Final = RoomWords(
    fields={
        "OpenKey.key": ("Epoch", "周期"),
        "GrantKey.key": ("Epoch", "周期"),
        "PublishTraces.key": ("Epoch", "周期"),
        "OpenKey.check": ("Check value of the key", "密钥校验值"),
        "OpenKey.about": ("What it is for, sealed", "用途（加密）"),
        "copies": ("Holders of the key", "密钥持有方"),
        "wrapped": ("Wrapped key", "封装的密钥"),
        "PublishTraces.number": ("Batch", "批次"),
        "PublishTraces.rows": ("Sealed trace codes", "加密溯源码"),
        "PublishTraces.tokens": ("Tokens", "检索标记"),
    },
)
"""The words of sealed trace codes."""
