"""Authorizations that stand for older ones: their numbers lead to the one that is current.

Either may arrive first. The successor leaves a link before it looks for the older one, and the
older one looks for the link after it was stored, so that at least one of them sees the other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.reference import StoredReferences
from service.stores.authorizations.document import Document, made_anew
from service.stores.authorizations.documents import read_places, write_document
from service.stores.authorizations.locator import Locator, Place
from service.stores.connection.bulk import run_bulk
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames

log = structlog.get_logger()

CHAIN_MAX = 20
ATTEMPTS_MAX = 5

Change = Callable[[Document], Document | None]


@dataclass(eq=False, repr=False)
class Succession:
    """Keeps older authorizations and their successors in step."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _locator: Locator
    _references: StoredReferences

    async def look_up(
        self, payer: str, arriving: Sequence[Authorization]
    ) -> dict[str, Sequence[str]]:
        """Leave links to those that these supersede, before these are stored.

        Gives the numbers that these inherit, by id. A link that would close a circle is not left.
        """
        wanted = _superseded(arriving)
        if not wanted:
            return {}
        links = await self._links_above(payer, wanted)
        left = {}
        for newer, older in wanted.items():
            if older in _chain(links, newer):
                log.warning("supersedes_in_a_circle", authorization_id=newer)
            else:
                links[older] = newer
                left[newer] = older
        await self._locator.link(payer, {older: newer for newer, older in left.items()})
        documents = await self._read_at(await self._locator.read(payer, left.values()))
        return {
            newer: documents[older]["numbers_all"]
            for newer, older in left.items()
            if older in documents
        }

    async def follow(
        self, payer: str, arriving: Sequence[Authorization], successors: Mapping[str, str]
    ) -> set[str]:
        """Bring the others in step, after these were stored; gives the members it touched.

        ``successors`` were read after these were stored.
        """
        wanted = _superseded(arriving)
        places, linked = await self._locator.read_all(payer, list(wanted.values()))
        seen = {older: newer for newer, older in wanted.items() if linked.get(older) == newer}
        superseded = {**successors, **seen}
        places |= await self._locator.read(payer, successors.keys() - places.keys())
        amended = await self._amend(
            payer,
            {older: [_superseded_by(newer)] for older, newer in superseded.items()},
            {each: place for each, place in places.items() if each in superseded},
        )
        below = [amended[each] for each in successors if each in amended]
        passed = await self._pass_numbers_up(payer, below, successors)
        return {each["member_id"] for each in (*amended.values(), *passed.values())}

    async def _links_above(
        self, payer: str, ids: Iterable[str], known: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Give the links of authorizations, of those that stand for them, and so on."""
        links = dict(known or {})
        last = {*ids, *links.values()} - links.keys()
        for _ in range(CHAIN_MAX):
            if not last:
                break
            found = await self._locator.successors(payer, last)
            links |= found
            last = set(found.values()) - links.keys()
        return links

    async def _pass_numbers_up(
        self, payer: str, documents: Sequence[Document], successors: Mapping[str, str]
    ) -> dict[str, Document]:
        """Give the numbers of authorizations to all that stand for them."""
        changes: dict[str, list[Change]] = {}
        links = await self._links_above(payer, (), successors)
        for document in documents:
            for newer in _chain(links, document["authorization_id"]):
                change = self._inheriting(document["numbers_all"])
                changes.setdefault(newer, []).append(change)
        return await self._amend(payer, changes, await self._locator.read(payer, changes))

    def _inheriting(self, numbers: Sequence[str]) -> Change:
        def change(document: Document) -> Document | None:
            if set(numbers) <= set(document["numbers_all"]):
                return None
            return made_anew(document, self._references, numbers)

        return change

    async def _amend(
        self, payer: str, changes: Mapping[str, Sequence[Change]], places: Mapping[str, Place]
    ) -> dict[str, Document]:
        """Change stored documents under their own versions, until the changes are seen to stand.

        Gives those that were there, by authorization id, as they stand.
        """
        standing: dict[str, Document] = {}
        for _ in range(ATTEMPTS_MAX):
            documents = await self._read_at(places)
            standing |= documents
            changed = {
                each: after
                for each, document in documents.items()
                if (after := _changed(document, changes[each])) is not None
            }
            if not changed:
                return standing
            index = self._indices.authorizations
            operations = [
                write_document(index, each, same_version=True) for each in changed.values()
            ]
            await run_bulk(self._elasticsearch, operations)
            places = await self._locator.read(payer, changed)
        raise EngineUnavailable("elasticsearch", "other writes of one document did not end")

    async def _read_at(self, places: Mapping[str, Place]) -> dict[str, Document]:
        """Give the documents that are there, by authorization id."""
        found = await read_places(self._elasticsearch, self._indices, list(places.values()))
        return {each: document for each, document in zip(places, found, strict=True) if document}


def _superseded(arriving: Iterable[Authorization]) -> dict[str, str]:
    """Give the authorizations that these supersede, by the id of the newer one."""
    return {
        each.authorization_id: each.supersedes for each in arriving if each.supersedes is not None
    }


def _chain(links: Mapping[str, str], authorization_id: str) -> list[str]:
    """Give those that stand for an authorization, nearest first."""
    chain: list[str] = []
    last = links.get(authorization_id)
    while last is not None and last not in chain and len(chain) < CHAIN_MAX:
        chain.append(last)
        last = links.get(last)
    return chain


def _changed(document: Document, changes: Iterable[Change]) -> Document | None:
    """Give the document with all changes, None where all stand already."""
    changed = None
    for change in changes:
        changed = change(changed or document) or changed
    return changed


def _superseded_by(newer: str) -> Change:
    def change(document: Document) -> Document | None:
        if document.get("superseded_by") == newer and document["current"] is False:
            return None
        return document | {"superseded_by": newer, "current": False}

    return change
