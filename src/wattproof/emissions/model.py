"""Emission factors, their assignment to meters, and what a meter has emitted so far.

A factor is a published, sourced statement: micrograms of CO2 or CO2e per base unit of a quantity.
Publishing its id again makes the next version; a record names the version that it used, so an old
report comes out the same. A meter of CO2 needs no factor: it counts as it is (`UNITY`).
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wattproof.emissions.carry import UG_PER_G
from wattproof.ledger.machine import Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, Part, transaction

__all__ = [
    "ASSIGNMENTS",
    "EMISSION_STREAMS",
    "FACTORS",
    "MAX_FACTORS",
    "MAX_SPANS",
    "MAX_VALUE_UG",
    "UNITY",
    "UNITY_ID",
    "AssignFactor",
    "Assignment",
    "EmissionStream",
    "Emitted",
    "Factor",
    "FactorAssigned",
    "FactorPublished",
    "FactorStatement",
    "PublishFactors",
    "Segment",
    "Span",
]

MAX_FACTORS: Final = 256
"""Factors in one transaction at most."""

MAX_SPANS: Final = 16
"""Assignments of one meter that are in force or to come, at most."""

MAX_VALUE_UG: Final = 10**15
"""The largest factor: a tonne and a thousand per gram, far above any gas."""

UNITY_ID: Final = "unity"
"""The id under which a meter of CO2 is counted: one gram a gram."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Word = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class FactorStatement(Part):
    """What is said of a factor when it is published.

    `value` and `unit` are as in the source, `value_ug` the same in micrograms per base unit (0.5306
    kg/kWh is 530 600). `quantity` is what it applies to: a family (``electricity``) or one quantity
    of it (``electricity.import``). `kind` tells, within a `set`, which reading of the factor it is
    (average, residual ...); sets are not to be mixed. `data_year` is 0 where the source names none;
    `published` is its date in ISO form or empty; what has another `confidence` than ``high`` is
    shown with it.
    """

    id: Id
    set: Word
    kind: Word
    level: Word
    region: Word
    name_en: Text
    name_zh: Text
    quantity: Word
    data_year: Annotated[int, Meta(ge=0, le=2199)]
    published: Word
    value: Word
    unit: Word
    value_ug: Annotated[int, Meta(ge=0, le=MAX_VALUE_UG)]
    gas: Word
    source: Text
    confidence: Text


@transaction(
    "emissions.factor.publish",
    1,
    by=("factor_authority",),
    en="Publish emission factors",
    zh="发布排放因子",
)
class PublishFactors(Body):
    """Publish factors; an id that exists gets its next version."""

    factors: Annotated[tuple[FactorStatement, ...], Meta(min_length=1, max_length=MAX_FACTORS)]


@transaction(
    "emissions.factor.assign",
    1,
    by=("party",),
    en="Assign a factor to a meter (its owner, an importer or a metering authority)",
    zh="为表计指定排放因子（所有者、导入机构或计量机构）",
)
class AssignFactor(Body):
    """Use a factor for the meter's readings that begin from `from_s` up to `to_s` (0: no end).

    Nothing that is already reported can be touched. An earlier assignment without an end ends
    where this one begins; any other overlap is refused.
    """

    device: Id
    factor: Id
    version: Version
    from_s: Instant
    to_s: Instant


class Factor(Record):
    """A version of a factor, the party that published it and the log entry in which it did."""

    id: str
    version: int
    publisher: str
    entry: int
    stated: FactorStatement


class Span(Record):
    """A factor in force for readings that begin from `from_s` up to `to_s` (0: no end)."""

    factor: str
    version: int
    value_ug: int
    from_s: int
    to_s: int = 0


class Assignment(Record):
    """A factor assigned to a meter: by whom, and in which log entry."""

    number: int
    from_s: int
    factor: str
    version: int
    party: str
    entry: int
    to_s: int = 0


class EmissionStream(Record):
    """What a meter has emitted: whole grams, the micrograms carried, and the factors ahead.

    `spans` are its assignments that are not over yet, in order of time, kept here so that a
    packet finds its factor with one read. A `node` emits by itself: it has no spans, and its total
    is what it said.
    """

    number: int
    total_g: int = 0
    carry_ug: int = 0
    spans: tuple[Span, ...] = ()
    node: bool = False


FACTORS: Final = Collection("emissions.factors", Factor, key=("id", "version"))
ASSIGNMENTS: Final = Collection(
    "emissions.assignments",
    Assignment,
    key=("number", "from_s"),
    indexes={"factor": ("factor",)},
)
EMISSION_STREAMS: Final = Collection("emissions.streams", EmissionStream, key=("number",))

UNITY: Final = Span(factor=UNITY_ID, version=1, value_ug=UG_PER_G, from_s=0)
"""The factor of what is CO2 already: a gram a gram."""


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Consecutive readings of one packet that share a factor.

    `first` is the index of its first reading, or -1 when it begins with the catch-up amount, which
    then counts as one of `count`. With `carry_ug`, the micrograms carried into it, the emission of
    each reading follows (`carry.emissions_g`).
    """

    first: int
    count: int
    factor: str
    version: int
    value_ug: int
    carry_ug: int = 0


@event(
    "emissions.emitted",
    en="Meter {number} emitted {emission_g} g",
    zh="表计 {number} 的排放：{emission_g} 克",
)
class Emitted(Event):
    """The emission of a packet, or of the catch-up amount of a replacement.

    `unassigned` is the amount for which the meter had no factor; it has no emission at all, which
    is not the same as an emission of zero.
    """

    number: int
    emission_g: int
    segments: tuple[Segment, ...]
    unassigned: int = 0


@event(
    "emissions.factor.published",
    en="{publisher} published factor {id}, version {version}",
    zh="{publisher} 发布了排放因子 {id} 第 {version} 版",
)
class FactorPublished(Event):
    """A version of a factor is on the ledger."""

    id: str
    version: int
    publisher: str


@event(
    "emissions.factor.assigned",
    en="Factor {factor}, version {version}, was assigned to {device} by {party}",
    zh="{party} 为 {device} 指定了排放因子 {factor} 第 {version} 版",
)
class FactorAssigned(Event):
    """A meter has a factor from `from_s` on, until `to_s` (0: no end)."""

    device: str
    number: int
    factor: str
    version: int
    party: str
    from_s: int
    to_s: int = 0
