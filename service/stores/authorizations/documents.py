"""Reads stored documents, in realtime, and keeps replaced versions: each once, for ever."""

from collections.abc import Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.authorizations.document import Document
from service.stores.authorizations.locator import Place
from service.stores.connection.bulk import Operation
from service.stores.connection.clock import now
from service.stores.connection.names import IndexNames, document_id, history_id, routing
from service.stores.connection.reading import read_many


async def read_documents(
    elasticsearch: AsyncElasticsearch,
    index: str,
    docs: Sequence[dict[str, Any]],
    *,
    only: Sequence[str] | None = None,
) -> list[Document | None]:
    """The documents in the order asked (or ``only`` some fields), None for one not there."""
    found = await read_many(elasticsearch, index, "a document", docs=docs, source_includes=only)
    return [doc["_source"] if doc else None for doc in found]


async def read_document(
    elasticsearch: AsyncElasticsearch, indices: IndexNames, place: Place
) -> Document | None:
    """Give the document of a place."""
    (found,) = await read_places(elasticsearch, indices, [place])
    return found


async def read_places(
    elasticsearch: AsyncElasticsearch, indices: IndexNames, places: Sequence[Place]
) -> list[Document | None]:
    """Give the document of each place; the last member under whom it was stored has it.

    A push that stopped half-way has moved the place and not yet the document: then it still stands
    with an earlier member.
    """
    members = [
        [each for each in dict.fromkeys((place.member_id, *reversed(place.members))) if each]
        for place in places
    ]
    docs = [
        {
            "_id": document_id(place.payer, place.authorization_id),
            "routing": routing(place.payer, member),
        }
        for place, all_ in zip(places, members, strict=True)
        for member in all_
    ]
    found = iter(await read_documents(elasticsearch, indices.authorizations, docs))
    standing = [[next(found) for _ in all_] for all_ in members]
    return [next((each for each in some if each and "source" in each), None) for some in standing]


def write_document(index: str, document: Document, *, same_version: bool = False) -> Operation:
    """Write a document over an older version only, or also over its own (``same_version``)."""
    return Operation(
        action="index",
        index=index,
        id=document_id(document["payer"], document["authorization_id"]),
        routing=routing(document["payer"], document["member_id"]),
        version=document["version"],
        same_version=same_version,
        document=document,
    )


def history_entry(indices: IndexNames, payer: str, document: Document) -> Operation:
    """Write a version to the history, unless it is there."""
    kept: Document = {
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
