"""What waits is delivered when Elasticsearch is back: in order, all of it, whatever happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.application.parts import Stores
from service.domain.submission import PushResult, Queued
from service.stores.connection import breaker
from service.stores.connection.faults import EngineFault
from service.stores.intake import courier as couriers
from service.stores.intake.courier import Courier
from service.stores.intake.delivery import Delivery
from tests.ground import Ground, push, version_of
from tests.proxy import Mode, Proxy
from tests.stores.outbox_bed import (
    Crash,
    closed_to_pushes,
    crashing,
    outcomes,
    waiting,
)
from tests.stores.outbox_bed import behind as behind
from tests.stores.outbox_bed import proxy as proxy

pytestmark = pytest.mark.cluster

FAILURES: list[Mode] = ["refuse", "hang", "cut"]


@pytest.fixture(autouse=True)
def _short_mistrust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Elasticsearch be asked again soon after it failed."""
    monkeypatch.setattr(breaker, "OPEN_S", 0.2)


def tickets_of(results: object) -> list[str]:
    """The tickets of pushes that were queued."""
    assert isinstance(results, list)
    return [each.ticket for each in results if isinstance(each, Queued)]


async def versions(stores: Stores, payer: str, name: str = "A1") -> list[tuple[int, str | None]]:
    """All versions of an authorization with their numbers, newest first."""
    found = await stores.reading.versions(payer, name)
    return [(each.state["version"], each.source.get("number")) for each in found]


@pytest.mark.parametrize("mode", FAILURES)
def test_what_was_pushed_while_elasticsearch_was_away_is_stored_after(
    behind: Ground, proxy: Proxy, payer: str, mode: Mode
) -> None:
    """Nothing is lost, lower versions go first, and each ticket tells."""
    numbers = [3, 1, 2, 3, 5]

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        with proxy.failing(mode):
            tickets = []
            for each in numbers:
                tickets += tickets_of(
                    await stores.entrance.push_or_queue(payer, [version_of(each)])
                )
            with pytest.raises(EngineFault):
                await stores.courier.deliver(payer)
            assert await outcomes(stores.outbox, payer, tickets) == ["waiting"] * 5
        await delivered(stores.courier, payer)

        assert await outcomes(stores.outbox, payer, tickets) == [
            "updated",
            "unchanged",
            "updated",
            "updated",
            "updated",
        ]
        assert [each for each, _ in await versions(stores, payer)] == [5, 3, 2, 1]
        assert await waiting(stores, payer) == (0, 0)

    behind.run(scenario)


async def delivered(courier: Courier, payer: str) -> int:
    """Deliver as soon as Elasticsearch is trusted again."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return await courier.deliver(payer)
        except EngineFault:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


def test_while_elasticsearch_is_known_to_be_away_no_push_waits_for_it(
    behind: Ground, proxy: Proxy, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first finds out; those after it go straight to the outbox; a success ends that."""
    monkeypatch.setattr(breaker, "OPEN_S", 2)
    asked = 0

    async def scenario(stores: Stores) -> None:
        nonlocal asked
        await stores.entrance.push(payer, [version_of(1)])
        really = stores.authorizations.push

        async def counted(*words: Any) -> list[PushResult]:
            nonlocal asked
            asked += 1
            return await really(*words)

        monkeypatch.setattr(stores.authorizations, "push", counted)
        with proxy.failing("hang"):
            for each in range(2, 30):
                (result,) = await stores.entrance.push_or_queue(payer, [version_of(each)])
                assert isinstance(result, Queued)
        assert asked == 1
        await delivered(stores.courier, payer)
        (result,) = await stores.entrance.push_or_queue(payer, [version_of(30)])
        assert not isinstance(result, Queued)

    behind.run(scenario)


