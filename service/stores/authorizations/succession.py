"""Authorizations that stand for older ones: their numbers lead to the one that is current.

Either may arrive first. The successor leaves a link before it looks for the older one, and the
older one looks for the link after it was stored, so that at least one of them sees the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.grant_identity import is_name
from service.domain.reference import StoredReferences
from service.stores.authorizations.document import Document, made_anew
from service.stores.authorizations.documents import read_places, write_document
from service.stores.authorizations.locator import Link, Locator, Place
from service.stores.connection.bulk import run_bulk
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames

log = structlog.get_logger()

CHAIN_MAX = 20
ATTEMPTS_MAX = 5

Change = Callable[[Document], Document | None]


class Followed(NamedTuple):
    """An authorization, and the one that stands for it; ``is_one``: it is only another name."""

    older: Authorization
    newer: Authorization
    is_one: bool = False


@dataclass(frozen=True, slots=True)
class Older:
    """What others stand for: the links to it, and the documents of it that there are, by id."""

    links: Sequence[tuple[str, Link]] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)

    def numbers(self) -> dict[str, list[str]]:
        """Give the numbers that those who stand for it inherit, by id."""
        numbers: dict[str, list[str]] = {}
        for older, link in self.links:
            if older in self.documents:
                inherited = self.documents[older]["numbers_all"]
                numbers.setdefault(link.newer, []).extend(inherited)
        return numbers


@dataclass(eq=False, repr=False)
class Succession:
    """Keeps older authorizations and their successors in step."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _locator: Locator
    _references: StoredReferences

    async def look_up(self, payer: str, arriving: Sequence[Authorization]) -> Older:
        """Leave links to those that these stand for, before these are stored; says which they are.

        A link that would close a circle is not left.
        """
        wanted = _wanted(arriving)
        if not wanted:
            return Older()
        known = await self._links_above(
            payer, {name for older, link in wanted for name in (older, link.newer)}
        )
        links = dict(known)
        left: list[tuple[str, Link]] = []
        for older, link in _led_on(wanted, known):
            if older in _chain(links, link.newer):
                log.warning("supersedes_in_a_circle", authorization_id=link.newer)
            else:
                links[older] = link
                left.append((older, link))
        new = {older: link for older, link in links.items() if known.get(older) != link}
        await self._locator.link(payer, new)
        names = {older for older, _ in left}
        return Older(left, await self._read_at(await self._locator.read(payer, names)))

    async def follow(
        self,
        payer: str,
        older: Older,
        successors: Mapping[str, Link],
        arriving: Sequence[Authorization],
    ) -> tuple[set[str], list[Followed]]:
        """Bring the others in step, after those that stand for them were stored.

        ``successors`` of these were read after that. Gives the members that it touched, and which
        of those ``arriving`` replace what.
        """
        links = dict(older.links)
        places, linked = await self._locator.read_all(payer, list(links))
        stand = {each: link for each, link in links.items() if linked.get(each) == link}
        superseded = {**successors, **stand}
        places |= await self._locator.read(payer, successors.keys() - places.keys())
        amended = await self._amend(
            payer,
            {each: [_superseded_by(link.newer)] for each, link in superseded.items()},
            {each: place for each, place in places.items() if each in superseded},
        )
        below = [amended[each] for each in successors if each in amended]
        passed = await self._pass_numbers_up(payer, below, successors)
        by_id = {each.authorization_id: each for each in arriving}
        followed = [
            Followed(
                Authorization.model_validate(amended[name]["source"]),
                by_id[link.newer],
                is_one=link.is_alias,
            )
            for name, link in stand.items()
            if name in amended and link.newer in by_id
        ]
        return {each["member_id"] for each in (*amended.values(), *passed.values())}, followed

    async def _links_above(
        self, payer: str, ids: Iterable[str], known: Mapping[str, Link] | None = None
    ) -> dict[str, Link]:
        """Give the links of authorizations, of those that stand for them, and so on."""
        links = dict(known or {})
        last = {*ids, *(each.newer for each in links.values())} - links.keys()
        for _ in range(CHAIN_MAX):
            if not last:
                break
            found = await self._locator.successors(payer, last)
            links |= found
            last = {each.newer for each in found.values()} - links.keys()
        return links

    async def _pass_numbers_up(
        self, payer: str, documents: Sequence[Document], successors: Mapping[str, Link]
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


def _wanted(arriving: Iterable[Authorization]) -> list[tuple[str, Link]]:
    """Give what these stand for: what they supersede, and their other names."""
    wanted: list[tuple[str, Link]] = []
    for each in arriving:
        link = Link(each.authorization_id, is_alias=True)
        wanted += [(alias, link) for alias in each.aliases]
        if each.supersedes is not None:
            wanted.append((each.supersedes, Link(each.authorization_id)))
    return wanted


def _led_on(
    wanted: Iterable[tuple[str, Link]], known: Mapping[str, Link]
) -> Iterator[tuple[str, Link]]:
    """Give the links to leave, where others stand already.

    What has two names leads to one grant from both. Who replaces what is known by a name replaces
    the grant that it names, whichever of the two came first.
    """
    for older, link in wanted:
        there = known.get(older, link)
        if there.newer == link.newer or there.is_alias == link.is_alias is False:
            yield older, link
        elif link.is_alias and (is_name(link.newer) or not there.is_alias):
            yield link.newer, there
        elif link.is_alias:
            yield older, link
            if is_name(there.newer):
                yield there.newer, link
        else:
            yield there.newer, link


def _chain(links: Mapping[str, Link], authorization_id: str) -> list[str]:
    """Give those that stand for an authorization, nearest first."""
    chain: list[str] = []
    last = links.get(authorization_id)
    while last is not None and last.newer not in chain and len(chain) < CHAIN_MAX:
        chain.append(last.newer)
        last = links.get(last.newer)
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
