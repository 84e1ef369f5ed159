"""Takes authorizations in: late, twice and out of order; the sender's versions decide.

The order of writes is what keeps this right without locks:

1. the locator, only over the older version that was read: two pushes of one authorization meet
   here, and each knows the members of all before it;
2. the version that is replaced is copied to the history;
3. the document, only over an older version;
4. the locator is asked whether it was written since: if a newer version came meanwhile, it may
   have written over ours without having seen it, so we copy our own version to the history;
5. places of former members get a tombstone; the accumulators, where there are any, take the
   limits; the member is marked as not yet searchable, and queued if a claim of it waits.

Whatever fails on the way is a fault, and the same push again completes the rest.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from elasticsearch import AsyncElasticsearch

from service.accounting.limits.lines import Untold
from service.domain.actor import NOBODY, Actor
from service.domain.authorization import Authorization
from service.domain.extension import CannotBeAdded
from service.domain.grant_identity import is_change
from service.domain.late_pass import ANY
from service.domain.reference import StoredReferences
from service.domain.submission import Pushed, PushResult, PushStatus
from service.stores.authorizations.amending import Amending, replaced_by
from service.stores.authorizations.arrival import (
    Arrival,
    Placed,
    arrival_of,
    by_name,
    withdrawal_of,
)
from service.stores.authorizations.document import Document
from service.stores.authorizations.documents import (
    history_entry,
    read_document,
    read_documents,
    write_document,
)
from service.stores.authorizations.grants import Grants
from service.stores.authorizations.locator import Link, Locator, Place, parts_with
from service.stores.authorizations.overlaps import OVERLAPS, Asked, Overlaps
from service.stores.authorizations.state import States, authorizations_of
from service.stores.authorizations.succession import Followed, Older, Succession
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.names import IndexNames, document_id, routing
from service.stores.members.who import Members, Records, person_in
from service.stores.units.accumulators import Accumulators
from service.stores.waiting.late_queue import LateQueue

ATTEMPTS_MAX = 10

_State = tuple[Authorization, bool, Actor]  # what stands, whether it is void, who made it so


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of versions, by id; and what is a version of another one (see ``_by_name``)."""

    results: dict[str, PushResult] = field(default_factory=dict)
    by_name: Sequence[tuple[str, Arrival]] = ()


