"""From claim lines and chosen authorizations to a plan of draws."""
