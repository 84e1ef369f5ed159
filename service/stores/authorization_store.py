"""Takes authorizations in: late, twice and out of order; the sender's versions decide.

The order of writes is what keeps this right without locks:

1. the locator, only over the older version that was read: two pushes of one authorization meet
   here, and each knows the members of all before it;
2. the version that is replaced is copied to the history;
3. balances with former members are carried, then the document, only over an older version;
4. the locator is read again: if a newer version came meanwhile, it may have written over ours
   without having seen it, so we copy our own version to the history;
5. places of former members get a tombstone; the accumulators, where there are any, take the
   limits; the member is marked as not yet searchable.

Whatever fails on the way is a fault, and the same push again completes the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.authorization import Authorization
from service.domain.push import Pushed, PushResult
from service.domain.reference import References
from service.stores.arrival import Arrival
from service.stores.balances import Balances
from service.stores.bulk import Operation, run_bulk
from service.stores.document import content_hash, make_document
from service.stores.documents import read_document, read_documents
from service.stores.faults import EngineUnavailable
from service.stores.history import history_entry, now
from service.stores.locator import Locator, Place
from service.stores.names import IndexNames, document_id, routing
from service.stores.succession import Succession
from service.stores.visibility import Visibility

ATTEMPTS_MAX = 10


class AuthorizationStore:
    """Pushes and withdrawals."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        indices: IndexNames,
        visibility: Visibility,
        references: References,
        balances: Balances,
    ) -> None:
        """Share the client, the marks and the balances with the other stores."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        self._visibility = visibility
        self._references = references
        self._balances = balances
        self._locator = Locator(elasticsearch, indices)
        self._succession = Succession(elasticsearch, indices, self._locator, references)

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Take versions in; ids must differ. Raises an EngineFault if any could not be stored."""
        intakes = [
            Arrival(
                pushed=each,
                hash=content_hash(each.authorization),
                void=each.authorization.is_void,
            )
            for each in pushed
        ]
        return await self._take_in(payer, intakes)

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
                    self._stone(payer, authorization_id, version, each) for each in known.members
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
        results = [each.result for each in intakes if each.result is not None]
        if len(results) != len(intakes):
            raise AssertionError("a push was left without a result")
        return results

    async def _claim_places(self, payer: str, intakes: list[Arrival]) -> list[Arrival]:
        """Step 1; gives those that lost to another push and must look again."""
        places, successors = await self._locator.read_all(payer, [each.id for each in intakes])
        newer = []
        for each in intakes:
            each.place = place = places.get(each.id)
            each.superseded_by = successors.get(each.id)
            if place is None or place.version < each.version:
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
        return [each for each, ok in zip(newer, written, strict=True) if not ok]

    async def _store(self, payer: str, intakes: list[Arrival]) -> None:
        """Steps 2 to 5."""
        late = [each for each in intakes if each.result and each.result.status == "superseded"]
        await self._keep(payer, late)
        live = [each for each in intakes if each.result is None]
        if not live:
            return
        await self._read_old(payer, live)
        await self._succession.look_up(payer, live)
        await self._copy_old(payer, live)
        await self._balances.carry(payer, live)
        documents = [self._document(payer, each) for each in live]
        written = await run_bulk(self._elasticsearch, documents)
        successors = await self._look_again(payer, live, [each.ok for each in written])
        await self._bury(payer, live)
        await self._balances.amend(payer, live)
        members = await self._succession.follow(payer, live, successors)
        members |= {each.member for each in live}
        members |= {member for each in live for member in each.former_members}
        await self._visibility.mark(payer, members)

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

    def _document(self, payer: str, intake: Arrival) -> Operation:
        previous = [n for old in intake.old.values() for n in old.get("inherited_numbers", ())]
        document = make_document(
            payer,
            intake.pushed.authorization,
            intake.pushed.source,
            self._references,
            inherited=(*intake.inherited, *previous),
            superseded_by=intake.superseded_by,
            pushed_at=now(),
        )
        document["content_hash"] = intake.hash
        document["void"] = intake.void
        return Operation(
            action="index",
            index=self._indices.authorizations,
            id=document_id(payer, intake.id),
            routing=routing(payer, intake.member),
            version=intake.version,
            document=document,
        )

    async def _look_again(
        self, payer: str, live: list[Arrival], written: list[bool]
    ) -> dict[str, str]:
        """Step 4, and the results: what a newer version may have hidden is kept in the history.

        Gives those that another authorization stands for, as it is now.
        """
        versions, successors = await self._locator.read_latest(payer, [each.id for each in live])
        overtaken = []
        for each, ok in zip(live, written, strict=True):
            latest = versions[each.id]
            stored = each.old.get(each.member)
            if latest > each.version:
                overtaken.append(each)
                each.settle("superseded", current=latest)
            elif not ok or (stored is not None and stored["version"] == each.version):
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
            self._stone(payer, each.id, each.version, member)
            for each in live
            for member in each.former_members
        ]
        if stones:
            await self._visibility.refresh()
        await run_bulk(self._elasticsearch, stones)

    def _stone(self, payer: str, authorization_id: str, version: int, member: str) -> Operation:
        return Operation(
            action="index",
            index=self._indices.authorizations,
            id=document_id(payer, authorization_id),
            routing=routing(payer, member),
            version=version,
            document={
                "payer": payer,
                "member_id": member,
                "authorization_id": authorization_id,
                "version": version,
                "void": False,
                "current": False,
                "moved": True,
            },
        )


def withdrawal_of(source: Mapping[str, Any], version: int) -> Pushed:
    """Give the last content of an authorization under the version that withdraws it."""
    changed = {**source, "version": version}
    return Pushed(authorization=Authorization.model_validate(changed), source=changed)
