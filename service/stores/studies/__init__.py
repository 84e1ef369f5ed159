"""Claims that are kept, studies of them, and reports."""
