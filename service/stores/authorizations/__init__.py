"""Authorizations in Elasticsearch: stored, found, read, with all their versions."""
