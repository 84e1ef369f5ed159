"""What becomes of a pushed version: new, again, older, other content, void, moved."""

import asyncio
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.actor import NOBODY
from service.domain.submission import Pushed
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of

CLAIM = build_claim()
ELSEWHERE = build_claim(member={"id": "M0002"})
MOVED: dict[str, Any] = {"member": {"id": "M0002"}}


async def versions(stores: Stores, payer: str, name: str = "A1") -> list[int]:
    """The versions that are kept, newest first."""
    return [each.state["version"] for each in await stores.reading.versions(payer, name)]


async def searchable(stores: Stores, payer: str) -> int:
    """How many current places a search can see at this moment, of whatever member."""
    await stores.visibility.refresh()
    wanted = [{"term": {"payer": payer}}, {"term": {"current": True}}, {"term": {"void": False}}]
    response = await stores.elasticsearch.search(
        index=stores.indices.authorizations, query={"bool": {"filter": wanted}}
    )
    return int(response["hits"]["total"]["value"])


@pytest.mark.parametrize(
    ("pushed", "statuses", "kept", "shown"),
    [
        ([version_of(1)], ["created"], [1], "AU-1"),
        ([version_of(1), version_of(1)], ["created", "unchanged"], [1], "AU-1"),
        ([version_of(1), version_of(2, number="N2")], ["created", "updated"], [2, 1], "N2"),
        ([version_of(2, number="N2"), version_of(1)], ["created", "superseded"], [2, 1], "N2"),
        ([version_of(1), version_of(1, number="N2")], ["created", "conflict"], [1], "AU-1"),
        (
            [version_of(3), version_of(1), version_of(1), version_of(2), version_of(3)],
            ["created", "superseded", "superseded", "superseded", "unchanged"],
            [3, 2, 1],
            "AU-1",
        ),
        (
            [version_of(1), version_of(5, number="N5"), version_of(2), version_of(5, number="X")],
            ["created", "updated", "superseded", "conflict"],
            [5, 2, 1],
            "N5",
        ),
    ],
    ids=["first", "again", "newer", "older", "other-content", "late-ones", "all"],
)
def test_the_senders_version_decides(
    ground: Ground,
    payer: str,
    pushed: list[Pushed],
    statuses: list[str],
    kept: list[int],
    shown: str,
) -> None:
    """A newer version replaces, the same is no news, an older one goes to the history."""

    async def scenario(stores: Stores) -> None:
        got = [status for each in pushed for status in await push(stores, payer, each)]
        current = await stores.reading.get(payer, "A1")

        assert got == statuses
        assert await versions(stores, payer) == kept
        assert current is not None
        assert (current.state["version"], current.source["number"]) == (kept[0], shown)
        assert await found(stores, payer, CLAIM) == ["A1"]

    ground.run(scenario)


def test_the_history_keeps_what_was_pushed(ground: Ground, payer: str) -> None:
    """Every version is given back as it was written, the key that we do not know included."""
    first = version_of(1, remarks="first")
    second = version_of(2, remarks="second")

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, first)
        await push(stores, payer, second)
        stored = await stores.reading.versions(payer, "A1")

        assert [each.source for each in stored] == [second.source, first.source]
        assert [each.state["current"] for each in stored] == [True, False]

    ground.run(scenario)


VOID = version_of(2, decision={"action": "C"})


@pytest.mark.parametrize("late", [version_of(1), version_of(2), VOID], ids=["older", "other", "C"])
def test_a_cancelled_authorization_is_never_a_candidate_again(
    ground: Ground, payer: str, late: Pushed
) -> None:
    """HCR C leaves a tombstone: it stays readable, and no late event revives it."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        assert await found(stores, payer, CLAIM) == ["A1"]

        await push(stores, payer, VOID)
        await push(stores, payer, late)
        stored = await stores.reading.get(payer, "A1")

        assert await found(stores, payer, CLAIM) == []
        assert stored is not None
        assert (stored.state["version"], stored.state["void"]) == (2, True)
        assert await versions(stores, payer) == [2, 1]

    ground.run(scenario)


def test_a_withdrawn_authorization_stays_out_until_its_sender_brings_it_back(
    ground: Ground, payer: str
) -> None:
    """A withdrawal is a version like any other: older ones stay out, a newer one counts."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        withdrawn = await stores.authorizations.withdraw(payer, version_of(3))
        again = await stores.authorizations.withdraw(payer, version_of(3))

        assert (withdrawn.status, again.status) == ("updated", "unchanged")
        assert await push(stores, payer, version_of(2)) == ["superseded"]
        assert await push(stores, payer, version_of(3)) == ["conflict"]
        assert await found(stores, payer, CLAIM) == []
        assert await push(stores, payer, version_of(4)) == ["updated"]
        assert await found(stores, payer, CLAIM) == ["A1"]
        assert await versions(stores, payer) == [4, 3, 2, 1]

    ground.run(scenario)


