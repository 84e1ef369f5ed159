"""Used in the checkout alone: what writes the pages of the documentation."""
