"""From an 837 to claims."""
