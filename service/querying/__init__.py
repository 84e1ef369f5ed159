"""From a template and a claim to an Elasticsearch search: pure functions over plain values."""
