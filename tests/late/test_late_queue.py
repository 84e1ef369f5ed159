"""The queue of members for whom something arrived: nothing is lost, nothing is done twice."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from service.application import resolutions, worklist
from service.domain.decision import Resolution
from service.domain.late_pass import LatePass
from service.domain.work_item import offer_item
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.late import watch as late_watch
from service.stores.connection.faults import EngineFault, EngineUnavailable
from service.stores.waiting import late_queue
from tests.ground import Ground, push, version_of
from tests.late.office import Office, dispositions, office, run
from tests.proxy import Mode, Proxy

MEMBERS = [f"M{each:04}" for each in range(40)]


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for the lease of a worker that is gone."""
    monkeypatch.setattr(late_queue, "LEASE_S", 0.0)


@pytest.fixture
def proxies(ground: Ground) -> Iterator[dict[str, Proxy]]:
    """Both engines behind proxies."""
    settings = ground.settings
    made = {
        "elasticsearch": Proxy(settings.elasticsearch_url or ""),
        "redis": Proxy(settings.redis_url or ""),
    }
    for each in made.values():
        each.start()
    yield made
    for each in made.values():
        each.stop()


def test_the_same_push_twice_is_one_offer(ground: Ground, payer: str) -> None:
    """Also where it was looked at in between; a dismissed item does not come back by it."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        assert [await desk.push(), await desk.push()] == ["created", "unchanged"]
        assert await desk.work() == ["worklist"]
        first = await desk.item()
        assert await desk.push() == "unchanged"
        assert await desk.work() == []
        assert await desk.item() == first

    run(ground, payer, scenario)


def test_a_push_that_cannot_be_queued_fails_and_is_completed_by_the_next(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was killed, or Redis lost, between the mark and the queue."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()

        async def lost(*_: Any) -> None:
            raise EngineUnavailable("redis", "lost")

        with monkeypatch.context() as patch:
            patch.setattr(desk.stores.late_queue, "note", lost)
            with pytest.raises(EngineUnavailable):
                await desk.push()
        assert (await desk.queued(), await desk.work()) == (0, [])
        assert await desk.push() == "unchanged"
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)


@pytest.mark.parametrize("mode", ["worklist", "automatic"])
def test_workers_that_look_at_one_claim_at_once_do_it_once(
    ground: Ground, payer: str, mode: str
) -> None:
    """One item, or one re-adjudication: the units are drawn once."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        async with (
            office(ground, payer, late_authorizations=mode) as second,
            office(ground, payer, late_authorizations=mode) as third,
        ):
            done = await asyncio.gather(*(each.work() for each in (desk, second, third)))
        assert sorted(how for each in done for how in each) == [mode]
        assert await desk.kinds() == ["apply", *["readjudicate"] * (mode == "automatic")]
        assert (await desk.used(), await desk.queued()) == (int(mode == "automatic"), 0)

    run(ground, payer, scenario, late_authorizations=mode)


