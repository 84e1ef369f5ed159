"""The state in force of an authorization that was extended: made of several of its versions.

Which these are stands in the locator, and each was written to the history before it was named
there. So whoever writes a document and then finds other parts named makes it anew: the last one to
look sees all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.canonical import canonical_form
from service.domain.extension import state_of
from service.domain.reference import StoredReferences
from service.domain.submission import Pushed
from service.stores.authorizations.arrival import Placed
from service.stores.authorizations.document import Document, make_document
from service.stores.authorizations.documents import (
    read_document,
    read_documents,
    write_document,
)
from service.stores.authorizations.locator import Locator, Place
from service.stores.connection.bulk import run_bulk
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames, document_id, history_id

ATTEMPTS_MAX = 5


@dataclass(eq=False, repr=False)
class States:
    """Makes the state of several versions, and sees to it that it stands."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _references: StoredReferences
    _locator: Locator

    async def with_state(self, placed: Placed) -> Placed:
        """Give a version with the state that it makes; raises CannotBeAdded."""
        place = placed.place
        if len(place.parts) < 2:
            return placed
        sources = await self._sources(place, await self._document(placed.before))
        sources[placed.arrival.version] = placed.arrival.pushed.authorization
        made_of, state = _state(place, sources)
        return replace(placed, state=state, made_of=made_of)

    async def settle(self, payer: str, authorization_id: str) -> Document | None:
        """Make the document of all parts that are named; gives it as it stands then."""
        for _ in range(ATTEMPTS_MAX):
            place = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
            document = await self._document(place) if place else None
            if place is None or document is None or document["version"] != place.version:
                return document  # whoever writes it comes back to it
            if len(place.parts) < 2 or _made_of(document) == place.parts:
                return document
            made_of, state = _state(place, await self._sources(place, document))
            if made_of == _made_of(document):
                return document  # a part is on its way: whoever brings it comes back to it
            await self._write(document, made_of, state)
        raise EngineUnavailable("elasticsearch", "other pushes of the same ids did not end")

    async def _write(self, document: Document, made_of: tuple[int, ...], state: Pushed) -> None:
        made = make_document(
            document["payer"],
            state,
            self._references,
            inherited=document.get("inherited_numbers", ()),
            superseded_by=document.get("superseded_by"),
            pushed_at=document.get("pushed_at"),
        )
        kept = {name: document[name] for name in ("content_hash", "void")}
        made |= {**kept, "made_of": list(made_of)}
        operation = write_document(self._indices.authorizations, made, same_version=True)
        await run_bulk(self._elasticsearch, [operation])

    async def _document(self, place: Place) -> Document | None:
        if place.seen is None:
            return None
        return await read_document(self._elasticsearch, self._indices, place)

    async def _sources(self, place: Place, document: Document | None) -> dict[int, Authorization]:
        """Read the parts that are there: one is the document itself, the others are history."""
        found: dict[int, Any] = {}
        if document is not None and "made_of" not in document:
            found[document["version"]] = document["source"]
        wanted = [each for each in place.parts if each not in found]
        name = document_id(place.payer, place.authorization_id)
        docs = [
            {"_id": history_id(place.payer, place.authorization_id, each), "routing": name}
            for each in wanted
        ]
        kept = await read_documents(self._elasticsearch, self._indices.history, docs)
        found |= {
            version: each["source"] for version, each in zip(wanted, kept, strict=True) if each
        }
        return {version: Authorization.model_validate(each) for version, each in found.items()}


def _made_of(document: Document) -> tuple[int, ...]:
    return tuple(document.get("made_of", (document["version"],)))


def _state(place: Place, parts: Mapping[int, Authorization]) -> tuple[tuple[int, ...], Pushed]:
    made_of = tuple(each for each in place.parts if each in parts)
    form = canonical_form(state_of([parts[each] for each in made_of]))
    return made_of, Pushed(authorization=Authorization.model_validate(form), source=form)


def authorizations_of(placed: Iterable[Placed]) -> list[Authorization]:
    """The states that versions make."""
    return [each.leaves for each in placed]
