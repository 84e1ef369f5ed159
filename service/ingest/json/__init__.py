"""JSON and NDJSON: values cut from a stream, and read."""
