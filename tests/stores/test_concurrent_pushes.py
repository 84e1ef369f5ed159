"""Several workers push versions of the same authorizations at once, in any order, and twice."""

import asyncio
from random import Random
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of

IDS, VERSIONS, WORKERS = 4, 6, 4
MEMBERS = ("M0001", "M0002")


def drawn(rng: Random) -> list[Pushed]:
    """Versions of some authorizations, shuffled, a third of them twice; members change."""
    pushed = [
        version_of(
            version,
            authorization_id=f"A{name}",
            number=f"N-{name}-{version}",
            member={"id": rng.choice(MEMBERS)},
        )
        for name in range(IDS)
        for version in range(1, VERSIONS + 1)
    ]
    pushed += rng.sample(pushed, len(pushed) // 3)
    rng.shuffle(pushed)
    return pushed


async def work(stores: Stores, payer: str, queue: list[Pushed], rng: Random) -> None:
    """Take versions off the queue, one or a few (of different ids) at a time."""
    while queue:
        batch: dict[str, Pushed] = {}
        for _ in range(rng.randint(1, 3)):
            if queue and queue[-1].authorization.authorization_id not in batch:
                each = queue.pop()
                batch[each.authorization.authorization_id] = each
        await push(stores, payer, *batch.values())


async def end_state(stores: Stores, payer: str) -> dict[str, list[Any]]:
    """What can be read of every authorization: its versions, and with whom it is found."""
    state: dict[str, list[Any]] = {}
    for name in (f"A{number}" for number in range(IDS)):
        versions = await stores.reading.versions(payer, name)
        state[name] = [
            (each.state["version"], each.state["current"], each.source["number"])
            for each in versions
        ]
    for member in MEMBERS:
        state[member] = sorted(await found(stores, payer, build_claim(member={"id": member})))
    return state


@pytest.mark.parametrize("seed", range(3))
def test_any_order_ends_as_the_right_order_does(ground: Ground, payer: str, seed: int) -> None:
    """The newest version stands at its member alone; each older one is kept, once."""
    rng = Random(seed)
    queue = drawn(rng)
    in_order = sorted(queue, key=lambda each: each.authorization.version)

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            workers = [stores, second] * (WORKERS // 2)
            await asyncio.gather(*(work(each, payer, queue, rng) for each in workers))
            for each in in_order:
                await push(stores, f"{payer}-in-order", each)

            assert await end_state(second, payer) == await end_state(stores, f"{payer}-in-order")

    ground.run(scenario)


def test_each_version_is_in_the_history_once(ground: Ground, payer: str) -> None:
    """Nothing is lost and nothing doubled, however the versions overtake one another."""
    rng = Random(99)
    queue = drawn(rng)

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            await asyncio.gather(*(work(s, payer, queue, rng) for s in (stores, second)))
            for name in range(IDS):
                versions = await second.reading.versions(payer, f"A{name}")

                assert [each.state["version"] for each in versions] == list(range(VERSIONS, 0, -1))

    ground.run(scenario)


def test_a_push_is_seen_by_the_next_match_of_any_worker(ground: Ground, payer: str) -> None:
    """Pushed by one worker and matched at once by another: it is found, every time."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            for turn in range(40):
                pusher, matcher = (stores, second) if turn % 2 else (second, stores)
                member = f"M{turn % 7}"
                name = f"A{turn}"
                await push(
                    pusher, payer, version_of(1, authorization_id=name, member={"id": member})
                )

                assert name in await found(matcher, payer, build_claim(member={"id": member}))

    ground.run(scenario)


def test_pushes_and_matches_of_many_workers_at_once(ground: Ground, payer: str) -> None:
    """While others push and match, each still sees what was acknowledged before it asked."""

    async def one(stores: Stores, matcher: Stores, member: str) -> None:
        for turn in range(8):
            pushed = version_of(1, authorization_id=f"{member}-{turn}", member={"id": member})
            await push(stores, payer, pushed)
            seen = await found(matcher, payer, build_claim(member={"id": member}))
            assert len(seen) == turn + 1

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            await asyncio.gather(
                *(one(stores, second, f"M-A{each}") for each in range(6)),
                *(one(second, stores, f"M-B{each}") for each in range(6)),
            )

    ground.run(scenario)
