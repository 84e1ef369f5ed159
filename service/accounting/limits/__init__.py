"""Which accounts limit an authorization, and what they allow."""
