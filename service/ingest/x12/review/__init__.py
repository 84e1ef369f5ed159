"""From a 278 to authorizations and inquiries."""
