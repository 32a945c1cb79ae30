"""The double-entry book: everything that can be owned, in postings that sum to zero per asset."""
