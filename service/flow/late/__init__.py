"""Claims whose authorization came late."""
