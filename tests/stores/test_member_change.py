"""An authorization is pushed with another member: what was used of it counts, and counts once."""

import asyncio
from typing import Any

import pytest

from service.accounting.books.books import Occasion
from service.application.parts import Stores
from service.domain.person import Person
from service.stores.connection.faults import EngineFault, EngineRefused
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground, push
from tests.movements import AT
from tests.proxy import Proxy
from tests.serving import client_of, serving
from tests.stores.moving import (
    ID,
    LIMIT,
    Journey,
    fault_at,
    limits,
    step,
    tries,
)


def test_what_was_used_is_used_for_the_new_member_and_back(ground: Ground, payer: str) -> None:
    """What was used is used there; with the former member nothing can be drawn any more."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        assert await journey.draw("C1", 3) == 3
        assert await journey.to("M2") == ["updated"]
        assert await journey.balance() == (3, 0)
        assert await journey.is_closed("M1")
        assert await journey.draw("C2", 4, day_tokens=("2026-11-01",)) == 4
        assert await journey.to("M1") == ["updated"]
        assert await journey.is_closed("M2")
        assert await journey.balance() == (7, 0)
        assert await journey.draw("C3", 4, state="reserved") == LIMIT - 7
        await journey.to("M2")
        assert await journey.balance() == (7, 3)
        assert await journey.draw("C4", 1) == 0
        assert await journey.again() == ["unchanged"]
        assert await journey.differences() == []

    ground.run(scenario)


def test_members_share_the_balances(ground: Ground, payer: str) -> None:
    """Nothing is carried, there or back: only draws and limits are in the ledger."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3)
        await journey.to("M3")
        assert await journey.draw("C2", 3) == 3
        await journey.to("M2")
        assert await journey.draw("C3", 3) == 3
        assert await journey.is_closed("M1")
        await journey.to("M1")
        assert await journey.balance() == (9, 0)
        assert await journey.draw("C4", 3) == 1
        assert await journey.kinds() == {"apply", "amend"}
        assert await journey.differences() == []

    ground.run(scenario)


def test_a_push_of_what_was_never_used_asks_nothing_more(ground: Ground, payer: str) -> None:
    """Whatever the member; and one that is used is amended once a push."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        with fault_at(0, is_done=False) as taken:
            for member in ("M1", "M1", "M2", "M2"):
                await journey.to(member)
            await journey.again()
            assert "script" not in taken
        assert await stores.redis.exists(journey.keys.accounts(ID)) == 0
        assert await journey.draw("C1", 3) == 3
        assert await journey.is_closed("M1")
        with fault_at(0, is_done=False) as taken:
            await journey.to("M1")
            await journey.to("M1")
            assert taken.count("script") == 2
        assert await journey.draw("C2", 9) == 7
        assert await journey.differences() == []

    ground.run(scenario)


def test_a_claim_that_was_matched_before_came_before(ground: Ground, payer: str) -> None:
    """Where nothing was drawn yet; what it draws counts for the new member, too."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        matched = journey.mover()
        await journey.to("M2")
        assert sum(each.units for each in (await matched.draw("C1", 3, of=limits())).drawn) > 0
        assert await journey.balance() == (3, 0)
        assert await journey.draw("C2", 9) == 7
        assert await journey.differences() == []

    ground.run(scenario)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_push_that_stopped_half_way_is_completed(
    ground: Ground, payer: str, number: int, is_done: bool
) -> None:
    """By the same push again, or by the next one, which goes on to a third member or back."""

    async def scenario(stores: Stores) -> None:
        for name, following in (("same", None), ("next", "M2"), ("third", "M3"), ("back", "M1")):
            journey = Journey(stores, f"{payer}-{name}")
            await journey.to("M0")
            await journey.draw("C0", 1)
            await journey.to("M1")
            await journey.draw("C1", 3)
            with fault_at(number, is_done=is_done) as taken:
                is_whole = await tries(journey.to("M2"))
            assert is_whole == (len(taken) < number)
            await (journey.to(following) if following else journey.again())
            assert await journey.balance() == (4, 0)
            for member in set(journey.members) - {journey.member}:
                assert await journey.is_closed(member)
            assert await journey.draw("C2", 9) == LIMIT - 4
            assert await journey.differences() == []

    ground.run(scenario)


def test_a_member_is_given_no_authorization_of_another(ground: Ground, payer: str) -> None:
    """Though members share shards, and a document is read by its id."""

    async def scenario(stores: Stores) -> None:
        await Journey(stores, payer).to("M1")
        for each in range(12):
            assert await stores.reading.standing(payer, Person.of(f"N{each}"), [ID]) == {}
        assert ID in await stores.reading.standing(payer, Person.of("M1"), [ID])

    ground.run(scenario)


