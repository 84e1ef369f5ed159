"""From a matched claim to drawn units and an answer."""
