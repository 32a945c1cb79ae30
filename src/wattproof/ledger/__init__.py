"""The ledger: transaction, state, machine, Merkle log, proofs; no network."""
