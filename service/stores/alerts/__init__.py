"""Alerts of authorizations: kept, found, and sent to those who want them."""
