"""Bodies of requests, as their senders write them."""

import json
from collections.abc import Iterable
from typing import Any

from tests.builders import build_authorization, build_claim

Fields = dict[str, Any]


def claim_body(query: str = "professional", **changes: Any) -> Fields:
    """A claim that the usual authorization of a query covers."""
    made = build_claim(query, **changes)
    body: Fields = made.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return body


def authorization_body(query: str = "professional", **changes: Any) -> Fields:
    """An authorization that covers the usual claim of a query."""
    made = build_authorization(query, **changes)
    body: Fields = made.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return body


def charge_body(name: str = "CH-1", **changes: Any) -> Fields:
    """A charge that the usual authorization covers."""
    body: Fields = {"charge_id": name, "member": {"id": "M0001"}, "procedure": "97112"}
    body |= {"from": "2026-03-12", "units": "1", "unit": "UN"}
    return body | {"benefit": {"authorization_required": True}, **changes}


def ndjson(bodies: Iterable[Fields]) -> bytes:
    """A line for each."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in bodies)
