"""How somebody is told outside of the service: by e-mail, by a webhook, in a calendar."""
