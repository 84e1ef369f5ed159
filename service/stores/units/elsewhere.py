"""Units that a claim holds of an authorization which went to another member.

They are counted in the bucket of that member. A claim is changed in its own bucket, in one step
that leaves a note of what it owes over there; the note is served here, as often as it takes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from service.accounting.books.books import Home
from service.accounting.books.claim_state import ClaimState
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.key_names import KeyNames, Touch
from service.stores.connection.scripts import load_script, run_script

MOVES_MAX = 50
"""So often at most an authorization is followed from member to member."""

_ON_ITS_WAY = "an authorization is on its way to another member: push its last version again"


class Elsewhere:
    """Gives back, or makes final, what a claim holds in buckets of other members."""

    def __init__(self, redis: RedisClient, keys: KeyNames, touch: Touch) -> None:
        """Share the client; ``touch`` is told of every bucket that was written to."""
        self._keys = keys
        self._touch = touch
        self._give_back = load_script(redis, "give_back.lua")
        self._confirm = load_script(redis, "confirm.lua")

    async def settle(self, home: Home, claim: ClaimState) -> ClaimState:
        """Serve all that a claim owes, oldest first; may be repeated. Raises EngineFault."""
        if not claim.owed:
            return claim
        buckets = set(claim.elsewhere)
        for number, owed in sorted(claim.owed.items()):
            served = {
                await self._serve(home.payer, claim, number, each) for each in orjson.loads(owed)
            }
            await self._drop(home, claim, number, served)
            buckets |= served
        return replace(claim, owed={}, elsewhere=tuple(sorted(buckets)))

    async def _serve(
        self, payer: str, claim: ClaimState, number: int, owed: Mapping[str, Any]
    ) -> int:
        """Serve what is owed to one authorization, wherever it is now; gives the bucket."""
        wanted = {**owed, "c": claim.claim_id, "v": str(claim.version), "n": number}
        request, bucket = orjson.dumps(wanted), bucket_in(owed["to"])
        for _ in range(MOVES_MAX):
            keys = self._keys.bucket(payer, bucket)
            names = [keys.accounts(owed["a"]), keys.tokens(owed["a"]), keys.ledger]
            answer = await run_script(self._give_back, names, [request])
            if answer["s"] in ("ok", "done"):
                self._touch(keys)
                return bucket
            if answer["s"] != "gone":
                break
            bucket = bucket_in(answer["to"])
        raise EngineUnavailable("redis", _ON_ITS_WAY)

    async def _drop(self, home: Home, claim: ClaimState, number: int, served: set[int]) -> None:
        keys = self._keys.bucket(home.payer, home.bucket)
        request = {
            "c": claim.claim_id,
            "v": str(claim.version),
            "n": number,
            "el": list(map(str, sorted(served))),
            "at": now(),
        }
        names = [keys.claim(claim.claim_id), keys.ledger]
        await run_script(self._confirm, names, [orjson.dumps(request)])
        self._touch(keys)


def bucket_in(owner: str) -> int:
    """Read the bucket out of what names a member without telling who it is."""
    return int(owner.partition(":")[0])