def test_a_crash_between_push_and_settling_is_harmless(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same pushes come again, and are there already."""
    pushed = [version_of(each, authorization_id=name) for name in "AB" for each in (1, 2)]

    async def scenario(stores: Stores) -> None:
        queued = await stores.outbox.put(payer, pushed)
        await stores.outbox.put_withdrawal(payer, "A", 3)
        with crashing(stores, monkeypatch), pytest.raises(Crash):
            await stores.courier.deliver(payer)
        assert (await waiting(stores, payer))[0] == 5
        assert await stores.courier.deliver(payer) == 5
        found = await outcomes(stores.outbox, payer, [each.ticket for each in queued])

        assert found == ["unchanged", "updated", "unchanged", "updated"]
        assert [each for each, _ in await versions(stores, payer, "A")] == [3, 2, 1]
        stored = await stores.reading.get(payer, "A")
        assert stored is not None
        assert stored.state["void"] is True

    ground.run(scenario)


def test_a_withdrawal_waits_as_well(apart: Ground, payer: str) -> None:
    """Of an authorization that is known, of one that is not, and before the one that it is of."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        async with closed_to_pushes(stores):
            first = await stores.entrance.withdraw_or_queue(payer, "A1", 3)
            second = await stores.outbox.put_withdrawal(payer, "B1", 2)
            early = version_of(1, authorization_id="B1")
            third = await stores.entrance.push_or_queue(payer, [early])
        tickets = tickets_of([first, second, *third])
        await stores.courier.deliver(payer)

        assert len(tickets) == 3
        assert await outcomes(stores.outbox, payer, tickets) == [
            "updated",
            "updated",
            "created",
        ]
        for name in ("A1", "B1"):
            stored = await stores.reading.get(payer, name)
            assert stored is not None
            assert stored.state["void"] is True

    apart.run(scenario)


@pytest.fixture(scope="module")
def in_order(ground: Ground) -> list[tuple[int, str | None]]:
    """What all versions pushed in order come to."""
    payer = "in-order"

    async def scenario(stores: Stores) -> list[tuple[int, str | None]]:
        for each in range(1, 7):
            await push(stores, payer, version_of(each, number=f"N{each}"))
        return await versions(stores, payer)

    return ground.run(scenario)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    order=st.permutations(list(range(1, 7)) * 2),
    cuts=st.lists(st.integers(1, 11), max_size=3, unique=True),
    direct=st.sets(st.integers(0, 11), max_size=4),
)
def test_any_order_of_queued_pushes_comes_to_the_same(
    ground: Ground,
    in_order: list[tuple[int, str | None]],
    order: list[int],
    cuts: list[int],
    direct: set[int],
) -> None:
    """Also with duplicates, deliveries in between, and some that need not wait."""
    payer = f"any-{time.monotonic_ns()}"

    async def scenario(stores: Stores) -> None:
        for place, number in enumerate(order):
            if place in cuts:
                await stores.courier.deliver(payer)
            pushed = [version_of(number, number=f"N{number}")]
            if place in direct:
                await stores.entrance.push(payer, pushed)
            else:
                await stores.outbox.put(payer, pushed)
        await stores.courier.deliver(payer)

        assert await waiting(stores, payer) == (0, 0)
        assert await versions(stores, payer) == in_order

    ground.run(scenario)


def test_two_workers_that_deliver_the_same_do_no_harm(ground: Ground, payer: str) -> None:
    """The lease keeps them apart mostly; where it ran out, every push is stored once."""
    names = [f"A{each}" for each in range(20)]
    pushed = [version_of(each, authorization_id=name) for name in names for each in (1, 2)]

    async def scenario(stores: Stores) -> None:
        queued = await stores.outbox.put(payer, pushed)
        async with ground.stores() as other:
            both = [stores.courier.deliver(payer), other.courier.deliver(payer)]
            await asyncio.gather(*both)
        found = await outcomes(stores.outbox, payer, [each.ticket for each in queued])

        assert set(found) <= {"created", "updated", "unchanged", "superseded"}
        assert await waiting(stores, payer) == (0, 0)
        for name in names:
            assert [each for each, _ in await versions(stores, payer, name)] == [2, 1]

    ground.run(scenario)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when something has come about."""
    deadline = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_it_is_delivered_in_the_background(
    behind: Ground, proxy: Proxy, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a worker that goes on by itself when Elasticsearch is back, and gives its lease back."""
    monkeypatch.setattr(couriers, "LOOK_S", 0.05)

    async def scenario(stores: Stores) -> None:
        delivery = Delivery(stores.outbox, stores.entrance, stores.letters)
        courier = Courier(stores.outbox, delivery, [payer])
        keys = stores.outbox.keys(payer)

        async def has_failed() -> bool:
            return bool(await stores.redis.exists(keys.fault))

        async def is_empty() -> bool:
            return await waiting(stores, payer) == (0, 0)

        with proxy.failing("refuse"):
            (queued,) = await stores.outbox.put(payer, [version_of(1)])
            courier.start()
            await until(has_failed)
            told = await stores.outbox.status(payer, queued.ticket)
            assert await stores.outbox.take_lease(payer, "another worker", 1000) is False
        await until(is_empty)
        await courier.close()

        assert told is not None
        assert told["reason"] == "elasticsearch: EngineUnavailable"
        assert await stores.outbox.take_lease(payer, "another worker", 1000) is True
        assert [each for each, _ in await versions(stores, payer)] == [1]

    behind.run(scenario)
