"""What is kept of rules: texts, which set is in force, drafts, and what was done with them."""
