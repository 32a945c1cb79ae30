"""Emissions: factors with a date and a source, assigned to meters; amounts turned into grams."""
