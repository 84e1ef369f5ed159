"""Takes authorizations in: late, twice and out of order; the sender's versions decide.

The order of writes is what keeps this right without locks:

1. the locator, only over the older version that was read: two pushes of one authorization meet
   here, and each knows the members of all before it;
2. the version that is replaced is copied to the history;
3. balances with former members are carried, then the document, only over an older version;
4. the locator is asked whether it was written since: if a newer version came meanwhile, it may
   have written over ours without having seen it, so we copy our own version to the history;
5. places of former members get a tombstone; the accumulators, where there are any, take the
   limits; the member is marked as not yet searchable, and queued if a claim of it waits.

Whatever fails on the way is a fault, and the same push again completes the rest.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from elasticsearch import AsyncElasticsearch

from service.domain.push import Pushed, PushResult
from service.domain.reference import StoredReferences
from service.stores.authorizations.arrival import Arrival, arrival_of, arrived_in, withdrawal_of
from service.stores.authorizations.balances import Balances
from service.stores.authorizations.documents import read_document, read_documents
from service.stores.authorizations.history import history_entry
from service.stores.authorizations.locator import Locator, Place
from service.stores.authorizations.succession import Succession
from service.stores.authorizations.writes import tombstone, write_document
from service.stores.connection.bulk import run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames, document_id, routing
from service.stores.members.who import Members
from service.stores.waiting.late_queue import LateQueue

ATTEMPTS_MAX = 10


class AuthorizationStore:
    """Pushes and withdrawals."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        references: StoredReferences,
        balances: Balances,
        late: LateQueue,
        members: Members,
    ) -> None:
        """Share the client, the balances, the queue and the members with the other stores."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._visibility = members.visibility
        self._references = references
        self._balances = balances
        self._late = late
        self._members = members
        self._locator = Locator(elasticsearch, indices)
        self._succession = Succession(elasticsearch, indices, self._locator, references)

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Take versions in; ids must differ. Raises an EngineFault if any could not be stored."""
        return await self._take_in(payer, [arrival_of(each) for each in pushed])

    async def withdraw(self, payer: str, pushed: Pushed) -> PushResult:
        """Make an authorization void; ``pushed`` is its last content under the new version."""
        intake = Arrival(pushed=pushed, hash=f"withdrawn-{pushed.authorization.version}", void=True)
        return (await self._take_in(payer, [intake]))[0]

    async def withdraw_unknown(self, payer: str, authorization_id: str, version: int) -> PushResult:
        """Keep a withdrawal that came before its authorization: older versions stay out.

        A first version that is still on its way in finds a tombstone where it wants to be stored.
        """
        withdrawn = f"withdrawn-{version}"
        for _ in range(ATTEMPTS_MAX):
            known = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
            if known is None:
                known = Place(payer=payer, authorization_id=authorization_id)
            if known.version >= version:
                is_same = (known.version, known.content_hash) == (version, withdrawn)
                return PushResult(
                    authorization_id=authorization_id,
                    version=version,
                    status="unchanged" if is_same else "superseded",
                    current_version=known.version,
                )
            document = await read_document(self._elasticsearch, self._indices, known)
            if document is not None:
                return await self.withdraw(payer, withdrawal_of(document["source"], version))
            place = replace(known, version=version, content_hash=withdrawn)
            (taken,) = await self._locator.write([place])
            if taken:
                stones = [
                    tombstone(
                        self._indices,
                        payer,
                        authorization_id,
                        each,
                        version=version,
                        moves=known.moves,
                    )
                    for each in known.members
                ]
                await run_bulk(self._elasticsearch, stones)
                return PushResult(
                    authorization_id=authorization_id,
                    version=version,
                    status="created",
                    current_version=version,
                )
        raise EngineUnavailable("elasticsearch", "other pushes of the same ids did not end")

    async def _take_in(self, payer: str, intakes: list[Arrival]) -> list[PushResult]:
        open_ = intakes
        for _ in range(ATTEMPTS_MAX):
            open_ = await self._claim_places(payer, open_)
            if not open_:
                break
        if open_:
            raise EngineUnavailable("elasticsearch", "other pushes of the same ids did not end")
        await self._store(payer, intakes)
        behind = [each.again() for each in intakes if each.is_behind]
        if behind:
            await self._take_in(payer, behind)
        results = [each.result for each in intakes if each.result is not None]
        if len(results) != len(intakes):
            raise AssertionError("a push was left without a result")
        return results

    async def _claim_places(self, payer: str, intakes: list[Arrival]) -> list[Arrival]:
        """Step 1; gives those that lost to another push and must look again."""
        (places, successors), leads = await asyncio.gather(
            self._locator.read_all(payer, [each.id for each in intakes]),
            self._members.lead(payer, {each.named for each in intakes}),
        )
        newer = []
        for each in intakes:
            each.place = place = places.get(each.id)
            each.superseded_by = successors.get(each.id)
            each.kept_under = leads.of(each.named)
            each.moves = place.moves + each.has_to_follow if place else 0
            each.writes = place.writes if place else 0
            if place is None or place.version < each.version or each.has_to_follow:
                newer.append(each)
            elif place.version > each.version:
                each.settle("superseded", current=place.version)
            elif place.content_hash != each.hash:
                each.settle(
                    "conflict",
                    current=place.version,
                    reason=f"version {place.version} is already there with other content",
                )
        written = await self._locator.write([each.new_place(payer) for each in newer])
        for each, ok in zip(newer, written, strict=True):
            each.writes += ok
        return [each for each, ok in zip(newer, written, strict=True) if not ok]

    async def _store(self, payer: str, intakes: list[Arrival]) -> None:
        """Steps 2 to 5."""
        late = [each for each in intakes if each.result and each.result.status == "superseded"]
        await self._keep(payer, late)
        live = [each for each in intakes if each.result is None]
        if live:
            await self.bring_in(payer, live)

    async def bring_in(self, payer: str, live: list[Arrival]) -> None:
        """Take all steps after the first with those whose places are written."""
        await self._read_old(payer, live)
        await self._succession.look_up(payer, live)
        await self._copy_old(payer, live)
        await self._balances.carry(payer, live)
        pushed_at = now()
        documents = [
            write_document(self._indices, self._references, payer, each, pushed_at) for each in live
        ]
        written = await run_bulk(self._elasticsearch, documents)
        successors = await self._look_again(payer, live, [each.ok for each in written])
        await self._bury(payer, live)
        await self._balances.amend(payer, live)
        members = await self._succession.follow(payer, live, successors)
        members |= {each.member for each in live}.union(*(each.ids for each in live))
        members |= {member for each in live for member in each.former_members}
        waiting = await self._visibility.mark(payer, members)
        await self._late.note(payer, arrived_in(live), waiting)

    async def _read_old(self, payer: str, live: list[Arrival]) -> None:
        """Read what stands at each member under which the authorization was ever stored."""
        wanted = [
            (each, member)
            for each in live
            if each.place is not None
            for member in sorted({*each.place.members, each.member})
        ]
        docs = [
            {"_id": document_id(payer, each.id), "routing": routing(payer, member)}
            for each, member in wanted
        ]
        found = await read_documents(self._elasticsearch, self._indices.authorizations, docs)
        for (each, member), document in zip(wanted, found, strict=True):
            if document is not None:
                each.old[member] = document

    async def _copy_old(self, payer: str, live: list[Arrival]) -> None:
        old = [
            document
            for each in live
            for document in each.old.values()
            if document["version"] < each.version and "source" in document
        ]
        await run_bulk(
            self._elasticsearch, [history_entry(self._indices, payer, each) for each in old]
        )

    async def _look_again(
        self, payer: str, live: list[Arrival], written: list[bool]
    ) -> dict[str, str]:
        """Step 4, and the results: what a newer version may have hidden is kept in the history.

        Gives those that another authorization stands for, as it is now.
        """
        members = {each.named for each in live}.union(*(each.former_members for each in live))
        (changed, successors), leads = await asyncio.gather(
            self._locator.read_changed(payer, {each.id: each.writes for each in live}),
            self._members.lead(payer, members),
        )
        await self._members.publish(payer, leads)
        overtaken = []
        for each, ok in zip(live, written, strict=True):
            each.look_at(leads)
            # What goes with a merged member may be behind the version that has its place already.
            known = max(each.version, each.fence)
            latest = changed[each.id].version if each.id in changed else known
            if latest > each.version:
                overtaken.append(each)
                each.settle("superseded", current=latest)
            elif not ok or each.has_stood:
                each.settle("unchanged", current=latest)
            elif each.old or (each.place is not None and 0 < each.place.version < each.version):
                each.settle("updated", current=latest)
            else:
                each.settle("created", current=latest)
        await self._keep(payer, overtaken)
        return successors

    async def _keep(self, payer: str, intakes: list[Arrival]) -> None:
        """Keep versions that are not current in the history, each once."""
        entries = [
            history_entry(
                self._indices,
                payer,
                {
                    "authorization_id": each.id,
                    "version": each.version,
                    "member_id": each.member,
                    "content_hash": each.hash,
                    "void": each.void,
                    "source": each.pushed.source,
                },
            )
            for each in intakes
        ]
        await run_bulk(self._elasticsearch, entries)

    async def _bury(self, payer: str, live: list[Arrival]) -> None:
        """Step 5: leave a tombstone where a former member had the authorization.

        It can be found with the new member by then: shards are not refreshed at one moment.
        """
        stones = [
            tombstone(self._indices, payer, each.id, member, version=each.version, moves=each.moves)
            for each in live
            for member in each.former_members
            if member not in each.spared
        ]
        if stones:
            await self._visibility.refresh()
        await run_bulk(self._elasticsearch, stones)