def test_a_lost_redis_stops_a_push_that_changes_the_member(ground: Ground, payer: str) -> None:
    """Until it is back; the same push again completes it, and units count once all the while."""
    proxy = Proxy(str(ground.settings.redis_url))
    proxy.start()
    settings = ground.settings.model_copy(update={"redis_url": proxy.url})

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3)
        async with ground.stores(settings) as cut_off:
            behind = Journey(cut_off, payer, "M1", 1, ["M1"])
            with proxy.failing("refuse"), pytest.raises(EngineFault):
                await behind.to("M2")
            assert await journey.balance() == (3, 0)
            assert await behind.again() == ["updated"]
        journey.member, journey.version = "M2", 2
        assert await journey.is_closed("M1")
        assert await journey.draw("C2", 9) == 7
        assert await journey.differences() == []

    try:
        ground.run(scenario)
    finally:
        proxy.stop()


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_push_that_was_overtaken_leaves_nothing_behind(
    ground: Ground, payer: str, number: int, is_done: bool
) -> None:
    """Its steps come late, between those of the next one or after them: they do nothing."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3)
        with fault_at(number, is_done=is_done):
            assert not await tries(journey.to("M2"))
        late = journey.pushed(2, "M2")
        async with ground.stores() as second:
            following = journey.pushed(3, "M3")
            await asyncio.gather(push(stores, payer, following), push(second, payer, late))
            assert await push(second, payer, late) == ["superseded"]
        journey.member, journey.version = "M3", 3
        for member in ("M1", "M2"):
            assert await journey.is_closed(member)
        assert await journey.balance() == (3, 0)
        assert await journey.draw("C2", 9) == 7
        assert await journey.differences() == []

    ground.run(scenario)


def test_what_came_by_another_way_is_not_counted_twice(ground: Ground, payer: str) -> None:
    """A visit or day that claims of several members held costs one unit, wherever it went."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3, unit_tokens=("V1", "V2", "V3"))
        await journey.to("M2")
        await journey.draw("C2", 2, unit_tokens=("V3", "V4"))
        assert await journey.balance() == (4, 0)
        await journey.to("M3")
        assert await journey.balance() == (4, 0)
        await journey.draw("C3", 2, unit_tokens=("V1", "V5"))
        assert await journey.balance() == (5, 0)
        assert await journey.differences() == []

    ground.run(scenario)


def test_claims_of_both_members_are_added(ground: Ground, payer: str) -> None:
    """A visit or day that both hold is held by both, and costs one unit."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 2, unit_tokens=("V1", "V2"))
        await journey.draw("C2", 2)
        await journey.to("M2")
        await journey.draw("C3", 2, unit_tokens=("V2", "V3"), state="reserved")
        assert await journey.balance() == (4, 1)
        tokens: Any = await stores.redis.hgetall(journey.keys.tokens(ID))
        assert tokens["H|u|V2"] == "1:1"
        assert await journey.differences() == []
        await step(journey, "reverse", "C1")
        assert await journey.balance() == (2, 2)
        assert await journey.differences() == []

    ground.run(scenario)


def test_a_claim_of_the_former_member_lives_on(ground: Ground, payer: str) -> None:
    """Its units are made final, given back in part or whole, or replaced, where they are now."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 2, state="reserved", day_tokens=("2026-11-01",))
        await journey.draw("C2", 3)
        await journey.draw("C3", 2, state="reserved")
        await journey.to("M2")
        assert await journey.balance() == (3, 4)

        await step(journey, "finalize", "C1")
        assert await journey.balance() == (5, 2)
        answer = await step(journey, "adjust", "C2", lines=[{"line": 1, "units": 1}])
        assert answer["authorizations"][0]["units"] == "1"
        assert await journey.balance() == (3, 2)
        await step(journey, "finalize", "C3", lines=[{"line": 1, "units": 1}])
        assert await journey.balance() == (4, 0)
        await journey.mover("M1").draw("C4", 0, of={}, replaces="C2")
        assert await journey.balance() == (3, 0)
        await journey.mover("M1").draw("C3", 0, of={})
        assert await journey.balance() == (2, 0)
        await step(journey, "reverse", "C1")
        await step(journey, "reverse", "C1")
        assert await journey.balance() == (0, 0)
        assert await journey.differences() == []
        await journey.to("M1")
        assert await journey.draw("C9", 11) == LIMIT
        await step(journey, "reverse", "C9")
        assert await journey.differences() == []

    ground.run(scenario)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_a_step_that_stopped_is_completed(ground: Ground, payer: str, is_done: bool) -> None:
    """By the same step again; the authorization may have gone on meanwhile."""

    async def scenario(stores: Stores) -> None:
        for name, following in (("same", None), ("away", "M3"), ("back", "M1")):
            journey = Journey(stores, f"{payer}-{name}")
            await journey.to("M1")
            await journey.draw("C1", 3, state="reserved")
            await journey.draw("C2", 2)
            await journey.to("M2")
            with fault_at(1, is_done=is_done):
                assert not await tries(step(journey, "finalize", "C1", lines=[two_units()]))
            assert await journey.differences() == []
            if following:
                await journey.to(following)
            await step(journey, "finalize", "C1", lines=[two_units()])
            assert await journey.balance() == (4, 0)
            assert await journey.differences() == []
            await step(journey, "reverse", "C1")
            assert await journey.balance() == (2, 0)
            assert await journey.differences() == []

    ground.run(scenario)


