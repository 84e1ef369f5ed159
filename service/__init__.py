"""Matches the lines of a claim to the prior authorizations and referrals that cover them."""

__version__ = "0.1.0"
