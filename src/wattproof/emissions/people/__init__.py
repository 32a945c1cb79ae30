"""People: a day's emissions that a citizen declares, as one more node of the ledger."""
