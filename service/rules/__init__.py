"""The book of rules: loaded whole from texts, and replaced whole."""
