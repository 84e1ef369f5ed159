"""Keeps the accumulators in step with what is pushed: the member, and the limits.

Balances follow an authorization to another member before it can be found there. Each bucket in
which it may have been used is closed first; then all that was in them is taken in by that of the
member. Each step is done once, whoever repeats it; a push that was overtaken does nothing more.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.stores.authorizations.amendment import amend_limits
from service.stores.authorizations.arrival import Arrival
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.key_names import BucketKeys, KeyNames, Touch
from service.stores.connection.scripts import load_script, run_script
from service.stores.ledger.guard import Guard
from service.stores.units.accumulators import Accumulators

_AT_ONCE = 32

_FENCE = frozenset({"id", "n", "v", "mo", "st", "to", "g"})
"""Fields of accounts in which nothing was ever used."""


class Balances:
    """Carries balances from former members to the member of a push, and takes its limits."""

    def __init__(
        self,
        redis: RedisClient,
        keys: KeyNames,
        accumulators: Accumulators,
        guard: Guard,
        touch: Touch,
    ) -> None:
        """Share the other stores; ``touch`` is told of every bucket that was written to."""
        self._keys = keys
        self._accumulators = accumulators
        self._guard = guard
        self._touch = touch
        self._leave = load_script(redis, "leave.lua")
        self._arrive = load_script(redis, "arrive.lua")

    async def carry(self, payer: str, arrived: Sequence[Arrival]) -> None:
        """Bring balances to the member of each; may be repeated. Raises EngineFault.

        Most pushes change no member: they ask nothing of Redis here.
        """
        moving = [each for each in arrived if each.may_have_left]
        if moving:
            await self._guard.ensure()
        for start in range(0, len(moving), _AT_ONCE):
            some = moving[start : start + _AT_ONCE]
            done = await asyncio.gather(
                *(self._carry(payer, each) for each in some), return_exceptions=True
            )
            for fault in filter(None, done):
                raise fault

    async def amend(self, payer: str, arrived: Sequence[Arrival]) -> None:
        """Take the limits of those that were stored; may be repeated, older ones do nothing."""
        await amend_limits(self._accumulators, payer, arrived)

    async def _carry(self, payer: str, arrival: Arrival) -> None:
        target = self._keys.bucket_of(payer, arrival.member)
        homes = {
            each.number: each
            for each in (self._keys.bucket_of(payer, member) for member in arrival.former_members)
            if each.number != target.number
        }
        left = []
        for home in homes.values():
            snapshot = await self.leave(home, arrival)
            if snapshot is None:
                return
            left.append(snapshot)
        await self.arrive(target, arrival, [each for each in left if _has_content(each)])

    async def leave(self, keys: BucketKeys, arrival: Arrival) -> Mapping[str, Any] | None:
        """Close the accounts in one bucket; gives what they hold, None to a push overtaken."""
        request = {
            **_request(arrival),
            "to": self._keys.owned_by(keys.payer, arrival.member),
            "o": str(keys.number),
        }
        answer = await run_script(self._leave, _names(keys, arrival.id), [orjson.dumps(request)])
        if answer["s"] == "older":
            return None
        self._touch(keys)
        return {"g": answer["g"], "f": orjson.loads(answer["f"]), "t": orjson.loads(answer["t"])}

    async def arrive(
        self, keys: BucketKeys, arrival: Arrival, left: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take in what left other buckets, and open the accounts where they were closed."""
        arguments = [orjson.dumps(_request(arrival)), orjson.dumps(left)]
        await run_script(self._arrive, _names(keys, arrival.id), arguments)
        self._touch(keys)


def _request(arrival: Arrival) -> dict[str, Any]:
    return {
        "a": arrival.id,
        "v": arrival.fence or arrival.version,
        "mo": arrival.moves,
        "at": now(),
        "by": "",
        "why": "another member",
    }


def _names(keys: BucketKeys, authorization_id: str) -> list[str]:
    return [keys.accounts(authorization_id), keys.tokens(authorization_id), keys.ledger]


def _has_content(left: Mapping[str, Any]) -> bool:
    return bool(left["t"]) or any(field not in _FENCE for field, _ in left["f"])
