"""The units in a Redis Cluster: every step of accounting stays within one slot."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis as plain_redis

from authmatch_local import engines
from authmatch_local.engines.account import Account
from authmatch_local.engines.redis_server import redis_server
from service.access.sessions import Session, Sessions
from service.application.parts import Stores
from tests.ground import Ground, new_prefix, uninstall
from tests.late.office import office
from tests.movements import Mover, forget

SLOTS = 16_384
START_S = 30


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of one node: as strict about slots as a large one."""
    folder: Path = tmp_path_factory.mktemp("cluster")
    account = Account(uid=os.geteuid(), gid=os.getegid(), is_foreign=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1] % 50_000 + 2_000  # its bus listens 10,000 higher
    launch = redis_server(engines.default_cache(), account).launch(folder, port)
    command = [*launch.command, "--cluster-enabled", "yes", "--daemonize", "no"]
    server = subprocess.Popen(command, env=dict(launch.environment), cwd=folder)
    try:
        with plain_redis.Redis(port=port) as client:
            deadline = time.monotonic() + START_S
            while True:
                try:
                    client.execute_command("CLUSTER", "ADDSLOTS", *range(SLOTS))
                    break
                except plain_redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(START_S)
        shutil.rmtree(folder, ignore_errors=True)


def test_units_are_moved_copied_compared_and_rebuilt(
    ground: Ground, payer: str, cluster_url: str
) -> None:
    """The whole life of the accumulators."""
    changes = {"redis_url": cluster_url, "redis_cluster": True, "index_prefix": new_prefix()}
    own = Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)

    async def scenario(stores: Stores) -> None:
        await stores.installation.install()
        try:
            assert await stores.durability.check() == []
            for each in range(3):
                await Mover(stores, payer, member=f"M{each}").some_of_everything(each, steps=15)
            before = await stores.reconciliation.run([payer])
            assert [each for *_, each in before.differences] == []
            await forget(stores, payer)
            made = await stores.rebuilding.run([payer])
            assert made.digest == before.digest
            assert (await stores.reconciliation.run([payer])).digest == before.digest
            await late(own, payer)
        finally:
            await uninstall(stores)

    own.run(scenario)


async def late(own: Ground, payer: str) -> None:
    """An authorization that comes after its claim finds it, from queue to re-adjudication."""
    async with office(own, payer, late_authorizations="automatic") as desk:
        await desk.adjudicate()
        await desk.push()
        assert await desk.work() == ["automatic"]
        assert (await desk.queued(), await desk.waiting()) == (0, [])


def test_many_members_are_marked_and_asked_for_at_once(
    ground: Ground, payer: str, cluster_url: str
) -> None:
    """All keys of a payer are in one slot, and share a command."""
    changes = {"redis_url": cluster_url, "redis_cluster": True, "index_prefix": new_prefix()}
    own = Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)
    members = [f"M{each}" for each in range(60)]

    async def scenario(stores: Stores) -> None:
        await stores.installation.install()
        await stores.visibility.mark(payer, members)
        await stores.visibility.mark(payer, members[:30])
        book = stores.visibility.keys.book(payer)
        marks = [await stores.redis.get(book.mark(book.owner(each))) for each in members]
        assert marks == ["2"] * 30 + ["1"] * 30

        names = [f"A-{member}" for member in members]
        for name in names[::7]:
            await stores.redis.hset(book.accounts(name), mapping={"n": "1"})
        drawn = await stores.accumulators.drawn_on(payer, names)
        assert drawn == set(names[::7])
        await uninstall(stores)

    own.run(scenario)


def test_sessions_are_opened_found_and_ended(ground: Ground, cluster_url: str) -> None:
    """All keys of sessions are in one slot: those of a user end in one step."""
    changes = {"redis_url": cluster_url, "redis_cluster": True, "index_prefix": new_prefix()}
    own = Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)

    async def scenario(stores: Stores) -> None:
        of = Sessions(stores.sessions, secret=b"a secret", idle_s=60, whole_s=60)
        one = Session(name="jo", payers=("P1", "P2"))
        ids = [await of.open(one) for _ in range(3)]
        held = await of.look(ids[0])
        assert held is not None
        await of.choose(ids[0], held, "P2")
        assert await of.look(ids[0]) == replace(held, payer="P2")
        await of.end(ids[0])
        ticket = await of.ticket(one)
        assert [await of.by_ticket(ticket) for _ in range(2)] == [one, None]
        assert await stores.sessions.end_all("jo") == 2
        assert [await of.look(each) for each in ids] == [None] * 3

    own.run(scenario)
