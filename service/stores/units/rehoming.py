"""Claims of a member that was merged: when they are drawn anew they go to the bucket of the new id.

A claim and the authorizations on which it draws are changed by one script, so they must be in one
bucket. The claim is closed in the old one first, then opened in the new one; the mark that says
where it is comes last. Whoever asks for a claim that is on its way completes this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from service.accounting.books.books import Home
from service.accounting.books.claim_state import ClaimState
from service.domain.person import Person
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import BucketKeys, KeyNames, Touch
from service.stores.connection.scripts import load_script, run_script
from service.stores.members.who import Members
from service.stores.units.elsewhere import bucket_in
from service.stores.units.hashes import read_claim_state

MOVES_MAX = 20

_TAKE_OVER = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
return 1
"""


class Rehoming:
    """Brings claims to where their person's claims are kept now."""

    def __init__(self, redis: RedisClient, keys: KeyNames, members: Members, touch: Touch) -> None:
        """Share the client; ``touch`` is told of every bucket that was written to."""
        self._redis = redis
        self._keys = keys
        self._members = members
        self._touch = touch
        self._depart = load_script(redis, "depart.lua")
        self._enter = load_script(redis, "enter.lua")

    async def owner_of(self, payer: str, claim_id: str) -> str | None:
        """Say under which member a claim is kept, after completing what stopped half-way."""
        for _ in range(MOVES_MAX):
            with translated_errors():
                owner: Any = await self._redis.get(self._keys.owner(payer, claim_id))
                if owner is None:
                    return None
                keys = self._keys.bucket(payer, bucket_in(owner))
                kept: Any = await self._redis.hmget(keys.claim(claim_id), ["to", "gone"])
            to, gone = kept
            if to is None:
                return str(owner)
            await self._open(payer, claim_id, owner, to, gone)
        raise EngineUnavailable("redis", "a claim goes from member to member")

    async def owners_of(self, payer: str, claims: Sequence[str]) -> list[str | None]:
        """Say the same of several claims: those that went nowhere are asked for together."""
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in claims:
                pipeline.get(self._keys.owner(payer, each))
            owners: list[str | None] = await pipeline.execute()
            pipeline = self._redis.pipeline(transaction=False)
            for name, owner in zip(claims, owners, strict=True):
                bucket = bucket_in(owner) if owner else 0
                pipeline.hexists(self._keys.bucket(payer, bucket).claim(name), "to")
            left: list[bool] = await pipeline.execute()
        return [
            await self.owner_of(payer, name) if has_left else owner
            for name, owner, has_left in zip(claims, owners, left, strict=True)
        ]

    async def is_of(self, payer: str, person: Person, owner: str) -> bool:
        """Whether a claim of this owner is one of the person, under any id."""
        for each in (person.member, person.given, *person.former):
            if self._keys.owned_by(payer, each) == owner:
                return (await self._members.person(payer, each)).member == person.member
        return False

    async def may_move(self, home: Home, claim: ClaimState) -> bool:
        """Whether all that a claim holds is counted in the new bucket, or went on from there."""
        there = self._there(home)
        for each in claim.authorizations:
            old = self._keys.bucket(home.payer, home.bucket).accounts(each)
            with translated_errors():
                kept: Any = await self._redis.hmget(old, ["st", "g"])
                state, grain = kept
                is_here = await self._redis.hexists(there.accounts(each), f"from:{grain}")
            if state != "moved" or not is_here:
                return False
        return True

    async def move(self, home: Home, claim: ClaimState) -> tuple[Home, ClaimState]:
        """Move a claim; raises ClaimMoved where it was changed since it was read."""
        there, claim_id = self._there(home), claim.claim_id
        to = self._owner(home)
        keys = self._keys.bucket(home.payer, home.bucket)
        request = {**_request(claim_id), "n": claim.sequence, "to": to, "m": home.owner}
        names = [keys.claim(claim_id), keys.ledger, keys.waiting(home.owner)]
        answer = await run_script(self._depart, names, [orjson.dumps(request)])
        self._touch(keys)
        await self._open(home.payer, claim_id, home.owner, answer["to"], answer["f"])
        with translated_errors():
            stored: Any = await self._redis.hgetall(there.claim(claim_id))
        return self.here(home), read_claim_state(claim_id, stored)

    def here(self, home: Home) -> Home:
        """Give the home of the person's claims."""
        return replace(
            home, bucket=self._there(home).number, owner=self._owner(home), is_apart=False
        )

    def as_if_moved(self, home: Home, claim: ClaimState) -> ClaimState:
        """Give a claim as it would be there, if it held nothing; for runs that write nothing."""
        entries = {
            version: _qualified(each, home.bucket) for version, each in claim.entries.items()
        }
        return replace(claim, sequence=0, rows=(), entries=entries)

    def _there(self, home: Home) -> BucketKeys:
        return self._keys.bucket_of(home.payer, _person(home).member)

    def _owner(self, home: Home) -> str:
        return self._keys.owned_by(home.payer, _person(home).member)

    async def _open(self, payer: str, claim_id: str, owner: str, to: str, gone: str) -> None:
        """Open a claim where it went, and say so."""
        bucket = bucket_in(owner)
        fields = dict(orjson.loads(gone))
        if fields:
            keys = self._keys.bucket(payer, bucket_in(to))
            request = orjson.dumps({**_request(claim_id), "m": to})
            given = orjson.dumps(sorted(_carried(fields, bucket).items()))
            names = [keys.claim(claim_id), keys.ledger, keys.waiting(to)]
            await run_script(self._enter, names, [request, given])
            self._touch(keys)
        with translated_errors():
            await self._redis.eval(_TAKE_OVER, 1, self._keys.owner(payer, claim_id), owner, to)


def _person(home: Home) -> Person:
    if home.person is None:
        raise ValueError("a home of nobody known")
    return home.person


def _carried(fields: Mapping[str, str], bucket: int) -> dict[str, str]:
    """Give the fields as they are elsewhere: entries of the ledger are named with their bucket."""
    carried = {
        name: _qualified(value, bucket) if name.startswith("e:") else value
        for name, value in fields.items()
    }
    return carried | {f"el:{bucket}": "1"}


def _qualified(entry: str, bucket: int) -> str:
    return entry if ":" in entry else f"{bucket}:{entry}"


def _request(claim_id: str) -> dict[str, Any]:
    return {"c": claim_id, "at": now(), "by": "", "why": "members were merged"}