def two_units() -> dict[str, int]:
    """Two units of the first line."""
    return {"line": 1, "units": 2}


@pytest.mark.parametrize("number", range(1, 6))
def test_a_claim_waits_for_no_push(ground: Ground, payer: str, number: int) -> None:
    """One that changes the member stopped half-way: steps of claims are taken all the same."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3)
        with fault_at(number, is_done=False):
            assert not await tries(journey.to("M2"))
        assert await journey.differences() == []
        await step(journey, "reverse", "C1")
        assert await journey.balance() == (0, 0)
        await journey.again()
        assert await journey.is_closed("M1")
        assert await journey.balance() == (0, 0)
        assert await journey.differences() == []

    ground.run(scenario)


def test_a_claim_takes_no_more_of_what_went_away(ground: Ground, payer: str) -> None:
    """Rows beyond those that it holds are refused, and nothing is owed."""

    async def scenario(stores: Stores) -> None:
        journey = Journey(stores, payer)
        await journey.to("M1")
        await journey.draw("C1", 3)
        await journey.to("M2")
        claim = await stores.accumulators.read_claim(payer, "C1")
        more = [*claim.rows, *claim.rows]
        with pytest.raises(EngineRefused, match="more than the claim holds"):
            await stores.accumulators.change(
                payer, claim, more, "used", Occasion(kind="adjust", at=AT)
            )
        assert await journey.differences() == []

    ground.run(scenario)


def test_readings_see_the_claims_of_both_members(ground: Ground, payer: str) -> None:
    """The whole flow, over HTTP: what both members' claims did is told, wherever it waits."""
    settings = ground.settings.model_copy(update={"default_payer": payer, "ledger_sweep_s": 3600.0})
    limits: Any = {"limits": {"units": "5", "unit": "UN"}}
    with serving(settings) as url, client_of(url) as client:

        def pushed(version: int, member: str) -> None:
            body = authorization_body(version=version, member={"id": member}, **limits)
            client.put(f"/authorizations/{body['authorization_id']}", json=body).raise_for_status()

        def adjudicated(claim_id: str, member: str) -> str:
            body = claim_body(claim_id=claim_id, member={"id": member})
            body = {**body, "lines": [{**body["lines"][0], "units": "3"}]}
            answer = client.post("/adjudicate", json=body).raise_for_status().json()
            return str(answer["lines"][0]["approved"]["units"])

        def read(path: str) -> Any:
            return client.get(path).raise_for_status().json()

        address = f"/authorizations/{authorization_body()['authorization_id']}"
        pushed(1, "M1")
        assert adjudicated("C1", "M1") == "3"
        pushed(2, "M2")
        assert adjudicated("C2", "M2") == "2"
        assert adjudicated("C3", "M1") == "0"
        client.post("/claims/C1/reverse", json={}).raise_for_status()
        kinds = {"apply", "amend", "reverse"}
        assert {each["kind"] for each in read(f"{address}/ledger")["entries"]} == kinds
        claims = read(f"{address}/claims")["claims"]
        assert {each["claim_id"]: each["status"] for each in claims} == {
            **{"C1": "reversed", "C2": "used"}
        }
        history = [each["kind"] for each in read("/claims/C1/history")["entries"]]
        assert sorted(history) == ["apply", "reverse"]
        (steps,) = {
            each["steps"][-1]["committed"] for each in read(f"{address}/utilization")["accounts"]
        }
        assert steps == "2"
        header = read(f"{address}/accumulators")["accounts"][0]["units"]
        assert (header["used"], header["remaining"]) == ("2", "3")
