"""The accumulators: what is used and reserved of every authorization, and by which claim."""
