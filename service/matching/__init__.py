"""From candidates to one ranked, explained answer for a claim line."""
