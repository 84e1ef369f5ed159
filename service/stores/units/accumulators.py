"""The accumulators in Redis: what is used and reserved of every authorization, and by which claim.

Everything that a claim moves is moved by one script, all or nothing; see ``scripts/books.lua``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from service.accounting.answers.statement import AccountsState
from service.accounting.books.books import (
    Amendment,
    AuthorizationChanged,
    DrawRequest,
    Home,
    Moved,
    Occasion,
)
from service.accounting.books.claim_state import RELEASED, RESERVED, REVERSED, ClaimState
from service.accounting.books.rows import HeldRow, write_row
from service.domain.person import Person
from service.stores.connection.clients import RedisClient, together
from service.stores.connection.clock import now
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import BucketKeys, KeyNames, Touch
from service.stores.connection.scripts import SCRIPTS, load_script, run_script
from service.stores.members.who import Members
from service.stores.units.elsewhere import Elsewhere, bucket_in
from service.stores.units.hashes import read_accounts, read_claim_state, units_by_account
from service.stores.units.movements import (
    read_moved,
    write_amendment,
    write_change,
    write_draw,
)
from service.stores.units.rehoming import Rehoming

__all__ = ["SCRIPTS", "Accumulators"]


class Accumulators:
    """Reads and moves units; every call is one step in Redis, or a fault and nothing moved."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        members: Members,
        touch: Touch = lambda _: None,
    ) -> None:
        """Share the stores; ``touch`` is told of buckets of other members that were written to."""
        self._redis = redis
        self._keys = keys
        self._members = members
        self._rehoming = Rehoming(redis, keys, members, touch)
        self._elsewhere = Elsewhere(redis, keys, touch)
        self._draw, self._change, self._amend = (
            load_script(redis, name) for name in ("claim.lua", "change.lua", "amend.lua")
        )

    def keys_of(self, home: Home) -> BucketKeys:
        """Name the keys of a claim's home."""
        return self._keys.bucket(home.payer, home.bucket)

    def buckets_of(self, home: Home, claim: ClaimState) -> list[BucketKeys]:
        """Name the keys of all buckets in which a claim moved something."""
        numbers = dict.fromkeys((home.bucket, *claim.elsewhere))
        return [self._keys.bucket(home.payer, each) for each in numbers]

    def bucket_of(self, payer: str, member: str) -> BucketKeys:
        """Name the keys of the bucket in which a member's units are kept."""
        return self._keys.bucket_of(payer, member)

    async def home_of(self, payer: str, claim_id: str) -> Home | None:
        """Say where a claim is kept; None when it was never adjudicated."""
        return (await self.homes_of(payer, [claim_id]))[0]

    async def homes_of(self, payer: str, claims: Sequence[str]) -> list[Home | None]:
        """Say where claims are kept; None for those that were never adjudicated."""
        return [
            None if owner is None else Home(payer=payer, bucket=bucket_in(owner), owner=owner)
            for owner in await self._rehoming.owners_of(payer, claims)
        ]

    async def look_up(
        self, payer: str, claim_id: str, member: str, *, dry: bool = False
    ) -> tuple[Home, ClaimState]:
        """Keep a claim under its member (unless ``dry``); give where it is and what it holds.

        The first member under whom a claim is sent keeps it. When this returns, what was pushed for
        the member can be found: asking both at once saves a round trip. So does asking whether the
        member was ever merged.
        """
        mine = self._keys.owned_by(payer, member)
        keys = self._keys.bucket_of(payer, member)
        key = self._keys.owner(payer, claim_id)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            if not dry:
                pipeline.set(key, mine, nx=True)
            pipeline.get(key)
            pipeline.hgetall(keys.claim(claim_id))
            self._members.visibility.ask(pipeline, payer, member)
            pipeline.hmget(*self._members.copies.asked(payer, member))
            *_, owner, stored, asked, visible, merged = await pipeline.execute()
        if not self._members.was_never_merged(merged):
            return await self._look_up_merged(payer, claim_id, member, dry=dry)
        await self._members.visibility.see(payer, (member,), asked, visible)
        home = Home(
            payer=payer,
            bucket=keys.number,
            owner=mine,
            is_of_member=owner in (None, mine),
            last_push=asked[1] or "",
            person=Person.of(member),
        )
        claim = read_claim_state(claim_id, stored)
        return home, claim if dry else await self._elsewhere.settle(home, claim)

    async def _look_up_merged(
        self, payer: str, claim_id: str, member: str, *, dry: bool
    ) -> tuple[Home, ClaimState]:
        """Look a claim up for a person of several ids: it may be kept under any of them."""
        person = await self._members.person(payer, member)
        mine = self._keys.owned_by(payer, person.member)
        owner = await self._rehoming.owner_of(payer, claim_id) or mine
        is_apart = bucket_in(owner) != bucket_in(mine)
        home = Home(
            payer=payer,
            bucket=bucket_in(owner),
            owner=owner,
            is_apart=is_apart,
            is_of_member=owner == mine or await self._rehoming.is_of(payer, person, owner),
            # Of the member under whom it is drawn; read before anything is looked for.
            last_push=await self._last_push(payer, mine if is_apart else owner),
            person=person,
        )
        await self._members.visibility.ensure(payer, *person.ids)
        if not home.is_of_member:
            return home, ClaimState(claim_id=claim_id)
        claim = await self.read_claim(home, claim_id)
        if claim.is_known or not home.is_apart:
            return home, claim
        # Never drawn: it is closed under the old id, where another worker may be about to draw it.
        return (self._rehoming.here(home), claim) if dry else await self.bring_home(home, claim)

    async def _last_push(self, payer: str, owner: str) -> str:
        with translated_errors():
            mark = await self._redis.get(self._keys.bucket(payer, bucket_in(owner)).mark(owner))
        return str(mark or "")

    async def find_claim(self, home: Home, claim_id: str) -> tuple[Home, ClaimState] | None:
        """Give another claim of the same person and its home; None where there is none."""
        there = await self.home_of(home.payer, claim_id)
        if there is None:
            return None
        person = home.person
        if there.owner != home.owner and not (
            person and await self._rehoming.is_of(home.payer, person, there.owner)
        ):
            return None
        there = replace(there, person=person, is_apart=there.bucket != home.bucket)
        return there, await self.read_claim(there, claim_id)

    async def bring_home(
        self, home: Home, claim: ClaimState, *, dry: bool = False
    ) -> tuple[Home, ClaimState]:
        """Bring a claim that is kept apart to where its person's claims are drawn.

        What it holds of an authorization that went elsewhere is given back first, unless ``dry``.
        """
        if not home.is_apart:
            return home, claim
        if not await self._rehoming.may_move(home, claim):
            if dry:
                return self._rehoming.here(home), self._rehoming.as_if_moved(home, claim)
            status = RELEASED if claim.status == RESERVED else REVERSED
            why = "members were merged"
            occasion = Occasion(kind="release", at=now(), why=why)
            await self.change(home, claim, (), status, occasion)
            claim = await self.read_claim(home, claim.claim_id)
        return await self._rehoming.move(home, claim)

    async def read_claim(self, home: Home, claim_id: str) -> ClaimState:
        """Give what a claim holds, and which of its versions were answered.

        What it still owes in buckets of other members is served first; so it is by ``look_up``.
        """
        with translated_errors():
            stored: Any = await self._redis.hgetall(self.keys_of(home).claim(claim_id))
        return await self._elsewhere.settle(home, read_claim_state(claim_id, stored))

    async def draw(self, home: Home, request: DrawRequest) -> Moved:
        """Draw a claim; raises ClaimMoved, AuthorizationChanged, or an EngineFault."""
        keys = self.keys_of(home)
        claim = keys.claim(request.claim.claim_id)
        original = keys.claim(request.original.claim_id) if request.original else claim
        names = [claim, keys.ledger, original]
        names += [keys.waiting(request.owner), keys.mark(request.owner)]
        for each in request.authorizations:
            names += [keys.accounts(each), keys.tokens(each)]
        arguments: list[bytes | str] = [write_draw(request, home.last_push), request.record]
        if request.waiting.is_possible:
            arguments.append(request.waiting.sent)
        answer = await run_script(self._draw, names, arguments)
        if answer["s"] == "stale":
            raise AuthorizationChanged(answer["a"])
        if not request.dry:
            drawn = replace(request.claim, version=request.version)
            await self._settle(home, drawn, answer.get("ow"))
            if request.original:
                await self._settle(home, request.original, answer.get("oow"))
        bounds = {name: each.bounds for name, each in request.plan.authorizations.items()}
        return read_moved(answer, bounds)

    async def change(
        self,
        home: Home,
        claim: ClaimState,
        rows: Sequence[HeldRow],
        status: str,
        occasion: Occasion,
    ) -> Moved:
        """Make a claim hold these rows, no more than it does; raises ClaimMoved, an EngineFault."""
        keys = self.keys_of(home)
        names = [keys.claim(claim.claim_id), keys.ledger, keys.waiting(home.owner)]
        for each in claim.authorizations:
            names += [keys.accounts(each), keys.tokens(each)]
        request = write_change(claim, list(map(write_row, rows)), status, occasion, home.owner)
        answer = await run_script(self._change, names, [request])
        await self._settle(home, claim, answer.get("ow"))
        return read_moved(answer, {})

    async def _settle(self, home: Home, claim: ClaimState, owed: str | None) -> None:
        """Serve at once what a step of a claim left to be changed in buckets of other members."""
        if owed is not None:
            await self._elsewhere.settle(home, replace(claim, owed={claim.sequence + 1: owed}))

    async def amend(self, payer: str, amendments: Sequence[Amendment], occasion: Occasion) -> None:
        """Take the limits of pushed versions where anything was ever drawn; may be repeated."""
        drawn = await self.drawn_on(
            payer, [(each.member, each.authorization_id) for each in amendments]
        )
        for each in amendments:
            if each.authorization_id not in drawn:
                continue
            keys = self._keys.bucket_of(payer, each.member)
            request = write_amendment(
                each.authorization_id,
                each.version,
                is_void=each.is_void,
                bounds=each.bounds,
                occasion=occasion,
            )
            await run_script(
                self._amend, [keys.accounts(each.authorization_id), keys.ledger], [request]
            )

    async def drawn_on(self, payer: str, homes: Iterable[tuple[str, str]]) -> set[str]:
        """Give the authorizations, named by member and id, from which anything was ever drawn.

        Of most that are pushed nothing was: they are asked for in one command.
        """
        keys = {each: self._keys.bucket_of(payer, member).accounts(each) for member, each in homes}
        found = await self._exist(together(self._redis, keys), keys)
        some = [[each] for group, count in found for each in group if count]
        return {each for (each,), count in await self._exist(some, keys) if count}

    async def _exist(
        self, groups: Sequence[list[str]], keys: Mapping[str, str]
    ) -> list[tuple[list[str], int]]:
        """Tell of each group of keys how many there are."""
        if not groups:
            return []
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for group in groups:
                pipeline.exists(*(keys[each] for each in group))
            counts: list[int] = await pipeline.execute()
        return list(zip(groups, counts, strict=True))

    async def accounts(self, payer: str, member: str, authorization_id: str) -> AccountsState:
        """Give the balances of an authorization of a member."""
        keys = self._keys.bucket_of(payer, member)
        with translated_errors():
            stored: Any = await self._redis.hgetall(keys.accounts(authorization_id))
        return read_accounts(stored)

    async def committed(self, home: Home, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Give the units used and reserved on each account of these authorizations, scaled."""
        keys = self.keys_of(home)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in ids:
                pipeline.hgetall(keys.accounts(each))
            stored: Any = await pipeline.execute()
        return {name: units_by_account(each) for name, each in zip(ids, stored, strict=True)}
