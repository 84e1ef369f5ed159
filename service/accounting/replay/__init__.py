"""The ledger folded again, as a second arithmetic beside the scripts."""
