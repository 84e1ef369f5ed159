"""Claims that wait for an authorization, and the items that examiners work off."""
