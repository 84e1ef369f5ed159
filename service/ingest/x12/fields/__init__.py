"""Elements, codes, parties and services that 278 and 837 share."""
