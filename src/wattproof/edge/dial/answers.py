"""What a person does with the doubtful pictures of a node, from its settings: for the command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import parse_decimal
from wattproof.edge.dial.camera import Dial
from wattproof.edge.dial.doubtful import Doubtful, confirm, discard, list_doubtful
from wattproof.edge.sources.table import check_source

__all__ = ["answer", "folder_of"]

NOT_DIAL = ErrorCode(
    Malformed,
    "edge.dial.other_kind",
    en="The source of this node is of kind {kind}, not a dial.",
    zh="该节点的数据源类型为 {kind}，不是表盘。",
)


def folder_of(settings: Mapping[str, object]) -> Path:
    """Where a dial's doubtful pictures lie; ``edge.dial.other_kind`` for another source."""
    dial = check_source(settings)
    if not isinstance(dial, Dial):
        raise NOT_DIAL(kind=str(settings.get("kind"))[:40])
    return Path(dial.folder)


def answer(
    settings: Mapping[str, object], *, confirmed: str = "", value: str = "", discarded: str = ""
) -> tuple[Doubtful, ...]:
    """Confirm a picture (as it was read, or with the value that a person sees), throw one away,
    or neither; what is kept then, oldest first."""
    folder = folder_of(settings)
    if confirmed:
        confirm(folder, confirmed, parse_decimal(value) if value else None)
    if discarded:
        discard(folder, discarded)
    return list_doubtful(folder)
