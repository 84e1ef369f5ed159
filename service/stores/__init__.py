"""The only rooms that know Elasticsearch and Redis.

A fault of an engine leaves here as one of ``faults``; an expected outcome leaves as a value.
"""
