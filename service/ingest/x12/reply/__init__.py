"""What is sent back: 999, TA1, 278 answers."""
