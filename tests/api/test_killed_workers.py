"""The service, and Redis, are killed in the middle of claims: what was answered is there, once."""

import random
import time
from itertools import count
from pathlib import Path

import pytest

from tests.api.claim_load import Load, claims_of, held_to, members_of, own_ground, push
from tests.api.service_process import ServiceProcess
from tests.ground import Ground, uninstall
from tests.redis_process import RedisProcess
from tests.serving import serving

ROUNDS = 2
ROUNDS_LONG = 50
CLIENTS = 16
UNITS = 2_000_000
PER_ROUND = 40
AFTER_S = 0.3
ROUNDS_OF = [
    ROUNDS,
    pytest.param(ROUNDS_LONG, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
]


@pytest.mark.parametrize("rounds", ROUNDS_OF)
def test_a_killed_service_loses_no_claim_and_draws_none_twice(ground: Ground, rounds: int) -> None:
    """Two services share the claims; one after the other is killed, and callers go to the other."""
    own, members = own_ground(ground), members_of("K")
    push(own, own.settings.default_payer, members, UNITS)
    try:
        with ServiceProcess(own.settings) as first, ServiceProcess(own.settings) as second:
            claims = claims_of(members, count())
            with Load([first.url, second.url], claims, clients=CLIENTS) as load:
                for number in range(rounds):
                    killed = (first, second)[number % 2]
                    load.wait_for(PER_ROUND)
                    time.sleep(random.uniform(0, AFTER_S))
                    killed.kill()
                    killed.start()
                    killed.wait_until_ready()
        assert load.cut_off.total() >= rounds
        held_to(own, load, members)
    finally:
        own.run(uninstall)


@pytest.mark.parametrize("rounds", ROUNDS_OF)
def test_a_killed_redis_keeps_every_answered_claim(
    ground: Ground, tmp_path: Path, rounds: int
) -> None:
    """Callers see answers or 503, never anything else; afterwards all goes on by itself."""
    with RedisProcess(tmp_path) as redis:
        own, members = own_ground(ground, redis_url=redis.url), members_of("R")
        push(own, own.settings.default_payer, members, UNITS)
        try:
            claims = claims_of(members, count())
            with serving(own.settings) as url, Load([url], claims, clients=CLIENTS) as load:
                for number in range(rounds):
                    load.wait_for(PER_ROUND)
                    time.sleep(random.uniform(0, AFTER_S))
                    redis.kill()
                    if number % 2:  # else it is back before anybody has to be told
                        load.wait_until_unavailable()
                    redis.start()
                load.wait_for(PER_ROUND)
            assert load.cut_off == {}
            assert load.unavailable > 0
            held_to(own, load, members)
        finally:
            own.run(uninstall)
