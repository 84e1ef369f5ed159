"""Every movement of units: projected, read, folded, compared."""
