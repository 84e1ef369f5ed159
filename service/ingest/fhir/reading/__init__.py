"""From PAS resources to authorizations."""
