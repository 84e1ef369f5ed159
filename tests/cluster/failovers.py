"""Failovers under load, and what they cost: `python -m tests.cluster.failovers ROUNDS REPLICAS`.

In each a replica hangs for a moment, then its primary dies, and what was on its way to the replica
dies with it; the replica takes over. Says what was acknowledged, and is lost or was drawn twice.
"""

import random
import signal
import sys
import time
from itertools import count

from authmatch_local import engines
from service.application.parts import Stores
from service.stores.ledger.epoch import AccumulatorsLost
from tests.api import service_process
from tests.api.claim_load import Load, approved, check, claims_of, members_of, own_ground, push
from tests.api.service_process import ServiceProcess
from tests.cluster.lab import RedisCluster, redis_cluster, wait_for
from tests.ground import Ground, settings_on, shipped_rules, uninstall

CLIENTS = 12
ANSWERED = 30
HANGS_S = 0.4
START_S = 240
"""Seven engines and a service share a machine."""


def say(line: str) -> None:
    """Tell whoever started it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fail_over(redis: RedisCluster, key: str) -> None:
    """Lose a primary, and what its replica does not have yet."""
    primary = redis.primary_of(key)
    replica = redis.replica_of(primary)
    with replica.paused():
        time.sleep(random.uniform(0, HANGS_S))
        primary.kill()
        replica.kill()
    replica.start()
    redis.ask(replica, "CLUSTER", "FAILOVER", "TAKEOVER")
    wait_for(lambda: redis.is_primary(replica), "taking over")
    redis.wait_until_whole()


def is_closed(own: Ground) -> bool:
    """Whether a book that lacks what was acknowledged was noticed; it is made anew then."""

    async def scenario(stores: Stores) -> bool:
        payer = own.settings.default_payer
        try:
            await stores.epoch.settle(payer)
        except AccumulatorsLost:
            await stores.rebuilding.run([payer], force=True)
            return True
        return False

    return own.run(scenario)


def rounds(own: Ground, redis: RedisCluster, number: int) -> None:
    """Fail over so many times, and say after each what there is."""
    payer, members = own.settings.default_payer, members_of("F")
    push(own, payer, members, 2_000_000)
    numbers, claims, units = count(), 0, 0
    lost, lost_units, closed, wrong = 0, 0, 0, 0
    replicas = str(own.settings.redis_replicas)
    with ServiceProcess(own.settings, workers=2) as service:
        for each in range(1, number + 1):
            with Load([service.url], claims_of(members, numbers), clients=CLIENTS) as load:
                load.wait_for(ANSWERED)
                fail_over(redis, f"{{{payer}}}")
                closed += is_closed(own)
                load.wait_for(ANSWERED)
            found = check(own, payer, load, members)
            told = {name: approved(given[0]) for name, given in load.answers.items()}
            claims += len(told)
            units += sum(told.values())
            lost += len(found["lost"])
            lost_units += sum(told[name] for name in found["lost"])
            wrong += len(load.wrong) + len(found["drawn_otherwise"])
            for what in (*load.wrong, *found["drawn_otherwise"]):
                say(f"wrong: {what}")
            say(
                f"{each} failovers, {replicas} replicas: {claims} claims and {units} units"
                f" acknowledged, {lost} and {lost_units} lost, noticed {closed} times,"
                f" {wrong} wrong or drawn twice, {len(found['differences'])} differences"
            )


def main(number: int, replicas: int) -> None:
    """Start what is needed, and end it, whoever ends this."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    service_process.START_S = START_S
    local = engines.using(engines.default_cache(), progress=say, heap_mb=512, home="tests")
    with local as single, redis_cluster(say) as redis:
        settings = settings_on(single.elasticsearch_url, redis.url)
        ground = Ground(settings=settings, rules=shipped_rules())
        own = own_ground(ground, redis_replicas=replicas, elasticsearch_timeout_s=10)
        try:
            rounds(own, redis, number)
        finally:
            redis.wait_until_whole()
            own.run(uninstall)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
