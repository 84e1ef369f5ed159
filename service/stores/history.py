"""Replaced versions: each is written once, and never changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from service.stores.bulk import Operation
from service.stores.document import Document
from service.stores.names import IndexNames, document_id, history_id


def history_entry(indices: IndexNames, payer: str, document: Document) -> Operation:
    """Write a version to the history, unless it is there."""
    kept: dict[str, Any] = {
        name: document[name]
        for name in ("authorization_id", "version", "member_id", "content_hash", "void", "source")
    }
    authorization_id, version = document["authorization_id"], document["version"]
    return Operation(
        action="create",
        index=indices.history,
        id=history_id(payer, authorization_id, version),
        routing=document_id(payer, authorization_id),
        document={"payer": payer, "recorded_at": now(), **kept},
    )


def now(*, after_s: float = 0) -> str:
    """Give the time of this moment or of one that comes, UTC."""
    time = datetime.now(UTC) + timedelta(seconds=after_s)
    return time.isoformat(timespec="milliseconds")
