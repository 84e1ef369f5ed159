"""Draws a plan as it stands, and sees what a book holds before and after."""

from collections.abc import Callable
from typing import Any

import pytest

from service.accounting.books.books import DrawRequest, Moved, Occasion
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.plan import Bounds, ClaimPlan, Drawable, LinePlan, Part
from service.stores.connection.clients import RedisClient
from service.stores.connection.key_names import BookKeys
from service.stores.ledger.shelf_books import IN_KEYS
from tests.ground import Ground
from tests.movements import AT, Mover


def plan_of(part: Part, header: Bounds, line: Bounds | None = None, version: int = 1) -> ClaimPlan:
    """A claim of one line that may draw on A1: these are its limits."""
    drawable = Drawable(
        authorization_id="A1", version=version, bounds={"H": header, "L1": line or Bounds()}
    )
    return ClaimPlan(
        lines=(LinePlan(line=1, whole_only=False, parts=(part,)),),
        authorizations={"A1": drawable},
    )


async def draw(
    mover: Mover, plan: ClaimPlan, claim: ClaimState | None = None, *, dry: bool = False
) -> Moved:
    """Draw a plan for a claim that nobody has seen yet, or for one as it was read."""
    claim = claim or ClaimState(claim_id="C1")
    found = await mover.stores.accumulators.look_up(mover.payer, "C-0", mover.member)
    request = DrawRequest(
        claim=claim,
        version=claim.version + 1,
        fingerprint="fp",
        state="used",
        plan=plan,
        occasion=Occasion(kind="apply", at=AT),
        owner=claim.owner or found.owner,
        marked=found.owner,
        dry=dry,
    )
    return await mover.stores.accumulators.draw(mover.payer, request)


async def dump(redis: RedisClient, keys: BookKeys) -> dict[str, Any]:
    """Everything that a book holds."""
    read: dict[str, Callable[[str], Any]] = {
        "hash": redis.hgetall,
        "stream": redis.xrange,
        "string": redis.get,
        "list": lambda key: redis.lrange(key, 0, -1),
    }
    kinds = tuple(f"{keys.prefix}:{kind}" for kind in (*IN_KEYS.values(), "ledger", "recalled"))
    found = [str(key) async for key in redis.scan_iter(f"{keys.prefix}:*", count=10_000)]
    names = sorted(key for key in found if key.startswith(kinds))
    return {name: await read[str(await redis.type(name))](name) for name in names}


async def refused(mover: Mover, move: Callable[[], Any], fault: type[Exception]) -> None:
    """See to it that a movement is refused, and that nothing at all was written."""
    redis = mover.stores.redis
    before = await dump(redis, mover.keys)
    with pytest.raises(fault):
        await move()
    assert await dump(redis, mover.keys) == before


@pytest.fixture
def payer(ground: Ground, payer: str) -> str:
    """A payer whose books are not looked through at the end: claims here have no owners."""
    ground.spoiled.add(payer)
    return payer
