"""A host's wiring as a picture: nodes, ports, groups from left to right, wires between them.

Only where things stand is worked out here, in the units of the picture; the template draws it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from wattproof.emissions.tracking.model import Binding, Port

__all__ = ["WIDTH", "Box", "Diagram", "Wire", "cut", "diagram"]

WIDTH: Final = 680
NODE_WIDTH: Final = 200
PORT_X: Final = 260
PORT_WIDTH: Final = 84
GROUP_X: Final = 440
GROUP_WIDTH: Final = WIDTH - GROUP_X - 2
ROW: Final = 52
NODE_HEIGHT: Final = 42
PORT_HEIGHT: Final = 28
GROUP_HEIGHT: Final = 74
GAP: Final = 14
LEFT_Y: Final = 40
"""Where the left side's wires come into a group, from its top; the right side's a line lower."""
RIGHT_Y: Final = 60

Kind = Literal["node", "left", "right"]


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands in the picture; `key` names it: a device, a port, a group."""

    key: str
    x: int
    y: int
    width: int
    height: int
    text: str = ""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A wire: of a node to its port, or of a port to a side of a group; `path` as in SVG."""

    kind: Kind
    path: str


class Diagram(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture."""

    height: int
    nodes: tuple[Box, ...]
    ports: tuple[Box, ...]
    groups: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: int = WIDTH


def diagram(ports: Sequence[Port], bindings: Sequence[Binding]) -> Diagram:
    """Where ports, the nodes behind them and the groups they are bound in stand."""
    order = _ordered(ports, bindings)
    middle = {port.number: at * ROW + ROW // 2 for at, port in enumerate(order)}
    boxes = tuple(
        Box(
            key=str(port.number),
            x=PORT_X,
            y=middle[port.number] - PORT_HEIGHT // 2,
            width=PORT_WIDTH,
            height=PORT_HEIGHT,
        )
        for port in order
    )
    nodes, wires = _nodes(order, middle)
    groups = _groups(bindings, middle)
    tops = {box.key: box.y for box in groups}
    for binding in bindings:
        top = tops[str(binding.group)]
        wires += _side("left", binding.left, middle, top + LEFT_Y)
        wires += _side("right", binding.right, middle, top + RIGHT_Y)
    lowest = [len(order) * ROW, *(box.y + box.height + 4 for box in groups)]
    return Diagram(height=max(lowest), nodes=nodes, ports=boxes, groups=groups, wires=tuple(wires))


def cut(text: str, most: int) -> str:
    """A text of no more than `most` Latin letters' width; a Chinese character takes two."""
    width = 0
    for at, letter in enumerate(text):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > most:
            return text[:at].rstrip() + "…"
    return text


def _ordered(ports: Sequence[Port], bindings: Sequence[Binding]) -> list[Port]:
    """Ports in the order in which groups name them, so that few wires cross; then the others."""
    places: dict[int, int] = {}
    for binding in bindings:
        for number in binding.left + binding.right:
            places.setdefault(number, len(places))
    return sorted(ports, key=lambda port: (places.get(port.number, len(places)), port.number))


def _nodes(order: Sequence[Port], middle: Mapping[int, int]) -> tuple[tuple[Box, ...], list[Wire]]:
    """A box for each device at the height of its first port, with wires to all of its ports."""
    boxes: dict[str, Box] = {}
    wires = []
    for port in order:
        box = boxes.setdefault(
            port.device,
            Box(
                key=port.device,
                x=2,
                y=middle[port.number] - NODE_HEIGHT // 2,
                width=NODE_WIDTH,
                height=NODE_HEIGHT,
                text=cut(port.device, 22),
            ),
        )
        start = (box.x + box.width, box.y + NODE_HEIGHT // 2)
        wires.append(Wire(kind="node", path=_curve(start, (PORT_X, middle[port.number]))))
    return tuple(boxes.values()), wires


def _groups(bindings: Sequence[Binding], middle: Mapping[int, int]) -> tuple[Box, ...]:
    """Groups as high as their ports stand in the mean, and below each other."""

    def wanted(binding: Binding) -> int:
        heights = [middle[number] for number in binding.left + binding.right]
        return sum(heights) // len(heights) - GROUP_HEIGHT // 2

    boxes, free_y = [], 4
    for binding in sorted(bindings, key=wanted):
        y = max(free_y, wanted(binding))
        free_y = y + GROUP_HEIGHT + GAP
        boxes.append(
            Box(
                key=str(binding.group),
                x=GROUP_X,
                y=y,
                width=GROUP_WIDTH,
                height=GROUP_HEIGHT,
            )
        )
    return tuple(boxes)


def _side(
    kind: Literal["left", "right"], side: Iterable[int], middle: Mapping[int, int], y: int
) -> list[Wire]:
    return [
        Wire(kind=kind, path=_curve((PORT_X + PORT_WIDTH, middle[number]), (GROUP_X, y)))
        for number in side
    ]


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    bend = (x1 + x2) // 2
    return f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"
