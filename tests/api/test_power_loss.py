"""The power fails under Redis: what was answered is on the disk, and nothing else was.

A kill alone does not show that: what a killed program wrote is still in the system's cache.
"""

import logging
import random
import time
from itertools import count
from pathlib import Path

import pytest

from service.application.parts import Stores
from service.stores.connection.durability import NotDurable
from tests.api.claim_load import (
    Load,
    check,
    claims_of,
    held_to,
    members_of,
    own_ground,
    push,
)
from tests.ground import Ground, uninstall
from tests.redis_process import RedisProcess, compiled_shim, compiler
from tests.serving import serving

log = logging.getLogger(__name__)

pytestmark = pytest.mark.skipif(
    compiler() is None, reason="needs a C compiler on Linux, to know what was on the disk"
)

ROUNDS = 2
ROUNDS_LONG = 50
ROUNDS_OF_THE_WEAK = 5
CLIENTS = 16
UNITS = 2_000_000
PER_ROUND = 40
AFTER_S = 0.3
SYNCED_S = 20


def outage(redis: RedisProcess, load: Load) -> int:
    """Let the power fail in the middle of claims, and come back; gives how many bytes are gone."""
    load.wait_for(PER_ROUND)
    time.sleep(random.uniform(0, AFTER_S))
    gone = redis.cut_power()
    redis.start()
    return gone


@pytest.mark.parametrize(
    "rounds",
    [ROUNDS, pytest.param(ROUNDS_LONG, marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
)
def test_an_answered_claim_outlives_an_outage(ground: Ground, tmp_path: Path, rounds: int) -> None:
    """With the settings that the project demands, every claim is there, once."""
    with RedisProcess(tmp_path, shim=compiled_shim(tmp_path)) as redis:
        own, members = own_ground(ground, redis_url=redis.url), members_of("P")
        push(own, own.settings.default_payer, members, UNITS)
        try:
            claims = claims_of(members, count())
            with serving(own.settings) as url, Load([url], claims, clients=CLIENTS) as load:
                for _ in range(rounds):
                    outage(redis, load)
                load.wait_for(PER_ROUND)
            held_to(own, load, members)
        finally:
            own.run(uninstall)


@pytest.mark.long
def test_an_outage_costs_claims_where_redis_syncs_once_a_second(
    ground: Ground, tmp_path: Path
) -> None:
    """So this test can fail; and so such a Redis is not used, unless that is allowed."""
    with RedisProcess(tmp_path, shim=compiled_shim(tmp_path), appendfsync="everysec") as redis:
        own = own_ground(ground, redis_url=redis.url, allow_weak_redis=True)
        members, payer = members_of("W"), own.settings.default_payer
        push(own, payer, members, UNITS)
        try:
            assert_not_used(own)
            lost: list[str] = []
            with serving(own.settings) as url:
                for number in range(ROUNDS_OF_THE_WEAK):
                    lost += lost_in_an_outage(own, redis, url, members, number)
                    if lost:
                        break
            assert lost, "no claim was ever lost: then the outage is not one"
        finally:
            own.run(uninstall)


def assert_not_used(own: Ground) -> None:
    """A service that is not allowed to use a weak Redis moves nothing in it."""
    strict = own.settings.model_copy(update={"allow_weak_redis": False})

    async def scenario(stores: Stores) -> None:
        with pytest.raises(NotDurable, match="appendfsync is everysec"):
            await stores.guard.ensure(own.settings.default_payer)

    Ground(settings=strict, rules=own.rules).run(scenario)


def lost_in_an_outage(
    own: Ground, redis: RedisProcess, url: str, members: list[str], number: int
) -> list[str]:
    """Give the claims that were answered before an outage and are not there after it."""
    first = Load([url], claims_of(members, range(number * 1000, number * 1000 + 1)), clients=1)
    first.run()  # makes the mark of the accumulators, which must outlive the outage
    deadline = time.monotonic() + SYNCED_S
    while not redis.is_synced():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    claims = claims_of(members, count(number * 1000 + 1))
    with Load([url], claims, clients=CLIENTS) as load:
        gone = outage(redis, load)
    assert load.wrong == []
    found: list[str] = check(own, own.settings.default_payer, load, members)["lost"]
    log.info("%d bytes gone, %d of %d answered claims lost", gone, len(found), len(load.answers))
    return found
