"""Servers of a Redis Cluster are killed under load: what was answered is there, once."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.api.claim_load import Load, claims_of, held_to, members_of, own_ground, push
from tests.api.service_process import ServiceProcess
from tests.cluster.lab import RedisCluster, wait_for
from tests.ground import Ground, uninstall

pytestmark = pytest.mark.cluster

CLIENTS = 12
UNITS = 2_000_000
ROUND = 40


@pytest.fixture
def own(ground: Ground) -> Iterator[Ground]:
    """A payer of the test alone, with units enough, whose movements a replica must have."""
    made = own_ground(ground, redis_replicas=1, elasticsearch_timeout_s=10)
    yield made
    made.run(uninstall)


def service_on(own: Ground, workers: int = 2) -> ServiceProcess:
    """A service as it is run: several workers, on a cluster."""
    return ServiceProcess(own.settings, workers=workers)


def test_a_killed_primary_costs_no_answered_claim(own: Ground, redis: RedisCluster) -> None:
    """Its replica takes over; callers see answers or 503, and it comes back as a replica."""
    payer, members = own.settings.default_payer, members_of("P")
    push(own, payer, members, UNITS)
    with (
        service_on(own) as service,
        Load([service.url], claims_of(members, count()), clients=CLIENTS) as load,
    ):
        for _ in range(2):
            load.wait_for(ROUND)
            primary = redis.primary_of(f"{{{payer}}}")
            replica = redis.replica_of(primary)
            primary.kill()
            load.wait_until_unavailable()
            wait_for(lambda replica=replica: redis.is_primary(replica), "taking over")  # type: ignore[misc]
            primary.start()  # without it no replica would have what is moved
            load.wait_for(ROUND)
            redis.wait_until_whole()
    assert load.cut_off == {}
    held_to(own, load, members)


def test_a_primary_that_hangs_is_waited_for_once(own: Ground, redis: RedisCluster) -> None:
    """It answers nothing for a while; when it goes on it finds that another took over."""
    payer, members = own.settings.default_payer, members_of("H")
    push(own, payer, members, UNITS)
    with (
        service_on(own) as service,
        Load([service.url], claims_of(members, count()), clients=CLIENTS) as load,
    ):
        load.wait_for(ROUND)
        primary = redis.primary_of(f"{{{payer}}}")
        replica = redis.replica_of(primary)
        with primary.paused():
            load.wait_until_unavailable()
            wait_for(lambda: redis.is_primary(replica), "taking over")
        load.wait_for(ROUND)
        redis.wait_until_whole()
    assert load.cut_off == {}
    held_to(own, load, members)
