"""Claims of a member that was merged: each is one claim of one person, under whichever id."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.application.parts import Stores
from service.flow.adjudicating.adjudicate import Conflict
from service.stores.connection import scripts as book_scripts
from service.stores.connection.faults import EngineFault
from service.stores.units import steps
from tests.ground import Ground, push
from tests.stores.merging import (
    UNITS,
    adjudicated,
    claimed,
    differences,
    merge,
    paid,
    pushed,
    used,
)
from tests.stores.moving import Fault, Journey, step


def journey_of(stores: Stores, payer: str) -> Journey:
    """Takes steps of a claim's life."""
    return Journey(stores, payer)


def test_units_count_once_under_both_ids(ground: Ground, payer: str) -> None:
    """What was drawn before counts, whoever draws after it; both ids are kept with the answer."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1", **UNITS))
        assert paid(await adjudicated(stores, payer, claimed("C1", "M1", 3))) == 3
        await merge(stores, payer, "M1", "M2")
        answer = await adjudicated(stores, payer, claimed("C2", "M1", 3))
        assert (paid(answer), answer["member"]) == (3, {"id": "M1", "merged_into": "M2"})
        again = await adjudicated(stores, payer, claimed("C2", "M1", 3))
        assert (again["replayed"], again["member"]) == (True, answer["member"])
        answer = await adjudicated(stores, payer, claimed("C3", "M2", 9))
        assert (paid(answer), "member" in answer) == (4, False)
        assert await used(stores, payer, "A1") == 10
        assert await differences(stores, payer) == []

    ground.run(scenario)


@pytest.mark.parametrize("member", ["M1", "M2"])
def test_a_claim_of_before_is_answered_from_its_record(
    ground: Ground, payer: str, member: str
) -> None:
    """Sent again under either id it draws nothing; other content is refused as ever."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1", **UNITS))
        first = await adjudicated(stores, payer, claimed("C1", "M1", 3))
        await merge(stores, payer, "M1", "M2")
        again = await adjudicated(stores, payer, claimed("C1", member, 3))
        assert again["replayed"]
        assert again["lines"] == first["lines"]
        with pytest.raises(Conflict, match="other content"):
            await adjudicated(stores, payer, claimed("C1", member, 4))
        assert await used(stores, payer, "A1") == 3
        assert await differences(stores, payer) == []

    ground.run(scenario)


@pytest.mark.parametrize("member", ["M1", "M2"])
def test_a_claim_of_before_lives_on(ground: Ground, payer: str, member: str) -> None:
    """It is adjudicated anew, replaced, voided and reversed; units go where they belong."""

    async def scenario(stores: Stores) -> None:
        one, other, now = "M1", "M2", member
        await push(stores, payer, pushed("A1", one, **UNITS))
        for number in range(1, 6):
            await adjudicated(stores, payer, claimed(f"C{number}", one, 2))
        await merge(stores, payer, one, other)

        again = await adjudicated(stores, payer, claimed("C1", one, 2), again=True)
        assert (paid(again), again["returned"][0]["units"]) == (2, "2")
        assert await used(stores, payer, "A1") == 10
        higher = await adjudicated(stores, payer, claimed("C2", now, 1, version=2))
        assert (paid(higher), await used(stores, payer, "A1")) == (1, 9)
        replayed = await adjudicated(stores, payer, claimed("C2", one, 2))
        assert (replayed["version"], replayed["replayed"]) == (1, True)
        replacing = claimed("C6", now, 1, frequency="7", original_claim_id="C3")
        assert paid(await adjudicated(stores, payer, replacing)) == 1
        assert await used(stores, payer, "A1") == 8
        voiding = claimed("C7", now, 1, frequency="8", original_claim_id="C4")
        answer = await adjudicated(stores, payer, voiding)
        assert answer["returned"][0]["units"] == "2"
        assert await used(stores, payer, "A1") == 6
        await step(journey_of(stores, payer), "reverse", "C5")
        assert await used(stores, payer, "A1") == 4
        for number in (1, 2):
            await step(journey_of(stores, payer), "reverse", f"C{number}")
        assert await used(stores, payer, "A1") == 1
        assert await differences(stores, payer) == []

    ground.run(scenario)


def test_a_claim_gives_back_what_is_with_a_third_person(ground: Ground, payer: str) -> None:
    """When it is drawn anew under the new id; a dry run gives nothing back."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, pushed("A1", "M1", **UNITS), pushed("A2", "M2", **UNITS))
        assert paid(await adjudicated(stores, payer, claimed("C1", "M1", 3))) == 3
        await push(stores, payer, pushed("A1", "M9", 2, **UNITS))
        await merge(stores, payer, "M1", "M2")
        second = claimed("C1", "M1", 2, version=2)
        assert paid(await adjudicated(stores, payer, second, dry=True)) == 2
        assert (await used(stores, payer, "A1"), await used(stores, payer, "A2")) == (3, 0)
        assert paid(await adjudicated(stores, payer, second)) == 2
        assert (await used(stores, payer, "A1"), await used(stores, payer, "A2")) == (0, 2)
        assert await differences(stores, payer) == []

    ground.run(scenario)


@pytest.mark.parametrize("is_done", [False, True])
def test_a_claim_that_stopped_when_it_was_drawn_anew_is_completed(
    ground: Ground, payer: str, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever asks for it next, under either id, or for a step of its life."""

    async def scenario(stores: Stores) -> None:
        for name in ("again", "reverse"):
            own = f"{payer}-{name}"
            await push(stores, own, pushed("A1", "M1", **UNITS))
            assert paid(await adjudicated(stores, own, claimed("C1", "M1", 3))) == 3
            await merge(stores, own, "M1", "M2")
            with lost_script(monkeypatch, is_done=is_done):
                second = claimed("C1", "M2", 2, version=2)
                with pytest.raises(EngineFault):
                    await adjudicated(stores, own, second)
            assert await used(stores, own, "A1") == (2 if is_done else 3)
            if name == "again":
                again = claimed("C1", "M1", 2, version=2)
                assert paid(await adjudicated(stores, own, again)) == 2
                assert await used(stores, own, "A1") == 2
            else:
                await step(journey_of(stores, own), "reverse", "C1")
                assert await used(stores, own, "A1") == 0
            assert await differences(stores, own) == []

    ground.run(scenario)


@contextmanager
def lost_script(monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> Iterator[None]:
    """Lose Redis at the step in which a claim is drawn; ``is_done``: only its answer."""

    async def script(*request: Any) -> Any:
        if is_done:
            await book_scripts.run_script(*request)
        raise Fault("redis", "lost at a script")

    with monkeypatch.context() as patch:
        patch.setattr(steps, "run_script", script)
        yield
