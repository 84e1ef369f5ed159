"""Authorizations of a member that is being merged: each stands under the old id or the new one.

For a while it stands under both. Nothing is taken away from the old id as long as anybody looks
there, so that nothing is missed; but what stands there may be out of date.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.person import Person
from service.stores.authorizations.document import Document, order_of
from service.stores.authorizations.documents import read_documents
from service.stores.connection.names import IndexNames, document_id, routing

Hit = dict[str, Any]
_STATE = ["authorization_id", "member_id", "version", "void", "current", "moved", "moves"]


class OnTheWay:
    """Tells what counts of that which was found under several ids."""

    def __init__(self, elasticsearch: AsyncElasticsearch, indices: IndexNames) -> None:
        """Share the client with the other stores."""
        self._elasticsearch = elasticsearch
        self._index = indices.authorizations

    async def settled(
        self, payer: str, person: Person, hits: Sequence[Hit], *, is_last: bool = False
    ) -> list[Hit] | None:
        """Give the hits that count, in their order, each authorization once.

        None where a newer version under the new id should perhaps have been found, and was not
        searchable yet; ``is_last``: it would have been found.
        """
        here = {_id(hit) for hit in hits if hit["_source"]["member_id"] == person.member}
        arrived = await self.arrived(
            payer,
            person,
            [_id(hit) for hit in hits if hit["_source"]["member_id"] != person.member],
        )
        best = _best(hits, person)
        kept = []
        for hit in hits:
            name, found = _id(hit), hit["_source"]
            there = arrived.get(name)
            if found["member_id"] == person.member:
                kept.append(hit)
            elif name in here or best[name] is not hit:
                continue
            elif there is None or not _is_newer(there, found) or _is_the_same(there, found):
                kept.append(hit)
            elif _is_live(there) and not is_last:
                return None
        return kept

    async def arrived(
        self, payer: str, person: Person, ids: Iterable[str]
    ) -> Mapping[str, Document]:
        """Give those that stand under the new id, or went on from there, in realtime."""
        wanted = list(dict.fromkeys(ids))
        route = routing(payer, person.member)
        docs = [{"_id": document_id(payer, each), "routing": route} for each in wanted]
        found = await read_documents(self._elasticsearch, self._index, docs, only=_STATE)
        return {
            name: document
            for name, document in zip(wanted, found, strict=True)
            # In a shard that the ids share the document of the old one is found here.
            if document is not None and document["member_id"] not in person.also
        }


def _id(hit: Hit) -> str:
    return str(hit["_source"]["authorization_id"])


def _best(hits: Iterable[Hit], person: Person) -> dict[str, Hit]:
    """Give, of each authorization under old ids, the hit that was written last."""
    best: dict[str, Hit] = {}
    for hit in hits:
        known = best.get(_id(hit))
        if hit["_source"]["member_id"] == person.member:
            continue
        if known is None or order_of(hit["_source"]) > order_of(known["_source"]):
            best[_id(hit)] = hit
    return best


def _is_newer(there: Document, found: Document) -> bool:
    """Whether it was written later; the tombstone of a move before this one was not."""
    return order_of(there) > order_of(found)


def _is_live(document: Document) -> bool:
    return bool(document["current"]) and not document["void"]


def _is_the_same(there: Document, found: Document) -> bool:
    return _is_live(there) and there["version"] == found["version"]
