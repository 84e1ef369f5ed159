"""From authorizations to PAS resources."""
