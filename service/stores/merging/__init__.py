"""Two member ids become one person."""
