"""Interchanges, segments and loops as they come and go."""
