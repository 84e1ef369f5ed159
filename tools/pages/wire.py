"""Writes the tables of short names in docs/data-model.md."""

from service.accounting.books.wire import TABLES


def wire_table() -> str:
    """Every name that Redis and the ledger hold, by what it is a field of."""
    rows = [
        f"| {what if number == 0 else ''} | `{name}` | {meaning} |"
        for what, names in TABLES.items()
        for number, (name, meaning) in enumerate(names.items())
    ]
    text = "\n".join(["| field of | name | meaning |", "| --- | --- | --- |", *rows])
    return text.replace("ACCOUNT|u|ITEM", "ACCOUNT\\|u\\|ITEM").replace(
        "ACCOUNT|d|DAY", "ACCOUNT\\|d\\|DAY"
    )
