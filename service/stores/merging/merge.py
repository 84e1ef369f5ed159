"""Merges one member id into another: all its authorizations go there, and are found all the while.

1. The old id is said to lead to the new one. From now on who matches under either looks under both;
   a moment later everybody does.
2. Pushes of the old id go to the new one, and authorization by authorization follows, with its
   balances, under the sender's version and content. What stood under the old id stays there.
3. When all have arrived, nobody looks under the old id any more; a moment later tombstones take the
   place of what stood there.

Each step may be taken by several at once and be repeated: the same call again goes on.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from elasticsearch import AsyncElasticsearch

from service.domain.late_pass import ANY
from service.domain.person import Person, PersonChanged
from service.stores.authorizations.locator import Locator
from service.stores.authorizations.store import AuthorizationStore
from service.stores.authorizations.writes import tombstone
from service.stores.connection.bulk import run_bulk
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames, routing
from service.stores.members.alias import MemberAlias, Wish
from service.stores.members.who import Members
from service.stores.merging.moving import Removal
from service.stores.waiting.late_queue import LateQueue

BATCH = 200
_WAIT = 1.1
"""A little longer than others rely on what they were told: clocks do not tick alike."""

Tell = Callable[[int, int], None]
"""Is told how many authorizations are through, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge did: authorizations moved by this call, there before it, and in all."""

    member: str
    into: str
    moved: int
    already_there: int
    total: int


class MemberMerge:
    """Merges members."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        members: Members,
        authorizations: AuthorizationStore,
        late: LateQueue,
    ) -> None:
        """Share the other stores."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._members = members
        self._alias = MemberAlias(members)
        self._locator = Locator(elasticsearch, indices)
        self._late = late
        self._removal = Removal(elasticsearch, indices, members, authorizations)

    async def run(self, payer: str, wish: Wish, tell: Tell = lambda *_: None) -> Merged:
        """Merge a member into another one; raises MergeRefused, EngineFault."""
        record = await self._alias.register(payer, wish)
        moved, total = 0, record.count
        if record.phase in ("announced", "moving"):
            await self._begin(payer, wish.member)
            moved, total = await self._move_all(payer, wish.member, tell)
        if record.phase != "done":
            await self._alias.advance(payer, wish.member, "moved", count=total)
            await self._tell_all(payer, wish.member)
            await self._bury_all(payer, wish.member)
            await self._note_all(payer, wish.member)
            await self._alias.advance(payer, wish.member, "done")
        await self._alias.close(payer, wish.member)
        await self._alias.publish(payer, wish.member)
        # A push that did not know of the end left behind what it wrote before it looked again.
        await self._bury_all(payer, wish.member)
        leads = await self._members.lead(payer, [wish.member])
        return Merged(
            member=wish.member,
            into=leads.end_of(wish.member),
            moved=moved,
            already_there=total - moved,
            total=total,
        )

    async def bring(self, payer: str, person: Person, ids: Iterable[str]) -> None:
        """Move some authorizations at once, for a claim that is about to draw on them.

        Raises PersonChanged where one went on without ever being kept where the claim is: there
        its accounts are neither open nor closed.
        """
        wanted = list(ids)
        for each in person.also if wanted else ():
            await self._begin(payer, each)
            await self._removal.move(payer, each, wanted)
        places = await self._locator.read(payer, wanted)
        if any(person.member not in place.members for place in places.values()):
            raise PersonChanged

    async def _begin(self, payer: str, member: str) -> None:
        """Let pushes go to the new id as soon as all who match know of it."""
        record = (await self._members.records.read(payer, [member]))[member]
        if record.phase == "announced":
            await self._tell_all(payer, member)
            await self._alias.advance(payer, member, "moving")
        await self._alias.publish(payer, member)

    async def _tell_all(self, payer: str, member: str) -> None:
        """Tell all who match, and wait until nobody relies on what was before."""
        await self._alias.publish(payer, member)
        await asyncio.sleep(self._members.lease_s * _WAIT)

    async def _move_all(self, payer: str, member: str, tell: Tell) -> tuple[int, int]:
        """Move all in batches; gives how many this call moved, and how many there are."""
        await self._members.refresh()
        moved = done = total = 0
        after: str | None = None
        while True:
            names, count = await self._page(payer, member, after)
            total = max(total, count) if after is None else total
            if not names:
                return moved, max(total, done)
            moved += await self._removal.move(payer, member, names)
            done, after = done + len(names), names[-1]
            tell(done, max(total, done))

    async def _bury_all(self, payer: str, member: str) -> None:
        """Leave tombstones under the old id, where nobody looks any more."""
        await self._members.refresh()
        after: str | None = None
        while True:
            names, _ = await self._page(payer, member, after)
            if not names:
                return
            places = await self._locator.read(payer, names)
            stones = [
                tombstone(
                    self._indices,
                    payer,
                    name,
                    member,
                    version=place.version,
                    moves=place.moves,
                )
                for name, place in places.items()
                if place.member_id != member
            ]
            await run_bulk(self._elasticsearch, stones)
            after = names[-1]

    async def _note_all(self, payer: str, member: str) -> None:
        """Have claims of the person that wait looked at, under whichever id: others may help now.

        The mark sends claims back that are about to wait, and were looked up before.
        """
        ids = (await self._members.lead(payer, [member])).ids_of(member)
        waiting = await self._members.visibility.mark(payer, ids)
        await self._late.note(payer, [(each, ANY) for each in ids], waiting)

    async def _page(self, payer: str, member: str, after: str | None) -> tuple[Sequence[str], int]:
        """Name authorizations that stand under a member, and count all."""
        clauses = [
            {"term": {"payer": payer}},
            {"term": {"member_id": member}},
            {"exists": {"field": "content_hash"}},
        ]
        with translated_errors():
            response = await self._elasticsearch.search(
                index=self._indices.authorizations,
                routing=routing(payer, member),
                query={"bool": {"filter": clauses}},
                sort=[{"authorization_id": "asc"}],
                search_after=None if after is None else [after],
                size=BATCH,
                source_includes=["authorization_id"],
                track_total_hits=after is None,
                allow_partial_search_results=False,
            )
        hits = response["hits"]
        names = [hit["_source"]["authorization_id"] for hit in hits["hits"]]
        return names, hits["total"]["value"] if after is None else 0
