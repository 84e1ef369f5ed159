"""The HTTP entry: reads requests, calls the flow and the stores, writes answers and problems."""
