"""What may be asked for: one function a use. Entries read a request, call one, write an answer."""
