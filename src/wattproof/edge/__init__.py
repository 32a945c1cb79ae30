"""The agent beside a meter: it reads, turns readings into emissions, signs both, and sends them."""
