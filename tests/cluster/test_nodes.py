"""Nodes of Elasticsearch are killed, or restarted, under load: never "no match", nothing lost."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from service.application.maintenance import readiness
from service.application.parts import application
from service.stores.connection.faults import EngineUnavailable
from tests.api.bodies import authorization_body, claim_body
from tests.api.service_process import ServiceProcess
from tests.api.test_killed_engine import Load, chosen_in
from tests.cluster.lab import READY_S, Member, SearchCluster, wait_for
from tests.ground import Ground
from tests.serving import client_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

BACK_S = 30
"""So long after a node has died everything is answered again."""
MORE = 20
"""So many answers more are waited for, however slow the machine is that runs all of this."""


@pytest.fixture
def url(ground: Ground) -> Iterator[str]:
    """A service of two workers on both clusters."""
    with ServiceProcess(ground.settings, workers=2) as service:
        yield service.url


def goes_on(load: Load) -> None:
    """See to it that matches are answered and pushes stored again, in time and by themselves."""
    right, stored = load.right, load.stored
    for more, seconds in ((1, BACK_S), (MORE, READY_S)):

        def does(more: int = more) -> bool:
            assert load.wrong == []
            return load.right >= right + more and load.stored >= stored + more

        try:
            wait_for(does, "answers", seconds)
        except AssertionError as error:
            told = (load.right - right, load.stored - stored, load.unavailable)
            raise AssertionError(f"right, stored and unavailable: {told}") from error


@pytest.mark.parametrize("end", [Member.kill, Member.leave], ids=["killed", "restarted"])
def test_a_node_that_goes_costs_no_wrong_answer_and_no_push(
    url: str, search: SearchCluster, end: Callable[[Member], None]
) -> None:
    """Each of the three, one after the other, the one that is named first, too."""
    with client_of(url) as client:
        assert client.put("/authorizations/A1", json=authorization_body()).status_code == 201
        with Load(url) as load:
            for node in search.nodes:
                goes_on(load)
                end(node)
                goes_on(load)
                node.start()
                search.wait_until_whole()
        assert load.wrong == []
        assert len(load.acknowledged) > 6 * MORE
        wait_for(
            lambda: client.get("/health/ready").json()["outbox"] == "empty", "an empty outbox", 60
        )
        for name in sorted(load.acknowledged):
            answer = client.post("/match", json=claim_body(member={"id": name}))
            assert chosen_in(answer) == [name]


def test_an_index_that_is_red_is_told_and_never_read_as_empty(
    ground: Ground, search: SearchCluster
) -> None:
    """Two of three nodes are there, but a shard without copies was on the third."""
    prefix = ground.settings.index_prefix
    alone = {"index.auto_expand_replicas": False, "index.number_of_replicas": 0}
    index = f"{prefix}authorizations-v1"
    search.ask(f"/{index}/_settings", method="PUT", json=alone)
    shards = search.ask(f"/_cat/shards/{index}?format=json")
    lost = next(each for each in search.nodes if each.kind.name == shards[0]["node"])

    async def scenario() -> str:
        async with application(ground.settings, rules=ground.rules) as parts:
            lost.kill()
            deadline = time.monotonic() + BACK_S
            while True:
                try:
                    await readiness(parts)
                except EngineUnavailable as fault:
                    if "a part of the index" in fault.reason:
                        break
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            return (await parts.stores.inspection.elasticsearch()).health

    assert asyncio.run(scenario()) == "red"
    lost.start()
    search.wait_until_whole()
