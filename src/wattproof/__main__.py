"""``python -m wattproof``: the command, where the console script is not on the path."""

from wattproof.node import main

main()