def test_a_withdrawal_may_come_before_its_authorization(ground: Ground, payer: str) -> None:
    """What was withdrawn before it arrived never becomes a candidate, and is kept."""

    async def scenario(stores: Stores) -> None:
        unknown = await stores.authorizations.withdraw_unknown(payer, "A1", 2, NOBODY)

        assert unknown.status == "created"
        assert await push(stores, payer, version_of(1)) == ["superseded"]
        assert await found(stores, payer, CLAIM) == []
        assert await versions(stores, payer) == [1]
        assert await push(stores, payer, version_of(3)) == ["updated"]
        assert await found(stores, payer, CLAIM) == ["A1"]

    ground.run(scenario)


def test_a_withdrawal_that_meets_the_first_push_wins_by_its_version(
    ground: Ground, payer: str
) -> None:
    """Withdrawn while its first version is on its way in: whoever is first, it is withdrawn."""

    async def scenario(stores: Stores) -> None:
        for turn in range(25):
            name, number = f"A{turn}", f"N{turn}"
            pushed = version_of(1, authorization_id=name, number=number)

            async def withdraw(name: str = name, turn: int = turn) -> None:
                await asyncio.sleep(turn / 2_000)
                await stores.authorizations.withdraw_unknown(payer, name, 2, NOBODY)

            await asyncio.gather(push(stores, payer, pushed), withdraw())

        assert await found(stores, payer, CLAIM) == []

    ground.run(scenario)


def test_a_changed_member_takes_the_authorization_along(ground: Ground, payer: str) -> None:
    """It is found with the new member, never again with the old one, and read by its id."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        assert await found(stores, payer, CLAIM) == ["A1"]

        assert await push(stores, payer, version_of(2, **MOVED)) == ["updated"]
        stored = await stores.reading.get(payer, "A1")

        assert await found(stores, payer, CLAIM) == []
        assert await found(stores, payer, ELSEWHERE) == ["A1"]
        assert stored is not None
        assert stored.source["member"] == {"id": "M0002"}
        assert await versions(stores, payer) == [2, 1]

        assert await push(stores, payer, version_of(3)) == ["updated"]
        assert await found(stores, payer, CLAIM) == ["A1"]
        assert await found(stores, payer, ELSEWHERE) == []
        assert await versions(stores, payer) == [3, 2, 1]

    ground.run(scenario)


def test_a_moving_authorization_is_always_somewhere(ground: Ground, payer: str) -> None:
    """While its member changes, it can be found with the one or the other, and read by id."""

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(1))
        done = asyncio.Event()

        async def move() -> None:
            for number in range(2, 30):
                await push(stores, payer, version_of(number, **(MOVED if number % 2 else {})))
            done.set()

        async def look() -> int:
            looks = 0
            while not done.is_set():
                assert await stores.reading.get(payer, "A1") is not None
                assert await searchable(stores, payer) >= 1
                looks += 1
            return looks

        _, looks = await asyncio.gather(move(), look())
        assert looks > 5
        assert await versions(stores, payer) == list(range(29, 0, -1))

    ground.run(scenario)


def test_two_payers_never_meet(ground: Ground, payer: str) -> None:
    """The same ids, members and numbers under two payers are two authorizations."""
    other = f"{payer}-b"

    async def scenario(stores: Stores) -> None:
        await push(stores, payer, version_of(7, remarks="a"))
        assert await found(stores, other, CLAIM) == []
        assert await stores.reading.get(other, "A1") is None
        assert await versions(stores, other) == []

        assert await push(stores, other, version_of(1, remarks="b")) == ["created"]
        await push(stores, other, version_of(2, decision={"action": "C"}))

        assert await found(stores, payer, CLAIM) == ["A1"]
        assert await found(stores, other, CLAIM) == []
        assert await versions(stores, payer) == [7]
        assert await versions(stores, other) == [2, 1]

    ground.run(scenario)
