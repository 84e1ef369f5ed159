"""The accumulators in Redis: what is used and reserved of every authorization, and by which claim.

Everything that a claim moves is moved by one script, all or nothing; see ``lua/books.lua``. What is
at rest comes back before it is moved; see ``archive``.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from service.access.act import note
from service.accounting.answers.statement import AccountsState, is_over
from service.accounting.books.books import (
    Amendment,
    AuthorizationBehind,
    AuthorizationChanged,
    Correction,
    CorrectionRefused,
    CounterBook,
    DrawRequest,
    LookedUp,
    Moved,
    Occasion,
    RecountRequest,
)
from service.accounting.books.claim_state import IN_FORCE, ClaimState
from service.accounting.books.grant import Balances, Measure
from service.accounting.books.rows import HeldRow, counter_book, write_row
from service.domain.person import Person
from service.stores.audit.trail import NO_ROW, Movement
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.scripts import load_script, lua
from service.stores.members.who import Members
from service.stores.units._hashes import (
    balances_in,
    read_accounts,
    read_claim_state,
    read_counters,
    units_by_account,
)
from service.stores.units.archive import Archive
from service.stores.units.movements import (
    Late,
    read_moved,
    write_amendment,
    write_change,
    write_correction,
    write_draw,
    write_recount,
)
from service.stores.units.steps import Steps

_KEYS_AT_ONCE = 500
_EXISTING, _MAY_REST = lua("existing.lua"), 2
_STANDING = lua("standing.lua")
_MEASURES: Mapping[str, Measure] = {"u": "units", "m": "amount", "d": "days"}


class Accumulators:
    """Reads and moves units; every call is one step in Redis, or a fault and nothing moved."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        members: Members,
        archive: Archive,
        steps: Steps,
        late: Callable[[], Late | None],
    ) -> None:
        """``late`` says when claims that wait are looked at for units that came back."""
        self._redis = redis
        self._keys = keys
        self._members = members
        self._archive = archive
        self._steps = steps
        self._late = late
        self._draw, self._change, self._amend, self._recount, self._correct = (
            load_script(redis, f"{name}.lua")
            for name in ("claim", "change", "amend", "recount", "correct")
        )

    async def look_up(
        self,
        payer: str,
        claim_id: str,
        member: str,
        *,
        counters: bool = False,
        charges: Sequence[str] = (),
    ) -> LookedUp:
        """Read a claim where Redis has it, and who the member is, in one round trip.

        So are the counters of the member, and charges. When it returns, what was pushed for the
        member can be found. Raises EngineFault.
        """
        await self._steps.guard.ensure(payer)
        book = self._keys.book(payer)
        owner = book.owner(member)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hgetall(book.claim(claim_id))
            self._members.visibility.ask(pipeline, payer, member)
            pipeline.hmget(*self._members.copies.asked(payer, member))
            for charge in charges:
                pipeline.hgetall(book.claim(charge))
            if counters:
                self._ask_counters(pipeline, payer, owner)
            # Afterwards: what goes meanwhile has its bit then.
            names = [*map(book.claim, (claim_id, *charges))]
            names += [book.accounts(counter_book(owner))] if counters else []
            for name in names:
                pipeline.getbit(*book.archived_bit(name))
            stored, asked, visible, merged, *more = await pipeline.execute()
        if stored:  # it may be told again: then replicas have it
            await self._steps.replicas.confirm(book.probe)
        claim, counted = read_claim_state(claim_id, stored), more[len(charges) : -len(names)]
        held = tuple(map(read_claim_state, charges, more))
        if not self._members.was_never_merged(merged):
            found = await self._look_up_merged(payer, claim, member, counters=counters)
            return replace(found, charges=held, may_rest=True)
        await self._members.visibility.see(payer, (member,), asked, visible)
        return LookedUp(
            claim=claim,
            person=Person.of(member),
            owners=(owner,),
            last_push=asked[1] or "",
            counters={counter_book(owner): read_counters(*counted)} if counters else {},
            charges=held,
            may_rest=any(more[-len(names) :]),
        )

    async def _look_up_merged(
        self, payer: str, claim: ClaimState, member: str, *, counters: bool
    ) -> LookedUp:
        person = await self._members.person(payer, member)
        owners = tuple(map(self._keys.book(payer).owner, person.ids))
        with translated_errors():  # before anything is looked for
            mark: Any = await self._redis.get(self._keys.book(payer).mark(owners[0]))
        await self._members.visibility.ensure(payer, *person.ids)
        return LookedUp(
            claim=claim,
            person=person,
            owners=owners,
            last_push=mark or "",
            counters=await self._counters(payer, owners) if counters else {},
        )

    def _ask_counters(self, pipeline: Any, payer: str, owner: str) -> None:
        book, name = self._keys.book(payer), counter_book(owner)
        pipeline.hgetall(book.accounts(name))
        pipeline.hgetall(book.tokens(name))

    async def _counters(self, payer: str, owners: Sequence[str]) -> dict[str, CounterBook]:
        """Read the counters of some ids of a person."""
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=True)
            for owner in owners:
                self._ask_counters(pipeline, payer, owner)
            answers = iter(await pipeline.execute())
        return {
            counter_book(owner): read_counters(fields, tokens)
            for owner, fields, tokens in zip(owners, answers, answers, strict=True)
        }

    async def recall(self, payer: str, looked_up: LookedUp) -> LookedUp:
        """Bring claim, counters and charges back if they are at rest; else there never were any."""
        (claim, *charges), counters = await asyncio.gather(
            self._recalled_claims(payer, (looked_up.claim, *looked_up.charges)),
            self._recalled_counters(payer, looked_up),
        )
        return replace(looked_up, claim=claim, charges=tuple(charges), counters=counters)

    async def _recalled_claims(
        self, payer: str, claims: Sequence[ClaimState]
    ) -> Sequence[ClaimState]:
        """Read those again that Redis did not have."""
        absent = [each.claim_id for each in claims if not each.is_known]
        if not absent:
            return claims
        if set(absent) == await self._archive.recall(payer, "claim", absent):
            return claims
        return await self.read_claims(payer, [each.claim_id for each in claims])

    async def _recalled_counters(
        self, payer: str, looked_up: LookedUp
    ) -> Mapping[str, CounterBook]:
        absent = [name for name, book in looked_up.counters.items() if not book.sequence]
        if not absent:
            return looked_up.counters
        if set(absent) == await self._archive.recall(payer, "accounts", absent):
            return looked_up.counters
        return await self._counters(payer, looked_up.owners)

    async def read_claim(self, payer: str, claim_id: str) -> ClaimState:
        """Read what a claim holds, and which of its versions were answered; it is noted."""
        (claim,) = await self.read_claims(payer, [claim_id])
        return claim

    async def read_claims(self, payer: str, ids: Sequence[str]) -> list[ClaimState]:
        """Do so for several claims."""
        book = self._keys.book(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for claim_id in ids:
                pipeline.hgetall(book.claim(claim_id))
            stored = dict(zip(ids, await pipeline.execute(), strict=True))
        if any(stored.values()):
            await self._steps.replicas.confirm(book.probe)
        found = [
            read_claim_state(claim_id, stored[claim_id])
            if stored[claim_id]
            else await self._read_back(payer, claim_id)
            for claim_id in ids
        ]
        note(claims=ids, persons=(each.owner for each in found if each.owner))
        return found

    async def in_force(self, payer: str, runs: Sequence[tuple[str, int, str]]) -> list[bool]:
        """Tell of adjudications (claim, version, ledger entry) which of them are in force.

        A page of a worklist asks of many claims: of each only what tells it is read.
        """
        if not runs:
            return []
        book = self._keys.book(payer)
        keys = [book.claim(claim_id) for claim_id, _, _ in runs]
        arguments = [text for _, version, entry in runs for text in (str(version), entry)]
        with translated_errors():
            found: Any = await self._redis.eval(_STANDING, len(keys), *keys, *arguments)
        told = []
        for (claim_id, version, entry), status in zip(runs, found, strict=True):
            if status:
                told.append(status in IN_FORCE)
            else:
                state = await self._read_back(payer, claim_id)
                is_run = state.version == version and state.stands_as(entry)
                told.append(state.is_in_force and is_run)
        return told

    async def _read_back(self, payer: str, claim_id: str) -> ClaimState:
        """Read a claim that Redis does not have, and may be at rest.

        Of an emptied Redis nothing may be concluded.
        """
        await self._steps.guard.epoch.confirm(payer)
        if await self._archive.recall(payer, "claim", [claim_id]):
            return ClaimState(claim_id=claim_id)
        with translated_errors():
            stored: Any = await self._redis.hgetall(self._keys.book(payer).claim(claim_id))
        return read_claim_state(claim_id, stored)

    async def draw(self, payer: str, request: DrawRequest) -> Moved:
        """Draw a claim; raises ClaimMoved, AuthorizationChanged, or an EngineFault.

        Raises AuthorizationBehind where what was drawn before must first be recounted.
        """
        book, late = self._keys.book(payer), self._keys.late(payer)
        original = request.original or request.claim
        their = original.owner or request.owner
        names = [
            book.claim(request.claim.claim_id),
            book.ledger,
            book.claim(original.claim_id),
            book.waiting(request.owner),
            book.waiting(their),
            book.mark(request.marked),
            late.due,
            late.arrived(request.owner),
            late.arrived(their),
        ]
        answer = await self._steps.move(
            payer,
            self._draw,
            [
                *names,
                *self._accounts_of(payer, request.authorizations),
                *(book.claim(each.claim_id) for each in request.charges),
            ],
            lambda new: [write_draw(request, new, self._late()), request.record],
            Movement.of(
                request.occasion,
                {
                    request.claim.claim_id: request.owner,
                    original.claim_id: their,
                    **{each.claim_id: each.owner or request.owner for each in request.charges},
                },
                [*request.authorizations, *request.matched],
            ),
        )
        if answer["s"] == "stale":
            raise AuthorizationChanged(answer["a"])
        if answer["s"] == "behind":
            raise AuthorizationBehind(answer["a"])
        bounds = {name: drawn.bounds for name, drawn in request.plan.authorizations.items()}
        return read_moved(answer, bounds)

    async def change(
        self,
        payer: str,
        claim: ClaimState,
        rows: Sequence[HeldRow],
        status: str,
        occasion: Occasion,
    ) -> Moved:
        """Make a claim hold these rows, no more than it does; raises ClaimMoved, an EngineFault."""
        book, late = self._keys.book(payer), self._keys.late(payer)
        names = [
            book.claim(claim.claim_id),
            book.ledger,
            book.waiting(claim.owner),
            late.due,
            late.arrived(claim.owner),
        ]
        written = list(map(write_row, rows))
        request = write_change(claim, written, status, occasion, self._late())
        answer = await self._steps.move(
            payer,
            self._change,
            [*names, *self._accounts_of(payer, claim.authorizations)],
            lambda _: [request],
            Movement.of(occasion, {claim.claim_id: claim.owner}, claim.authorizations),
        )
        return read_moved(answer, {})

    def _accounts_of(self, payer: str, ids: Iterable[str]) -> list[str]:
        book = self._keys.book(payer)
        return [key for name in ids for key in (book.accounts(name), book.tokens(name))]

    async def amend(self, payer: str, amendment: Amendment, occasion: Occasion) -> bool:
        """Take the limits of a pushed version of what was drawn on; may be repeated.

        Tells whether that is done: a version that counts otherwise needs a recount before.
        """
        book = self._keys.book(payer)
        names = [book.accounts(amendment.authorization_id), book.ledger]
        request = write_amendment(amendment, occasion)
        answer = await self._steps.run(payer, self._amend, names, [request], NO_ROW)
        return bool(answer["s"] != "recount")

    async def recount(self, payer: str, request: RecountRequest) -> None:
        """Have claims hold what they do as a version counts it; raises ClaimMoved, EngineFault.

        ClaimMoved also where the accounts of an authorization were moved since they were read.
        """
        book = self._keys.book(payer)
        names = [
            book.ledger,
            *self._accounts_of(payer, [each.authorization_id for each in request.books]),
            *self._accounts_of(payer, request.beside),
            *(book.claim(claim.claim_id) for claim, _ in request.claims),
        ]
        claims = {claim.claim_id: claim.owner for claim, _ in request.claims}
        recounted = [each.authorization_id for each in request.books]
        movement = Movement.of(request.occasion, claims, recounted)
        await self._steps.move(
            payer, self._recount, names, lambda new: [write_recount(request, new)], movement
        )

    async def correct(self, payer: str, correction: Correction, occasion: Occasion) -> bool:
        """Correct what is used of an account; False where this correction was made before.

        Raises CorrectionRefused, AuthorizationChanged, or an EngineFault.
        """
        book, late = self._keys.book(payer), self._keys.late(payer)
        owner = book.owner(correction.owner)
        named = replace(correction, owner=owner)
        answer = await self._steps.move(
            payer,
            self._correct,
            [
                *self._accounts_of(payer, [correction.drawable.authorization_id]),
                book.ledger,
                book.waiting(owner),
                late.due,
                late.arrived(owner),
            ],
            lambda new: [write_correction(named, occasion, new, self._late())],
            replace(
                Movement.of(occasion, {}, [correction.drawable.authorization_id]), persons=(owner,)
            ),
        )
        if answer["s"] == "stale":
            raise AuthorizationChanged(answer["a"])
        if answer["s"] in ("other", "below", "above"):
            measure = _MEASURES.get(answer.get("a", ""))
            raise CorrectionRefused(measure, is_below=answer["s"] == "below")
        return bool(answer["s"] == "ok")

    async def drawn_on(self, payer: str, ids: Iterable[str]) -> set[str]:
        """Tell from which authorizations anything was ever drawn; what is at rest comes back.

        Of most that are pushed nothing was: they are asked for in one command.
        """
        book, wanted = self._keys.book(payer), list(dict.fromkeys(ids))
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            some = wanted[start : start + _KEYS_AT_ONCE]
            names = [*map(book.accounts, some), book.archived]
            with translated_errors():
                told: Any = await self._redis.eval(_EXISTING, len(names), *names)
            found |= {name: where for name, where in zip(some, told, strict=True) if where}
        absent = [name for name, where in found.items() if where == _MAY_REST]
        return set(found) - await self._archive.recall(payer, "accounts", absent)

    async def fields(self, payer: str, authorization_id: str) -> Mapping[str, str]:
        """Read the accounts of an authorization as they are stored; nothing if never drawn on."""
        return (await self._stored_accounts(payer, [authorization_id]))[authorization_id]

    async def accounts(self, payer: str, authorization_id: str) -> AccountsState:
        """Read the balances of an authorization."""
        return read_accounts(await self.fields(payer, authorization_id))

    async def accounts_of_all(self, payer: str, ids: Sequence[str]) -> dict[str, AccountsState]:
        """Read the balances of several authorizations in one round trip, if none is at rest."""
        stored = await self._stored_accounts(payer, ids)
        return {name: read_accounts(fields) for name, fields in stored.items()}

    async def over(self, payer: str, ids: Sequence[str]) -> frozenset[str]:
        """Tell which of these authorizations have less than nothing left of any account."""
        if not ids:
            return frozenset()
        found = await self.accounts_of_all(payer, ids)
        return frozenset(name for name, state in found.items() if is_over(state))

    async def committed(self, payer: str, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Sum the units used and reserved on each account of these authorizations, scaled."""
        stored = await self._stored_accounts(payer, ids)
        return {name: units_by_account(fields) for name, fields in stored.items()}

    async def balances(self, payer: str, wanted: Mapping[str, Iterable[str]]) -> Balances:
        """Read balances of accounts, by authorization, in one round trip where none is at rest."""
        await self._steps.guard.ensure(payer)
        stored = await self._stored_accounts(payer, list(wanted))
        if not all(stored.values()):  # of an emptied Redis nothing may be concluded
            await self._steps.guard.epoch.confirm(payer)
        return {
            (name, account): balances_in(stored[name], account)
            for name, accounts in wanted.items()
            for account in accounts
        }

    async def _stored_accounts(
        self, payer: str, ids: Sequence[str]
    ) -> dict[str, Mapping[str, str]]:
        found = await self._read_accounts(payer, ids)
        absent = [name for name, fields in found.items() if not fields]
        if not absent:
            return found
        back = set(absent) - await self._archive.recall(payer, "accounts", absent)
        return found | await self._read_accounts(payer, sorted(back))

    async def _read_accounts(self, payer: str, ids: Sequence[str]) -> dict[str, Mapping[str, str]]:
        book = self._keys.book(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for name in ids:
                pipeline.hgetall(book.accounts(name))
            return dict(zip(ids, await pipeline.execute(), strict=True))
