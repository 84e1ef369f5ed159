"""X12 files: 278 answers to authorizations, 837 claims, 999 and TA1 in return."""
