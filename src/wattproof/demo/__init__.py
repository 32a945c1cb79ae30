"""The demonstration: a small region lives through a month, and every figure is then proven."""
