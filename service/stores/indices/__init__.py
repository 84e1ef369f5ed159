"""The indices and their templates: installed, and migrated."""
