"""From samples to whole base units: what a register says, and how far it moved.

What a meter shows is checked before it is believed: no NaN, nothing below zero, nothing above the
roll-over, nothing that no meter of its size can count in the time. Each has its own name.
"""

from __future__ import annotations

from fractions import Fraction

from wattproof.core.errors import Conflict, ErrorCode, Malformed
from wattproof.core.units import MAX_AMOUNT, Converter
from wattproof.edge.source import Sample

__all__ = ["NEGATIVE_STEP", "added", "check_jump", "level", "step"]

NOT_FINITE = ErrorCode(
    Malformed,
    "edge.register.not_finite",
    en="The meter gave {value}, which is no number.",
    zh="表计给出的 {value} 不是数。",
)
NEGATIVE = ErrorCode(
    Malformed,
    "edge.register.negative",
    en="The meter gave {value} {unit}; a register or an amount is never below zero.",
    zh="表计给出 {value} {unit}；表底数或数量不会小于零。",
)
BEYOND = ErrorCode(
    Malformed,
    "edge.register.modulus",
    en="A register that starts again at {modulus} cannot show {register}.",
    zh="在 {modulus} 处翻转的计度器不可能显示 {register}。",
)
TOO_LARGE = ErrorCode(
    Malformed,
    "edge.register.limit",
    en="The register would come to more than 2^62 base units.",
    zh="表底数将超过 2^62 个基本单位。",
)
NEGATIVE_STEP = ErrorCode(
    Conflict,
    "edge.register.negative_step",
    en="The register went down from {closing} to {found}: if the meter was exchanged, declare it"
    " with wattproof edge swap.",
    zh="表底数由 {closing} 减小为 {found}：如已换表，请用 wattproof edge swap 申报。",
)
JUMP = ErrorCode(
    Malformed,
    "edge.register.jump",
    en="{amount} in {seconds} s is more than this meter can count; at most {most} an hour.",
    zh="{seconds} 秒内计得 {amount}，超出该表计的能力（每小时最多 {most}）。",
)


def level(sample: Sample, *, quantity: str, modulus: int) -> int:
    """The register in whole base units; the part of a base unit stays in the meter.

    `modulus` is where it starts again, 0 for never. Raises `Malformed` for what cannot be.
    """
    _check(sample)
    found = Converter(unit=sample.unit, quantity=quantity).level(sample.value)
    if modulus and found >= modulus:
        raise BEYOND(modulus=modulus, register=found)
    return found


def added(sample: Sample, *, quantity: str, remainder: Fraction) -> tuple[int, Fraction]:
    """The whole base units that an amount completes, and what is then left of one.

    `remainder` is what was left before, at least 0 and below 1. Raises `Malformed`.
    """
    _check(sample)
    converter = Converter(unit=sample.unit, quantity=quantity)
    whole = converter.take(sample.value)
    left = converter.remainder + remainder
    return whole + (left >= 1), left % 1


def step(before: int, after: int, *, modulus: int) -> int:
    """How far a register moved, over its roll-over if it has one.

    Half the range and more is read as a step back, as the ledger reads it. Raises `NEGATIVE_STEP`.
    """
    moved = after - before
    if moved < 0:
        if not modulus or 2 * (moved % modulus) >= modulus:
            raise NEGATIVE_STEP(closing=before, found=after)
        moved %= modulus
    if after > MAX_AMOUNT:
        raise TOO_LARGE()
    return moved


def check_jump(amount: int, *, seconds: int, most_per_hour: int) -> None:
    """Raise `JUMP` for more than `most_per_hour` base units an hour allow; 0 allows any."""
    if most_per_hour and amount * 3600 > most_per_hour * seconds:
        raise JUMP(amount=amount, seconds=seconds, most=most_per_hour)


def _check(sample: Sample) -> None:
    if not sample.value.is_finite():
        raise NOT_FINITE(value=str(sample.value)[:40])
    if sample.value < 0:
        raise NEGATIVE(value=str(sample.value)[:40], unit=sample.unit[:40])
