"""The packaged emission factors, under the name by which the rooms of emissions know them.

They lie on the lowest floor, because an agent beside a meter looks its factor up there too.
"""

from __future__ import annotations

from wattproof.core.factors import (
    FACTOR_INEXACT,
    UNITY,
    PackagedFactor,
    factor_ug,
    natural_value,
    packaged_factor,
    packaged_factors,
)

__all__ = ["FACTOR_INEXACT", "UNITY", "PackagedFactor", "factor_ug", "natural_value",
           "packaged_factor", "packaged_factors"]  # fmt: skip
