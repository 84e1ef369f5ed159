"""From a claim to candidates and classes; what else is asked of a match."""
