"""Authorizations that stand for older ones: their numbers lead to the one that is current.

Either may arrive first. The successor leaves a link before it looks for the older one, and the
older one looks for the link after it was stored, so that at least one of them sees the other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog
from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.push import Pushed
from service.domain.reference import References
from service.stores.bulk import Operation, run_bulk
from service.stores.document import Document, make_document
from service.stores.documents import read_document
from service.stores.faults import EngineUnavailable
from service.stores.locator import Locator
from service.stores.names import IndexNames, document_id, routing

log = structlog.get_logger()

CHAIN_MAX = 20
ATTEMPTS_MAX = 5

Change = Callable[[Document], Document | None]


class Arriving(Protocol):
    """A pushed version on its way in."""

    pushed: Pushed
    inherited: tuple[str, ...]

    @property
    def id(self) -> str:
        """The authorization id."""
        ...


class Succession:
    """Keeps older authorizations and their successors in step."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        locator: Locator,
        references: References,
    ) -> None:
        """Share the client with the other stores."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._locator = locator
        self._references = references

    async def look_up(self, payer: str, arriving: Sequence[Arriving]) -> None:
        """Fill in the numbers of those that these supersede, before they are stored."""
        for each in arriving:
            older = each.pushed.authorization.supersedes
            if older is not None:
                each.inherited = await self._succeed(payer, each.id, older)

    async def follow(
        self, payer: str, arriving: Sequence[Arriving], successors: Mapping[str, str]
    ) -> set[str]:
        """Bring the others in step, after these were stored; gives the members it touched.

        ``successors`` were read after these were stored.
        """
        touched: set[str] = set()
        for each in arriving:
            older = each.pushed.authorization.supersedes
            if older is not None and await self._is_linked(payer, older, each.id):
                touched |= await self._amend(payer, older, _superseded_by(each.id))
            successor = successors.get(each.id)
            if successor is not None:
                touched |= await self._amend(payer, each.id, _superseded_by(successor))
                touched |= await self._pass_numbers_up(payer, each.id)
        return touched

    async def _is_linked(self, payer: str, older: str, newer: str) -> bool:
        return (await self._locator.successors(payer, [older])).get(older) == newer

    async def _succeed(self, payer: str, newer: str, older: str) -> tuple[str, ...]:
        """Leave the link, unless it would close a circle; give the older one's numbers."""
        if older in await self._successors_of(payer, newer):
            log.warning("supersedes_in_a_circle", authorization_id=newer)
            return ()
        await self._locator.link(payer, older, newer)
        document = await self._read(payer, older)
        return tuple(document["numbers_all"]) if document else ()

    async def _successors_of(self, payer: str, authorization_id: str) -> list[str]:
        """Give the chain of authorizations that stand for one, nearest first."""
        chain: list[str] = []
        last = authorization_id
        while len(chain) < CHAIN_MAX:
            successor = (await self._locator.successors(payer, [last])).get(last)
            if successor is None or successor in chain:
                break
            chain.append(successor)
            last = successor
        return chain

    async def _pass_numbers_up(self, payer: str, authorization_id: str) -> set[str]:
        """Give an authorization's numbers to all that stand for it."""
        document = await self._read(payer, authorization_id)
        if document is None:
            return set()
        touched: set[str] = set()
        for successor in await self._successors_of(payer, authorization_id):
            touched |= await self._amend(
                payer, successor, self._inheriting(payer, document["numbers_all"])
            )
        return touched

    def _inheriting(self, payer: str, numbers: Sequence[str]) -> Change:
        def change(document: Document) -> Document | None:
            if set(numbers) <= set(document["numbers_all"]):
                return None
            made = make_document(
                payer,
                Authorization.model_validate(document["source"]),
                document["source"],
                self._references,
                inherited=(*document.get("inherited_numbers", ()), *numbers),
                superseded_by=document.get("superseded_by"),
                pushed_at=document.get("pushed_at"),
            )
            kept = {name: document[name] for name in ("content_hash", "void", "version")}
            return made | kept

        return change

    async def _amend(self, payer: str, authorization_id: str, change: Change) -> set[str]:
        """Change a stored document under its own version, until the change is seen to stand."""
        for _ in range(ATTEMPTS_MAX):
            document = await self._read(payer, authorization_id)
            changed = change(document) if document else None
            if changed is None:
                return {document["member_id"]} if document else set()
            await run_bulk(
                self._elasticsearch,
                [
                    Operation(
                        action="index",
                        index=self._indices.authorizations,
                        id=document_id(payer, authorization_id),
                        routing=routing(payer, changed["member_id"]),
                        version=changed["version"],
                        same_version=True,
                        document=changed,
                    )
                ],
            )
        raise EngineUnavailable("elasticsearch", "other writes of one document did not end")

    async def _read(self, payer: str, authorization_id: str) -> Document | None:
        place = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
        if place is None:
            return None
        return await read_document(self._elasticsearch, self._indices, place)


def _superseded_by(newer: str) -> Change:
    def change(document: Document) -> Document | None:
        if document.get("superseded_by") == newer and document["current"] is False:
            return None
        return document | {"superseded_by": newer, "current": False}

    return change
