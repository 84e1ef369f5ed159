"""Moves authorizations to the member into whom theirs was merged, a batch at a time.

It is a push of the version that stands, by other means: place, balances and document are written in
the same order and under the same guards, so that real pushes may come between at any point.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.person import Person
from service.domain.push import Pushed
from service.stores.authorizations.arrival import Arrival
from service.stores.authorizations.document import MOVES_MAX, Document, order_of
from service.stores.authorizations.documents import read_documents
from service.stores.authorizations.locator import Locator, Place
from service.stores.authorizations.on_the_way import OnTheWay
from service.stores.authorizations.store import AuthorizationStore
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames, document_id, routing
from service.stores.members.who import Members

ATTEMPTS_MAX = 8
FIRST_PAUSE_S = 0.01
_TO_ANOTHER = "an authorization is on its way to a third member: push its last version again"
_TOO_OFTEN = "an authorization went with its member too often"


class Removal:
    """Moves what stands under one member to where that one leads."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        members: Members,
        authorizations: AuthorizationStore,
    ) -> None:
        """Share the other stores."""
        self._elasticsearch = elasticsearch
        self._index = indices.authorizations
        self._members = members
        self._authorizations = authorizations
        self._locator = Locator(elasticsearch, indices)
        self._on_the_way = OnTheWay(elasticsearch, indices)

    async def move(self, payer: str, member: str, names: Sequence[str]) -> int:
        """Move authorizations; gives how many had not arrived before. Raises EngineFault."""
        moved: set[str] = set()
        for attempt in range(ATTEMPTS_MAX):
            target = (await self._members.lead(payer, [member])).of(member)
            if target == member:
                return len(moved)
            todo = await self._not_arrived(payer, member, target, names)
            if not todo:
                return len(moved)
            arrivals = await self._claim_places(payer, target, todo)
            if arrivals:
                await self._authorizations.bring_in(payer, arrivals)
                moved |= {each.id for each in arrivals}
            else:
                await asyncio.sleep(FIRST_PAUSE_S * 2**attempt)
        raise EngineUnavailable("elasticsearch", _TO_ANOTHER)

    async def _not_arrived(
        self, payer: str, member: str, target: str, names: Sequence[str]
    ) -> dict[str, Document]:
        """Give the documents under the old id for which there is nothing newer under the new."""
        route = routing(payer, member)
        docs = [{"_id": document_id(payer, each), "routing": route} for each in names]
        found = await read_documents(self._elasticsearch, self._index, docs)
        standing = {
            each["authorization_id"]: each
            for each in found
            if each is not None and "source" in each and each["member_id"] == member
        }
        person = Person(given=member, member=target, also=(member,))
        arrived = await self._on_the_way.arrived(payer, person, standing)
        return {
            name: document
            for name, document in standing.items()
            if name not in arrived or order_of(arrived[name]) <= order_of(document)
        }

    async def _claim_places(
        self, payer: str, target: str, documents: Mapping[str, Document]
    ) -> list[Arrival]:
        """Write the places anew; gives those that nobody else wrote meanwhile."""
        places, successors = await self._locator.read_all(payer, list(documents))
        leads = await self._members.lead(payer, [each.member_id or "" for each in places.values()])
        arrivals = []
        for name, document in documents.items():
            place = places[name]
            if place.member_id is None or leads.of(place.member_id) != target:
                continue
            if place.moves >= MOVES_MAX:
                raise EngineUnavailable("elasticsearch", _TOO_OFTEN)
            arrivals.append(_arrival(document, place, target, successors.get(name)))
        written = await self._locator.write([_moved(each) for each in arrivals])
        for each, ok in zip(arrivals, written, strict=True):
            each.writes += ok
        return [each for each, ok in zip(arrivals, written, strict=True) if ok]


def _arrival(document: Document, place: Place, target: str, successor: str | None) -> Arrival:
    """Give a version that stands as if it were pushed; a newer one may have its place already."""
    source = document["source"]
    return Arrival(
        pushed=Pushed(authorization=Authorization.model_validate(source), source=source),
        hash=document["content_hash"],
        void=document["void"],
        place=place,
        writes=place.writes,
        superseded_by=successor,
        kept_under=target,
        moves=place.moves + 1,
        fence=place.version,
    )


def _moved(arrival: Arrival) -> Place:
    place = arrival.place
    if place is None:
        raise ValueError("an authorization that stands has a place")
    return replace(
        place,
        member_id=arrival.member,
        members=tuple(dict.fromkeys((*place.members, arrival.member))),
        moves=arrival.moves,
    )
