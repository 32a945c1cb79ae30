"""The emission of what is moved: products, vehicles, shipments, and the distance they went."""
