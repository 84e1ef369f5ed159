"""The audit trail: rows in Redis, before an answer, and from there in Elasticsearch."""