@pytest.mark.parametrize("mode", ["worklist", "automatic"])
@pytest.mark.parametrize("step", ["page", "kept", "offer", "draw", "done"])
def test_a_worker_that_is_killed_leaves_the_rest_to_another(
    ground: Ground, payer: str, mode: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after any step; then there is one item, or one re-adjudication."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        stores = desk.stores
        room = {
            "page": stores.waiting,
            "kept": stores.waiting,
            "offer": stores.worklist,
            "draw": stores.accumulators,
            "done": stores.late_queue,
        }[step]
        for is_done in (False, True):
            real = getattr(room, step)

            async def killed(
                *given: Any, _real: Any = real, _done: bool = is_done, **more: Any
            ) -> Any:
                if _done:
                    await _real(*given, **more)
                raise Killed

            with monkeypatch.context() as patch:
                patch.setattr(room, step, killed)
                try:
                    await desk.work()
                except Killed:
                    assert await desk.queued() == int(step != "done" or not is_done)
        await desk.work()
        assert await desk.queued() == 0
        assert (await desk.item() is not None) == (mode == "worklist")
        assert await desk.kinds() == ["apply", *["readjudicate"] * (mode == "automatic")]
        assert await desk.used() == int(mode == "automatic")

    run(ground, payer, scenario, late_authorizations=mode)


@pytest.mark.parametrize("engine", ["elasticsearch", "redis"])
@pytest.mark.parametrize("failure", ["refuse", "cut"])
def test_nothing_is_decided_while_an_engine_is_away(
    ground: Ground, payer: str, proxies: dict[str, Proxy], engine: str, failure: Mode
) -> None:
    """It stays in the queue, and is done once the engine is back."""
    settings = {f"{name}_url": each.url for name, each in proxies.items()}

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        with proxies[engine].failing(failure):
            try:
                assert await desk.work() == []
            except EngineFault:
                assert engine == "redis"
        assert (await desk.queued(), await desk.item()) == (1, None)
        await desk.pause_over()
        assert await desk.work() == ["automatic"]

    run(ground, payer, scenario, late_authorizations="automatic", **settings)


@pytest.mark.parametrize("engine", ["elasticsearch", "redis"])
def test_no_examiner_decides_while_an_engine_is_away(
    ground: Ground, payer: str, proxies: dict[str, Proxy], engine: str
) -> None:
    """It is a fault; the item is still open, and can be decided once the engine is back."""
    settings = {f"{name}_url": each.url for name, each in proxies.items()}
    decision = Resolution(action="readjudicate", by="examiner 7")

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        await desk.work()
        with proxies[engine].failing("refuse"):
            with pytest.raises(EngineFault):
                await worklist.read(desk.caller, offer_item("C-1"))
            with pytest.raises(EngineFault):
                await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        assert (await worklist.read(desk.caller, offer_item("C-1"))).item.is_open
        assert await desk.kinds() == ["apply"]
        made = await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        item = made.listed.item
        assert (item.state, item.on_behalf_of) == ("done", "examiner 7")

    run(ground, payer, scenario, **settings)


@pytest.mark.parametrize("is_drawn", [False, True])
def test_an_examiner_whose_worker_dies_decides_once(
    ground: Ground, payer: str, is_drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the units are drawn the item stays open; after that it closes by itself."""
    decision = Resolution(action="readjudicate", by="examiner 7")

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        await desk.work()
        draw = desk.stores.accumulators.draw

        async def killed(*given: Any) -> Any:
            if is_drawn:
                await draw(*given)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(desk.stores.accumulators, "draw", killed)
            with pytest.raises(Killed):
                await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        assert (await worklist.read(desk.caller, offer_item("C-1"))).item.is_open != is_drawn
        if is_drawn:
            with pytest.raises(Conflict):
                await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        else:
            await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        assert await desk.kinds() == ["apply", "readjudicate"]
        assert await desk.used() == 1

    run(ground, payer, scenario)


def test_a_member_with_many_claims_holds_nobody_up(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some claims of it are looked at, then those of the next member, then it goes on."""
    monkeypatch.setattr(late_watch, "CLAIMS_AT_ONCE", 2)
    looked: list[str] = []

    async def scenario(desk: Office) -> None:
        for number in range(5):
            await desk.adjudicate(claim_id=f"C-many-{number}", member={"id": "MMANY"})
        await desk.adjudicate(claim_id="C-one", member={"id": "MONE"})
        for member in ("MMANY", "MONE"):
            await desk.push(authorization_id=f"A-{member}", member={"id": member})
        async with asyncio.timeout(60):  # a push that had to wait is noted when it is delivered
            while await desk.queued() < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await desk.pause_over()

        async def look(home: Any, claim_id: str, arrived: Any) -> None:
            assert list(arrived) == [f"A-{'MONE' if claim_id == 'C-one' else 'MMANY'}"]
            looked.append(claim_id)

        await desk.watch(look).work()
        assert await desk.queued() == 0

    run(ground, payer, scenario)
    assert [each for each in looked if each != "C-one"] == [f"C-many-{n}" for n in range(5)]
    assert looked.index("C-one") <= 2


def test_what_arrives_while_claims_are_looked_at_is_looked_at_next(
    ground: Ground, payer: str
) -> None:
    """A pass is for what had arrived when it began; nothing later is counted as seen."""

    async def scenario(desk: Office) -> None:
        queue = desk.stores.late_queue
        await desk.adjudicate()
        await desk.push()
        first = await queue.take(payer)
        assert first is not None
        await desk.push(authorization_id="A2")
        await queue.later(first)
        begun = await queue.take(payer)
        assert begun is not None
        assert (begun.arrived, list(first.arrived)) == (first.arrived, ["A1"])
        await desk.push(version=2)
        await queue.done(begun)
        second = await queue.take(payer)
        assert second is not None
        assert sorted(second.arrived) == ["A1", "A2"]
        await queue.done(second)
        assert (await desk.queued(), await queue.take(payer)) == (0, None)

    run(ground, payer, scenario)


def test_more_arrivals_than_can_be_named_stand_for_any(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the queue is bounded, whatever is pushed for one member."""
    monkeypatch.setattr(late_queue, "IDS_MAX", 3)

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        many = [version_of(authorization_id=f"A{each}") for each in range(5)]
        await push(desk.stores, payer, *many)
        taken = await desk.stores.late_queue.take(payer)
        assert isinstance(taken, LatePass)
        assert taken.ids is None
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)


def test_members_without_waiting_claims_cost_no_step_more(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command more for all in the pipeline of the marks; nothing is queued, or searched."""

    async def scenario(desk: Office) -> None:
        assert dispositions(await desk.adjudicate(member={"id": MEMBERS[0]})) == ["suspend"]
        sent: list[int] = []
        real = desk.stores.redis.pipeline

        def pipeline(*given: Any, **more: Any) -> Any:
            made: Any = real(*given, **more)
            execute = made.execute

            async def counted(*args: Any) -> Any:
                sent.append(len(made.command_stack))
                return await execute(*args)

            made.execute = counted
            return made

        async def searched(*_: Any) -> None:
            raise AssertionError("nothing is to be searched")

        with monkeypatch.context() as patch:
            patch.setattr(desk.stores.redis, "pipeline", pipeline)
            patch.setattr(desk.stores.search, "search", searched)
            versions = [
                version_of(authorization_id=f"A-{each}", member={"id": each})
                for each in MEMBERS[1:]
            ]
            await push(desk.stores, payer, *versions)
            assert await desk.work() == []
        assert sent == [1, 1]
        assert await desk.queued() == 0

    run(ground, payer, scenario)


def test_members_who_are_looked_at_together_share_a_refresh(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was pushed for them, so that a load of many is not slowed down."""

    async def scenario(desk: Office) -> None:
        for each in MEMBERS[:5]:
            await desk.adjudicate(claim_id=f"C-{each}", member={"id": each})
            await desk.push(authorization_id=f"A-{each}", member={"id": each})
        refreshed, refresh = list[int](), desk.stores.visibility.refresh

        async def counted() -> None:
            refreshed.append(1)
            await refresh()

        monkeypatch.setattr(desk.stores.visibility, "refresh", counted)
        assert await desk.work() == ["worklist"] * 5
        assert len(refreshed) <= 1

    run(ground, payer, scenario)


def test_a_claim_that_cannot_be_run_again_does_not_stop_the_others(
    ground: Ground, payer: str
) -> None:
    """One whose selection was withdrawn is left to an examiner; one that fails is tried again."""
    selected = [
        {"line": 1, "type": "authorization", "authorizations": [{"authorization_id": "A-pended"}]}
    ]

    async def scenario(desk: Office) -> None:
        await desk.push(authorization_id="A-pended", decision={"action": "A4"})
        await desk.adjudicate(claim_id="C-1", selections=selected)
        await desk.adjudicate(claim_id="C-2")
        await desk.push(2, authorization_id="A-pended", status="void", decision={"action": "C"})
        await desk.push()
        assert await desk.work() == ["refused", "worklist"]
        assert await desk.queued() == 0

        failing = ["C-1"]

        async def look(home: Any, claim_id: str, arrived: Any) -> None:
            if claim_id in failing:
                failing.remove(claim_id)
                raise RuntimeError("a fault of ours")

        await desk.push(3, authorization_id="A3")
        await desk.watch(look).work()
        assert (failing, await desk.queued()) == ([], 1)
        await desk.pause_over()
        await desk.watch(look).work()
        assert await desk.queued() == 0

    run(ground, payer, scenario)
