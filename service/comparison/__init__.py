"""How a claim value is compared with an authorization value: codes, days, ranges of procedures.

Each has two faces, side by side: ``clause`` says it to Elasticsearch, ``fits`` judges a line that
was returned, and both must agree on every pair of values. ``why`` puts the judgement in words.
"""