@dataclass(eq=False, repr=False)
class AuthorizationStore:
    """Pushes and withdrawals."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _references: StoredReferences
    _locator: Locator
    _succession: Succession
    _grants: Grants
    _overlaps: Overlaps
    _accumulators: Accumulators
    _amending: Amending
    _states: States
    _late: LateQueue
    _members: Members

    async def push(self, payer: str, pushed: Sequence[Pushed]) -> list[PushResult]:
        """Take versions in; ids must differ. Raises an EngineFault if any could not be stored.

        What comes under another name of an authorization is a version of that one, in whatever
        order the two come.
        """
        taken = await self._take_in(payer, [arrival_of(each, self._references) for each in pushed])
        results = taken.results
        for came_as, version in sorted(taken.by_name, key=lambda each: each[1].version):
            (told,) = (await self._take_in(payer, [version])).results.values()
            if came_as != version.id:
                results[came_as] = told
            elif told.current_version > results[came_as].current_version:
                results[came_as] = replace(
                    results[came_as], status="superseded", current_version=told.current_version
                )
        return [results[each.authorization.authorization_id] for each in pushed]

    async def withdraw(self, payer: str, pushed: Pushed) -> PushResult:
        """Make an authorization void; ``pushed`` is its last content under the new version."""
        withdrawn, references = f"withdrawn-{pushed.authorization.version}", self._references
        intake = Arrival(pushed=pushed, references=references, hash=withdrawn, void=True)
        return (await self._take_in(payer, [intake])).results[intake.id]

    async def withdraw_unknown(
        self, payer: str, name: str, version: int, actor: Actor
    ) -> PushResult:
        """Keep a withdrawal that came before its authorization: older versions stay out.

        A first version that is still on its way in finds a tombstone where it wants to be stored.
        """
        withdrawn = f"withdrawn-{version}"
        told = partial(PushResult, authorization_id=name, version=version)
        for _ in range(ATTEMPTS_MAX):
            known = (await self._locator.read(payer, [name])).get(name)
            if known is None:
                known = Place(payer=payer, authorization_id=name)
            if known.version >= version:
                is_same = (known.version, known.content_hash) == (version, withdrawn)
                status: PushStatus = "unchanged" if is_same else "superseded"
                return told(status=status, current_version=known.version)
            document = await read_document(self._elasticsearch, self._indices, known)
            if document is not None:
                return await self.withdraw(payer, withdrawal_of(document["source"], version, actor))
            base, parts = parts_with(known, version, adds=False, is_void=True)
            place = replace(known, version=version, content_hash=withdrawn, base=base, parts=parts)
            (taken,) = await self._locator.write([place])
            if taken:
                stones = [self._tombstone(place, each) for each in known.members]
                await run_bulk(self._elasticsearch, stones)
                return told(status="created", current_version=version)
        raise EngineUnavailable("elasticsearch", "other pushes of the same ids did not end")

    async def _take_in(self, payer: str, arrivals: Sequence[Arrival]) -> _Taken:
        placed, results, elsewhere = await self._claim_places(payer, arrivals)
        late = [each for each in arrivals if _is_superseded(results.get(each.id))]
        await self._keep(payer, late)
        parts = [each for each in placed if each.is_part]
        standing = [each for each in placed if not each.is_part]
        stored = await self._store(payer, standing) if standing else _Taken()
        settled = await self._settle(payer, parts) if parts else {}
        return _Taken(results | stored.results | settled, [*elsewhere, *stored.by_name])

    async def _claim_places(
        self, payer: str, arrivals: Sequence[Arrival]
    ) -> tuple[list[Placed], dict[str, PushResult], list[tuple[str, Arrival]]]:
        """Step 1; gives those that have their places, and what is told of all others, by id.

        The last are versions of others, by the id under which they came. Who lost to another push
        looks again.
        """
        placed: list[Placed] = []
        elsewhere: list[tuple[str, Arrival]] = []
        refused: dict[str, PushResult] = {}
        waiting = arrivals
        for _ in range(ATTEMPTS_MAX):
            (places, successors), rolls, records = await asyncio.gather(
                self._locator.read_all(payer, [each.id for each in waiting]),
                self._grants.read(payer, waiting),
                self._members.about(payer, {each.member for each in waiting}),
            )
            looked = [
                Placed(
                    arrival=each,
                    before=places.get(each.id) or Place(payer=payer, authorization_id=each.id),
                    successor=successors.get(each.id),
                )
                for each in waiting
            ]
            refused |= {each.arrival.id: each.refusal for each in looked if each.refusal}
            open_ = [each for each in looked if not each.refusal]
            told, held = await self._told_apart(payer, open_)
            moving = [each for each in told if each.place != each.before]
            admitted = await self._grants.admit(payer, moving, records, rolls)
            refused |= held | admitted.held
            elsewhere += admitted.elsewhere
            await self._keep(payer, [each.arrival for each in admitted.open if each.is_kept_first])
            written = await self._locator.write([each.place for each in admitted.open])
            waiting = admitted.lost
            placed += [each for each in told if each.place == each.before]
            for each, ok in zip(admitted.open, written, strict=True):
                if ok:
                    placed.append(each)
                else:
                    waiting.append(each.arrival)
            if not waiting:
                return placed, refused, elsewhere
        raise EngineUnavailable("elasticsearch", "other pushes of the same ids did not end")

    async def _told_apart(
        self, payer: str, looked: Sequence[Placed]
    ) -> tuple[list[Placed], dict[str, PushResult]]:
        """Hold a version whose lines cannot be told apart, while units of them are drawn.

        Gives the others with the state that each makes, and the lines of which nobody can say what
        was drawn. Most are new, and nothing is asked of them.
        """
        older = {
            each.arrival.id: [
                *([each.arrival.id] if each.before.seen else ()),
                *replaced_by(each.arrival.pushed.authorization),
            ]
            for each in looked
            if each.place != each.before
        }
        drawn = await self._accumulators.drawn_on(payer, chain.from_iterable(older.values()))
        told, held = [], {}
        for each in looked:
            try:
                each_told = await self._states.with_state(each)
                if not drawn.isdisjoint(older.get(each.arrival.id, ())):
                    (authorization,) = authorizations_of([each_told])
                    untold = await self._amending.untold(payer, authorization)
                    each_told = replace(each_told, untold=untold)
            except (Untold, CannotBeAdded) as reason:
                stands = each.before.version
                held[each.arrival.id] = each.arrival.result("conflict", stands, str(reason))
            else:
                told.append(each_told)
        return told, held

    async def _settle(self, payer: str, parts: Sequence[Placed]) -> dict[str, PushResult]:
        """Have the state in force take in versions that came late."""
        results = {}
        for each in parts:
            document = await self._states.settle(payer, each.arrival.id)
            is_new = each.place != each.before
            status: PushStatus = "updated" if is_new else "unchanged"
            results[each.arrival.id] = each.arrival.result(status, each.before.version)
            if document is not None:
                authorization = Authorization.model_validate(document["source"])
                state = authorization, document["void"], each.arrival.pushed.actor
                await self._amend(payer, [state])
        members = {each.before.member_id or each.arrival.member for each in parts}
        records = await self._members.about(payer, members)
        ids = {each: person_in(records, each).ids for each in members}
        waiting = await self._members.visibility.mark(payer, set().union(*ids.values()))
        arrived = [
            (member, each.arrival.id)
            for each in parts
            for member in ids[each.before.member_id or each.arrival.member]
        ]
        await self._late.note(payer, arrived, waiting.union(*ids.values()))
        return results

    async def _store(self, payer: str, placed: Sequence[Placed]) -> _Taken:
        """Steps 2 to 5; tells what became of each."""
        placed = await self._with_old(payer, placed)
        arrivals = [each.arrival for each in placed]
        authorizations = authorizations_of(placed)
        older = await self._succession.look_up(payer, authorizations)
        await self._copy_old(payer, placed)
        is_written = await self._write(payer, placed, older.numbers())

        members = {each.member for each in arrivals}.union(
            *(each.former_members for each in placed)
        )
        (changed, successors), records = await asyncio.gather(
            self._locator.read_changed(payer, {each.arrival.id: each.writes for each in placed}),
            self._members.about(payer, members),
        )
        latest = {each.id: each.version for each in arrivals}
        latest |= {name: place.version for name, place in changed.items()}
        results = {
            each.arrival.id: each.result(latest[each.arrival.id], is_written=ok)
            for each, ok in zip(placed, is_written, strict=True)
        }
        await self._keep(payer, [each for each in arrivals if _is_superseded(results[each.id])])
        await self._bury(placed)
        drawn = await self._amend(payer, await self._states_of(payer, placed, changed))
        results |= await self._with_overlaps(payer, placed, results, records)
        touched, followed = await self._succession.follow(payer, older, successors, authorizations)
        replacing = await self._carry(payer, followed, arrivals)
        ids = {each: person_in(records, each).ids for each in members}
        waiting = await self._members.visibility.mark(payer, touched.union(*ids.values()))
        lessened = {each.arrival.id for each in placed if each.takes_away} & drawn | replacing
        waiting |= {
            member
            for each in placed
            if each.arrival.id in lessened
            for member in ids[each.arrival.member]
        }
        await self._late.note(payer, _arrived(placed, results, ids), waiting)
        return _Taken(results, _by_name(arrivals, successors, older))

    async def _with_overlaps(
        self,
        payer: str,
        placed: Iterable[Placed],
        results: Mapping[str, PushResult],
        records: Records,
    ) -> dict[str, PushResult]:
        """Tell what was stored of others of the person that grant the same, by id."""
        asked = [
            Asked(each.leaves, person_in(records, each.leaves.member.id).ids, each.lines)
            for each in placed
            if results[each.arrival.id].status in ("created", "updated")
        ]
        told = await self._overlaps.of(payer, asked)
        OVERLAPS.inc(len(told))
        return {name: replace(results[name], overlaps=found) for name, found in told.items()}

    async def _with_old(self, payer: str, placed: Iterable[Placed]) -> list[Placed]:
        """Read what stands at each member under which the authorization was ever stored."""
        wanted = [
            (each, member) for each in placed if each.before.seen for member in each.place.members
        ]
        docs = [
            {"_id": document_id(payer, each.arrival.id), "routing": routing(payer, member)}
            for each, member in wanted
        ]
        found = await read_documents(self._elasticsearch, self._indices.authorizations, docs)
        old: dict[str, dict[str, Document]] = {}
        for (each, member), document in zip(wanted, found, strict=True):
            if document is not None:
                old.setdefault(each.arrival.id, {})[member] = document
        return [replace(each, old=old.get(each.arrival.id, {})) for each in placed]

    async def _copy_old(self, payer: str, placed: Iterable[Placed]) -> None:
        """Step 2."""
        old = [
            document
            for each in placed
            for document in each.old.values()
            if document["version"] < each.arrival.version
            and "source" in document
            and "made_of" not in document
        ]
        await run_bulk(
            self._elasticsearch, [history_entry(self._indices, payer, each) for each in old]
        )

    async def _write(
        self, payer: str, placed: Iterable[Placed], inherited: Mapping[str, Sequence[str]]
    ) -> list[bool]:
        """Step 3; tells of each whether no newer version stood there."""
        pushed_at = now()
        operations = [
            write_document(
                self._indices.authorizations,
                each.document(payer, inherited.get(each.arrival.id, ()), pushed_at),
            )
            for each in placed
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]

    async def _keep(self, payer: str, arrivals: Iterable[Arrival]) -> None:
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
            for each in arrivals
        ]
        await run_bulk(self._elasticsearch, entries)

    async def _bury(self, placed: Iterable[Placed]) -> None:
        """Leave a tombstone where a former member had the authorization.

        It can be found with the new member by then: shards are not refreshed at one moment.
        """
        stones = [
            self._tombstone(each.place, member) for each in placed for member in each.former_members
        ]
        if stones:
            await self._members.visibility.refresh()
        await run_bulk(self._elasticsearch, stones)

    def _tombstone(self, place: Place, member: str) -> Operation:
        """Write a tombstone; where the members share a shard, the document itself stays."""
        document = {
            "payer": place.payer,
            "member_id": member,
            "authorization_id": place.authorization_id,
            "version": place.version,
            "void": False,
            "current": False,
            "moved": True,
        }
        return write_document(self._indices.authorizations, document)

    async def _states_of(
        self, payer: str, placed: Iterable[Placed], changed: Mapping[str, Place]
    ) -> list[_State]:
        """Give the states that stand now; some are settled first."""
        states = []
        for each in placed:
            place = changed.get(each.arrival.id, each.place)
            (authorization,), is_void = authorizations_of([each]), each.arrival.void
            if len(place.parts) > 1:
                document = await self._states.settle(payer, each.arrival.id)
                if document is not None:
                    authorization = Authorization.model_validate(document["source"])
                    is_void = document["void"]
            states.append((authorization, is_void, each.arrival.pushed.actor))
        return states

    async def _amend(self, payer: str, states: Sequence[_State]) -> set[str]:
        """Have the accumulators take limits and lines, where anything was ever drawn.

        What was used stays, also where it is more than the new limit: then nothing more is
        granted, and the remaining shows below zero. A line that is gone keeps its balance, with an
        end. May be repeated; versions that were overtaken do nothing. Gives those drawn on.
        """
        ids = [each.authorization_id for each, _, _ in states]
        drawn = await self._accumulators.drawn_on(payer, ids)
        for authorization, is_void, actor in states:
            if authorization.authorization_id in drawn:
                await self._amending.amend(payer, authorization, is_void=is_void, actor=actor)
        return drawn

    async def _carry(
        self, payer: str, followed: Iterable[Followed], arrivals: Iterable[Arrival]
    ) -> set[str]:
        """Have use go over to what replaces that on which it was drawn; names to which it went."""
        replacing, actors = set(), {each.id: each.pushed.actor for each in arrivals}
        for older, newer, is_one in followed:
            actor = actors[newer.authorization_id]
            if await self._amending.carry(payer, older, newer, actor=actor, is_one=is_one):
                replacing.add(newer.authorization_id)
        return replacing

    async def catch_up(self, payer: str, authorization_id: str) -> None:
        """Bring the books in step with the version that stands, whoever did not come to do so."""
        place = (await self._locator.read(payer, [authorization_id])).get(authorization_id)
        document = await read_document(self._elasticsearch, self._indices, place) if place else None
        if document is not None:
            authorization = Authorization.model_validate(document["source"])
            await self._amend(payer, [(authorization, document["void"], NOBODY)])


def _by_name(
    arrivals: Iterable[Arrival], successors: Mapping[str, Link], older: Older
) -> list[tuple[str, Arrival]]:
    """Give what is a version of another one, by the id under which either came.

    That is what came under a name of one that is there, and what was there when that one came.
    """
    arrived = {each.id: each for each in arrivals}
    found = [
        (each.id, by_name(each.pushed.source, successors[each.id].newer, each))
        for each in arrivals
        if each.id in successors and _is_one(each.id, successors[each.id])
    ]
    for name, link in older.links:
        there = older.documents.get(name)
        if there is None or link.newer not in arrived or not _is_one(name, link):
            continue
        if there["version"] > arrived[link.newer].version:
            by = arrived[link.newer]
            found.append((link.newer, by_name(there["source"], link.newer, by)))
    return found


def _is_one(name: str, link: Link) -> bool:
    """Whether what is known by a name is the same as who stands for it."""
    return link.is_alias and not is_change(name)


def _is_superseded(result: PushResult | None) -> bool:
    return result is not None and result.status == "superseded"


def _arrived(
    placed: Iterable[Placed],
    results: Mapping[str, PushResult],
    ids: Mapping[str, Sequence[str]],
) -> list[tuple[str, str]]:
    """Name, by member, what may help claims that wait: not a version that was overtaken.

    One that others stand for has given them its numbers: then any of the member may help. Claims
    of a person may wait under each of its ``ids``.
    """
    return [
        (member, name)
        for each in placed
        if not _is_superseded(results[each.arrival.id])
        for member in ids[each.arrival.member]
        for name in ((each.arrival.id, ANY) if each.successor else (each.arrival.id,))
    ]
