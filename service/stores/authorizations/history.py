"""Replaced versions: each is written once, and never changed."""

from typing import Any

from service.stores.authorizations.document import Document
from service.stores.connection.bulk import Operation
from service.stores.connection.clock import now
from service.stores.connection.names import IndexNames, document_id, history_id


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
