"""What the ledger keeps of settlement: regions, tariffs, contracts, wallets, usage, and runs."""

from __future__ import annotations

from typing import Final, Literal

from wattproof.ledger.state import Collection, Record
from wattproof.settlement.model import DAY_S, Kind, StatementStep, Verdict

__all__ = [
    "CONTRACTS",
    "REGIONS",
    "REGION_DAYS",
    "REGION_HOURS",
    "RUNS",
    "STATEMENTS",
    "TARIFFS",
    "USAGE",
    "WALLETS",
    "Bilateral",
    "FiledStatement",
    "Region",
    "RegionDay",
    "RegionHour",
    "Run",
    "Tariff",
    "Usage",
    "Wallet",
    "day_of",
    "verdict_of",
]


class Region(Record):
    """A region that is settled, by `operator`; the factors are kept with their values.

    `energy` is its energy asset and `pool` its account; `last_entry` is the log entry of its last
    batch, -1 before the first. `runs` and `statements` count from 1;
    `open_run` is 0 while none is; `owed_fen` is what the pool owes suppliers.
    """

    region: str
    operator: str
    money: str
    offset_s: int
    tolerance_wh: int
    location_factor: str
    location_ug: int
    residual_factor: str
    residual_ug: int
    supply_tariff: str
    consumption_tariff: str
    entry: int
    runs: int = 0
    open_run: int = 0
    statements: int = 0
    settled_s: int = 0
    last_entry: int = -1
    owed_fen: int = 0

    @property
    def energy(self) -> str:
        """The id of the region's energy asset."""
        return f"energy:{self.region}"

    @property
    def pool(self) -> str:
        """The id of the region's account, through which everything goes."""
        return f"pool:{self.region}"


class Tariff(Record):
    """A tariff from `from_s` on: the price of each hour of the local day, in micro-fen per Wh."""

    region: str
    id: str
    from_s: int
    prices_ufen: tuple[int, ...]
    entry: int


class Bilateral(Record):
    """A contract between two meters; `accepted_entry` is -1 until it is accepted."""

    id: str
    region: str
    supplier: str
    consumer: str
    supply: int
    consumption: int
    wh_per_hour: int
    price_ufen: int
    from_s: int
    to_s: int
    offered_entry: int
    accepted_entry: int = -1


class Wallet(Record):
    """A meter's wallet: its limits a day in fen, and what was paid on local day `day`."""

    number: int
    device: str
    device_limit_fen: int
    owner_limit_fen: int
    frozen_by: str = ""
    frozen_why: str = ""
    day: int = -1
    device_paid_fen: int = 0
    owner_paid_fen: int = 0


class Usage(Record):
    """What a meter reported and nobody settled yet: Wh of each hour from `start_s` on.

    It trades in `region` since log entry `since_entry`, or with an empty region not any more.
    `carry_ufen` is what its trades left below a fen; `due_fen` what could not be paid yet, by the
    meter (consumption) or to it (supply). `trades` counts them; `settled_wh` and `settled_fen`
    add them up; `last_entry` is the log entry of the last one, -1 before the first. Hours are
    settled up to `settled_s`, and of the last of them `last_hour_wh`: more of it may yet be
    reported. `contracts` are the ids of its bilateral contracts, `tariff` its own tariff if it has
    one.
    """

    number: int
    device: str
    region: str
    kind: Kind
    since_entry: int
    start_s: int = 0
    hours_wh: tuple[int, ...] = ()
    carry_ufen: int = 0
    due_fen: int = 0
    trades: int = 0
    settled_wh: int = 0
    settled_fen: int = 0
    settled_s: int = 0
    last_hour_wh: int = 0
    last_entry: int = -1
    tariff: str = ""
    contracts: tuple[str, ...] = ()


class RegionHour(Record):
    """What was settled in a region for one hour, over all runs."""

    region: str
    start_s: int
    supplied_wh: int = 0
    consumed_wh: int = 0


class RegionDay(Record):
    """The trades of a region for the local day that begins at `day_s`, over all runs.

    `supply_fen` and `consumption_fen` are what their energy costs; `paid_supply_fen` and
    `paid_consumption_fen` what changed hands with them, what was due from before included.
    """

    region: str
    day_s: int
    trades_supply: int = 0
    trades_consumption: int = 0
    supplied_wh: int = 0
    consumed_wh: int = 0
    supply_fen: int = 0
    consumption_fen: int = 0
    paid_supply_fen: int = 0
    paid_consumption_fen: int = 0


class Run(Record):
    """A settlement run; `reached` is the last meter that was settled, `state` open or closed.

    `left_out` counts the meters that were not settled, for an hour of theirs had no price.
    """

    region: str
    number: int
    until_s: int
    opened_entry: int
    state: Literal["open", "closed"] = "open"
    reached: int = 0
    batches: int = 0
    trades_supply: int = 0
    trades_consumption: int = 0
    supplied_wh: int = 0
    consumed_wh: int = 0
    to_suppliers_fen: int = 0
    from_consumers_fen: int = 0
    left_out: int = 0
    closed_entry: int = -1


class FiledStatement(Record):
    """A statement whose digest is on the ledger."""

    region: str
    number: int
    from_s: int
    to_s: int
    step: StatementStep
    entries: int
    supplied_wh: int
    consumed_wh: int
    verdict: Verdict
    trades_supply: int
    trades_consumption: int
    digest: bytes
    entry: int
    time_s: int

    @property
    def net_wh(self) -> int:
        """Supplied less consumed."""
        return self.supplied_wh - self.consumed_wh


def verdict_of(net_wh: int, *, tolerance_wh: int) -> Verdict:
    """What a net value says; neutral while it is within the tolerance (patent CN114444952B)."""
    if abs(net_wh) <= tolerance_wh:
        return "neutral"
    return "positive" if net_wh > 0 else "negative"


def day_of(at_s: int, offset_s: int) -> int:
    """When the local day began that an instant is in; `offset_s` is ahead of UTC."""
    return at_s - (at_s + offset_s) % DAY_S


REGIONS: Final = Collection("settlement.regions", Region, key=("region",))
TARIFFS: Final = Collection("settlement.tariffs", Tariff, key=("region", "id", "from_s"))
CONTRACTS: Final = Collection(
    "settlement.contracts",
    Bilateral,
    key=("id",),
    indexes={"supplier": ("supplier",), "consumer": ("consumer",)},
)
WALLETS: Final = Collection("settlement.wallets", Wallet, key=("number",))
USAGE: Final = Collection(
    "settlement.usage", Usage, key=("number",), indexes={"region": ("region", "number")}
)
REGION_HOURS: Final = Collection("settlement.hours", RegionHour, key=("region", "start_s"))
REGION_DAYS: Final = Collection("settlement.days", RegionDay, key=("region", "day_s"))
RUNS: Final = Collection("settlement.runs", Run, key=("region", "number"))
STATEMENTS: Final = Collection("settlement.statements", FiledStatement, key=("region", "number"))
