"""What shipments emitted, by shipment, product, customer, period, method or mode.

A row never adds up factors of two sets or scopes: where shipments used several, there are several
rows. A shipment belongs to the hour, day, month or year in which it departed (arrived, where only
that is known), on the clock of the zone that is asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, Protocol, TypeVar, get_args

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, OverLimit
from wattproof.core.periods import Step, bucket_bounds, iso
from wattproof.emissions.logistics.model import SHIPMENTS, Shipment
from wattproof.ledger.state import Collection, Key, Record

__all__ = ["GROUPINGS", "MAX_SHIPMENTS", "By", "Pages", "Period", "ReportRow", "check_by",
           "shipment_report"]  # fmt: skip

MAX_SHIPMENTS: Final = 200_000
"""Shipments that one report looks at, at most."""
AT_ONCE: Final = 1_000

By = Literal["shipment", "product", "customer", "period", "method", "mode"]
"""By what a report adds up."""
GROUPINGS: Final[tuple[By, ...]] = get_args(By)

UNKNOWN_BY = ErrorCode(
    Malformed,
    "shipments.report_by",
    en="A report is by {allowed}, not by {by!r}.",
    zh="报告可按 {allowed} 汇总，不能按“{by}”汇总。",
)
TOO_MANY = ErrorCode(
    OverLimit,
    "shipments.report_size",
    en="The report looks at more than {limit} shipments; ask for one party or customer.",
    zh="报告涉及超过 {limit} 批运输；请指定主体或客户。",
)

R = TypeVar("R", bound=Record)


class Pages(Protocol):
    """The state, read a page at a time; a `Store`."""

    def page(
        self,
        collection: Collection[R],
        index: str | None = None,
        values: Key = (),
        *,
        after: Key | None,
        limit: int,
    ) -> list[R]:
        """Up to `limit` records by key, from behind the key `after`."""
        ...


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a report: from `start_s` up to `end_s` (None: no bound), in steps of a zone."""

    zone: str
    step: Step = "month"
    start_s: int | None = None
    end_s: int | None = None

    def holds(self, at_s: int) -> bool:
        """Whether a time lies in it."""
        late = self.end_s is not None and at_s >= self.end_s
        return not late and (self.start_s is None or at_s >= self.start_s)


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sum over shipments of one shipper, one set of factors and one scope.

    `key` is what they share (a shipment's or product's id, a customer, the ISO start of a period,
    a method, a mode; empty where they have none), `methods` how their emissions were worked out.
    Weights in grams, distances in metres, emissions in grams.
    """

    key: str
    shipper: str
    set: str
    scope: str
    methods: tuple[str, ...]
    shipments: int
    units: int
    weight_g: int
    distance_m: int
    emission_g: int


def check_by(text: str) -> By:
    """By what a report adds up; raises ``shipments.report_by``."""
    for by in GROUPINGS:
        if text == by:
            return by
    raise UNKNOWN_BY(by=text[:40], allowed=", ".join(GROUPINGS))


def shipment_report(
    pages: Pages,
    *,
    by: By,
    period: Period,
    shipper: str | None = None,
    keep: Callable[[Shipment], bool] = lambda _shipment: True,
) -> list[ReportRow]:
    """The rows by `key`, shipper, set and scope: of one shipper, or of all that `keep` keeps.

    Raises ``shipments.report_size`` beyond `MAX_SHIPMENTS`.
    """
    found = [one for one in _shipments(pages, shipper) if period.holds(one.at_s) and keep(one)]
    key_of = _period_key(found, period) if by == "period" else _KEYS[by]
    sums: dict[tuple[str, str, str, str], list[Shipment]] = {}
    for one in found:
        sums.setdefault((key_of(one), one.shipper, one.set, one.scope), []).append(one)
    return [_row(key, sums[key]) for key in sorted(sums)]


_KEYS: Final[dict[By, Callable[[Shipment], str]]] = {
    "shipment": lambda one: one.shipment,
    "product": lambda one: one.product,
    "customer": lambda one: one.customer,
    "method": lambda one: one.method,
    "mode": lambda one: one.mode,
}


def _shipments(pages: Pages, shipper: str | None) -> Iterator[Shipment]:
    values = () if shipper is None else (shipper,)
    after: Key | None = None
    count = 0
    while True:
        chunk = pages.page(SHIPMENTS, values=values, after=after, limit=AT_ONCE)
        count += len(chunk)
        if count > MAX_SHIPMENTS:
            raise TOO_MANY(limit=MAX_SHIPMENTS)
        yield from chunk
        if len(chunk) < AT_ONCE:
            return
        after = SHIPMENTS.key_of(chunk[-1])


def _period_key(found: Iterable[Shipment], period: Period) -> Callable[[Shipment], str]:
    """The start of the step in which a shipment lies, as ISO local time."""
    times = sorted(one.at_s for one in found)
    if not times:
        return lambda _shipment: ""
    bounds = bucket_bounds(times[0], times[-1], period.step, period.zone)
    starts = {bound: iso(bound, period.zone) for bound in bounds} if len(bounds) < 10_000 else {}

    def key(one: Shipment) -> str:
        start_s = bounds[bisect_right(bounds, one.at_s) - 1]
        return starts.get(start_s) or iso(start_s, period.zone)

    return key


def _row(key: tuple[str, str, str, str], shipments: list[Shipment]) -> ReportRow:
    what, shipper, set_, scope = key
    return ReportRow(
        key=what,
        shipper=shipper,
        set=set_,
        scope=scope,
        methods=tuple(sorted({one.method for one in shipments})),
        shipments=len(shipments),
        units=sum(one.units for one in shipments),
        weight_g=sum(one.weight_g for one in shipments),
        distance_m=sum(one.distance_m for one in shipments),
        emission_g=sum(one.emission_g for one in shipments),
    )
