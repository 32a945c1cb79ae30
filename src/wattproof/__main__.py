"""The `wattproof` command, and ``python -m wattproof`` where it is not on the path.

The agent beside a meter is started without the rest of the house, which a small machine need not
load: ``wattproof edge`` goes its own way, everything else through the composition root.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run one command line."""
    if sys.argv[1:2] == ["edge"]:
        from wattproof.edge.command import main as edge

        edge()
        return
    from wattproof.node import main as node

    node()


if __name__ == "__main__":
    main()
