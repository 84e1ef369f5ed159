"""The values that are moved: plans, rows, claims, movements."""
