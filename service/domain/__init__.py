"""The nouns of the trade: claims, authorizations, templates. No clock, no input or output."""
