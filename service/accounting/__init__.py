"""Units: what a claim line asks of its authorizations, what it got, and what that means."""
