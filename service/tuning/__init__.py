"""What a change of rules would do: studies, judged in memory, and what is reported of them."""
