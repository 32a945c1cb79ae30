"""The picture of a wiring: everything stands in it, nothing on top of another."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wattproof.emissions.tracking.diagram import WIDTH, cut, diagram
from wattproof.emissions.tracking.model import Binding, Port


def port(number: int, device: str = "") -> Port:
    return Port(
        host="works",
        number=number,
        device=device or f"m{number}",
        meter=number,
        quantity="electricity.import",
        entry=0,
    )


def bind(group: int, left: tuple[int, ...], right: tuple[int, ...]) -> Binding:
    return Binding(
        host="works", group=group, kind="total", measure="amount", left=left, right=right, entry=0
    )


def test_a_total_and_its_parts() -> None:
    found = diagram([port(number) for number in (1, 2, 3, 9)], [bind(1, (1,), (2, 3))])
    assert [box.key for box in found.ports] == ["1", "2", "3", "9"]
    assert [box.key for box in found.nodes] == ["m1", "m2", "m3", "m9"]
    assert [wire.kind for wire in found.wires] == ["node"] * 4 + ["left", "right", "right"]
    (group,) = found.groups
    assert group.x + group.width < WIDTH and group.y > 0


def test_a_device_at_two_ports_is_one_box() -> None:
    found = diagram([port(1, "m"), port(2, "m")], [])
    assert len(found.nodes) == 1 and len(found.ports) == 2 and len(found.wires) == 2


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=12))
def test_nothing_stands_on_something_else(pairs: list[tuple[int, int]]) -> None:
    bindings = [bind(at, (left,), (right,)) for at, (left, right) in enumerate(pairs, start=1)]
    found = diagram([port(number) for number in range(1, 13)], bindings)
    for boxes in (found.nodes, found.ports, found.groups):
        for above, below in pairwise(sorted(boxes, key=lambda box: box.y)):
            assert above.y + above.height < below.y
        assert all(box.y >= 0 and box.y + box.height <= found.height for box in boxes)


def test_texts_are_cut_by_their_width() -> None:
    assert cut("works-total", 22) == "works-total"
    assert cut("a-very-long-name-of-a-node", 10) == "a-very-lon…"
    assert cut("一号轧钢机总表", 8) == "一号轧钢…"
