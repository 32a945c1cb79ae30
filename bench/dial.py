"""How well old dials are read: drawn drum counters and displays, each compared with its last value.

`exact` is the likeliest reading of the picture alone; what is accepted, doubted or given to a
person is after the comparison with the last value. A reading is right within half a turn of the
last wheel; a doubted one may be lower, and should not be higher. The wheels of a drum stand
anywhere between two digits, but for `drum_at_rest`. Hard pictures have 1.5 times the tilt, 1.8
times the blur and 2.5 times the noise of usual ones.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.support.dials import FONTS, Kind, Look, drawn, random_look

from bench.machine import write_result
from wattproof.edge.dial.plausible import Known, judge
from wattproof.edge.dial.reader import look
from wattproof.edge.dial.recogniser import packaged_recogniser

PICTURES = 1000
FIRST_SEED = 10_000
"""None of these pictures was looked at while the limits were set."""
KINDS: tuple[Kind, ...] = ("drum", "lcd", "led")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    result: dict[str, Any] = {"pictures_each": count, "fonts_of_drums": len(FONTS)}
    result["drum_at_rest"] = measured("drum", count, harder=False, moving=False)
    for kind in KINDS:
        for name, harder in (("usual", False), ("hard", True)):
            result[f"{kind}_{name}"] = measured(kind, count, harder=harder, moving=kind == "drum")
    print(write_result("dial", result).read_text(encoding="utf-8"))


def measured(kind: Kind, count: int, *, harder: bool, moving: bool) -> dict[str, Any]:
    tally: Counter[str] = Counter()
    took: list[float] = []
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        tally.update(one_picture(kind, seed, harder=harder, moving=moving, took=took))
    return {
        "exact": round(tally["exact"] / count, 4),
        "accepted": round(tally["accepted"] / count, 4),
        "accepted_wrong": tally["accepted_wrong"],
        "lower_and_marked": round(tally["lower"] / count, 4),
        "lower_and_marked_too_high": tally["lower_high"],
        "for_a_person": round(tally["person"] / count, 4),
        "ms_p50": round(1000 * statistics.median(took), 1),
        "ms_p99": round(1000 * statistics.quantiles(took, n=100)[98], 1),
    }


def worse(look: Look) -> Look:
    return replace(
        look, tilt=look.tilt * 1.5, blur=look.blur * 1.8, noise=look.noise * 2.5,
        light=min(0.95, look.light * 1.6),
    )  # fmt: skip


def one_picture(
    kind: Kind, seed: int, *, harder: bool, moving: bool, took: list[float]
) -> list[str]:
    chance = random.Random(f"{kind}{seed}")
    digits = chance.choice([5, 6, 7, 8])
    modulus = 10**digits
    whole = chance.randrange(modulus)
    if chance.random() < 0.15:
        whole = whole // 1000 * 1000 + 999  # many wheels turn at once
    turned = Decimal(chance.randrange(100)) / 100 if moving else Decimal(0)
    style = random_look(seed, kind)
    picture, box = drawn(whole + turned, digits, worse(style) if harder else style, seed)
    crop = picture[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    most = chance.choice([5, 50, 500])
    known = Known(value=(whole - chance.randrange(most)) % modulus, most=most)
    begun = time.perf_counter()
    seen = look(
        packaged_recogniser(), crop, digits=digits, face="wheels" if kind == "drum" else "display"
    )
    found = judge(seen.readings, known, digits=digits, between=seen.between)
    took.append(time.perf_counter() - begun)
    right = {whole, (whole + 1) % modulus} if turned * 2 >= 1 else {whole}
    tags = ["exact"] if seen.readings and int(seen.readings[0][0]) in right else []
    if found.value is None:
        return [*tags, "person"]
    if found.reason:
        high = found.value not in right and (whole - found.value) % modulus > most
        return [*tags, "lower", *(["lower_high"] if high else [])]
    return [*tags, "accepted", *([] if found.value in right else ["accepted_wrong"])]


if __name__ == "__main__":
    main()
