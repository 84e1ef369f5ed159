"""The way of a claim, and the only place that knows its order.

Everything is handed in: rules as values, the search behind a Protocol.
"""
