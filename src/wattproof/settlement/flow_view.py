"""Who supplied and who consumed a region's energy, as a picture and a table with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from wattproof.console.chart import unit_name
from wattproof.core.errors import Lang
from wattproof.settlement.model import Kind
from wattproof.settlement.trade_queries import Flow

__all__ = ["FlowChart", "flow_chart"]

WH_PER_KWH: Final = 1_000
POOL: Final = "pool"
OUTSIDE: Final = "outside"


class FlowChart(msgspec.Struct, frozen=True, kw_only=True):
    """The flows of a period: from suppliers into the pool, out of it to consumers.

    What is supplied beyond what is consumed leaves the region, what is missing comes from outside:
    `net_wh` says how much, by its sign.
    """

    flows: tuple[Flow, ...]

    @property
    def net_wh(self) -> int:
        """Supplied less consumed."""
        return self.sum_wh("supply") - self.sum_wh("consumption")

    def sum_wh(self, kind: Kind) -> int:
        """All energy of a kind."""
        return sum(flow.wh for flow in self.flows if flow.kind == kind)

    def sum_fen(self, kind: Kind) -> int:
        """What all energy of a kind costs."""
        return sum(flow.fen for flow in self.flows if flow.kind == kind)

    def of(self, kind: Kind) -> list[Flow]:
        """The flows of a kind, the largest first, the others together at the end."""
        return [flow for flow in self.flows if flow.kind == kind]

    def data(self, lang: Lang) -> dict[str, Any]:
        """What the script that draws it is given (``static/console.js``)."""
        nodes = {POOL: ("地区池" if lang == "zh" else "the pool", 1)}
        links: list[dict[str, Any]] = []
        for flow in self.flows:
            if not flow.wh:
                continue
            supplies = flow.kind == "supply"
            name = f"{flow.kind}:{flow.party}"
            nodes[name] = flow.party or _others(flow.parties, lang), 0 if supplies else 2
            links.append(_link(name, POOL, flow.wh) if supplies else _link(POOL, name, flow.wh))
        if self.net_wh:
            into = self.net_wh < 0
            nodes[OUTSIDE] = "地区外" if lang == "zh" else "outside the region", 0 if into else 2
            ends = (OUTSIDE, POOL) if into else (POOL, OUTSIDE)
            links.append(_link(*ends, abs(self.net_wh)))
        return {
            "kind": "sankey",
            "unit": unit_name("Wh", lang),
            "nodes": [
                {"name": name, "label": label, "depth": depth}
                for name, (label, depth) in nodes.items()
            ],
            "links": links,
        }


def flow_chart(flows: Sequence[Flow]) -> FlowChart:
    """The flows as they are shown."""
    return FlowChart(flows=tuple(flows))


def _link(source: str, target: str, wh: int) -> dict[str, Any]:
    return {"source": source, "target": target, "value": wh / WH_PER_KWH}


def _others(parties: int, lang: Lang) -> str:
    if lang == "zh":
        return f"其他 {parties} 户"
    return "1 other" if parties == 1 else f"{parties} others"
