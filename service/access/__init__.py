"""Who asks, and what they may do: scopes and roles, subjects, API keys, access tokens. No HTTP."""
