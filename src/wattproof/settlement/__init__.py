"""Settlement: wallets in the meters, trades, and a region's net energy-carbon value."""
