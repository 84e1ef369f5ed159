"""The accumulators in Redis: what is used and reserved of every authorization, and by which claim.

Everything that a claim moves is moved by one script, all or nothing; see ``scripts/books.lua``.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.accounting.books import (
    Amendment,
    AuthorizationChanged,
    DrawRequest,
    Home,
    Moved,
    Occasion,
)
from service.accounting.claim_state import ClaimState
from service.accounting.rows import HeldRow, write_row
from service.accounting.statement import AccountsState
from service.stores.book_scripts import SCRIPTS, load_script, run_script
from service.stores.clients import RedisClient
from service.stores.elsewhere import Elsewhere
from service.stores.faults import translated_errors
from service.stores.hashes import read_accounts, read_claim_state, units_by_account
from service.stores.movements import (
    read_moved,
    write_amendment,
    write_change,
    write_draw,
)
from service.stores.names import BucketKeys, KeyNames
from service.stores.projection import Touch
from service.stores.visibility import Visibility

__all__ = ["SCRIPTS", "Accumulators"]


class Accumulators:
    """Reads and moves units; every call is one step in Redis, or a fault and nothing moved."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        visibility: Visibility,
        touch: Touch = lambda _: None,
    ) -> None:
        """Share the stores; ``touch`` is told of buckets of other members that were written to."""
        self._redis = redis
        self._keys = keys
        self._visibility = visibility
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
        with translated_errors():
            owner: Any = await self._redis.get(self._keys.owner(payer, claim_id))
        if owner is None:
            return None
        return Home(payer=payer, bucket=int(owner.partition(":")[0]), owner=owner)

    async def look_up(
        self, payer: str, claim_id: str, member: str, *, dry: bool = False
    ) -> tuple[Home, ClaimState]:
        """Keep a claim under its member (unless ``dry``); give where it is and what it holds.

        The first member under whom a claim is sent keeps it. When this returns, what was pushed for
        the member can be found: asking both at once saves a round trip.
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
            for each in self._visibility.keys_of(payer, member):
                pipeline.get(each)
            *_, owner, stored, mark, visible = await pipeline.execute()
        await self._visibility.see(mark, visible)
        home = Home(
            payer=payer,
            bucket=keys.number,
            owner=mine,
            is_of_member=owner in (None, mine),
        )
        claim = read_claim_state(claim_id, stored)
        return home, claim if dry else await self._elsewhere.settle(home, claim)

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
        for each in request.authorizations:
            names += [keys.accounts(each), keys.tokens(each)]
        answer = await run_script(self._draw, names, [write_draw(request), request.record])
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
        names = [keys.claim(claim.claim_id), keys.ledger]
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
        homes = [self._keys.bucket_of(payer, each.member) for each in amendments]
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for keys, each in zip(homes, amendments, strict=True):
                pipeline.exists(keys.accounts(each.authorization_id))
            known = await pipeline.execute()
        for keys, each, is_known in zip(homes, amendments, known, strict=True):
            if not is_known:
                continue
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
