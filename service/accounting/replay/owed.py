"""What a claim owes to authorizations that went to another member: rows to be changed there."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.accounting.replay.carried import MOVED, Hash

Row = Mapping[str, Any]
Step = tuple[str, Sequence[Row]]
"""The status of a claim, and the rows that it has as that."""

_TOLD = ("a", "to", "g", "os", "s")


def owed(accounts: Mapping[str, Hash], before: Step, after: Step) -> list[dict[str, Any]]:
    """Give what a step of a claim leaves to be changed elsewhere, by authorization."""
    (was, had), (status, has) = before, after
    made = []
    for name in dict.fromkeys(row["a"] for row in (*had, *has)):
        stored = accounts.get(name, {})
        if stored.get("st") == MOVED:
            old, new = ([row for row in rows if row["a"] == name] for rows in (had, has))
            if (was, old) != (status, new):
                place = {"a": name, "to": stored["to"], "g": stored["g"]}
                made.append({**place, "os": was, "s": status, "o": old, "r": new})
    return made


def read_owed(written: str | None) -> list[dict[str, Any]]:
    """Read what a claim owes, as the script wrote it with the claim and the entry."""
    return [
        {name: each[name] for name in _TOLD}
        | {name: orjson.loads(each[name]) for name in ("o", "r")}
        for each in (orjson.loads(written) if written else ())
    ]
