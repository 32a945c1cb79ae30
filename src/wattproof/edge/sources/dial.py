"""An old dial that a camera looks at: digit wheels, or a seven-segment display."""

from __future__ import annotations

from typing import ClassVar

from wattproof.edge.dial.camera import Camera, Dial
from wattproof.edge.source import Mode, Sample

__all__ = ["Config", "DialSource", "open_source"]


class Config(Dial, frozen=True, kw_only=True, tag_field="kind", tag="dial",
             forbid_unknown_fields=True):  # fmt: skip
    """The camera and its dial, see `edge.dial.camera.Dial`."""


class DialSource:
    """Reads the register that a dial shows; each read is one picture."""

    kind: ClassVar[str] = "dial"
    mode: Mode = "register"

    def __init__(self, config: Config) -> None:
        self._camera = Camera(config)

    def read(self) -> Sample:
        """Take a picture and read it; ``edge.dial.doubtful`` where a person has to."""
        return self._camera.read()

    def close(self) -> None:
        """Nothing stays open between reads."""


def open_source(config: Config) -> DialSource:
    """Open the source of this table."""
    return DialSource(config)
