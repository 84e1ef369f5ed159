"""Where authorizations live: a place that nobody wrote since is not read a second time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from service.application.parts import Stores
from service.stores.authorizations.locator import Link, Locator, Place
from tests.ground import Ground

Change = Callable[[Locator, str, Place], Awaitable[object]]


async def nothing(locator: Locator, payer: str, place: Place) -> None:
    """Leave it as it is."""


async def a_newer_version(locator: Locator, payer: str, place: Place) -> None:
    """Let another push write the next version over it."""
    assert await locator.write([replace(place, version=place.version + 1)]) == [True]


async def the_same_again(locator: Locator, payer: str, place: Place) -> None:
    """Let somebody write the same place once more."""
    assert await locator.write([place]) == [True]


async def a_lost_write(locator: Locator, payer: str, place: Place) -> None:
    """Let another push lose, which has seen an older state."""
    assert await locator.write([replace(place, seen=None)]) == [False]


async def a_link(locator: Locator, payer: str, place: Place) -> None:
    """Let another authorization stand for it."""
    await locator.link(payer, {place.authorization_id: Link("A9")})


@pytest.mark.parametrize(
    ("change", "version", "successor"),
    [
        (nothing, None, None),
        (a_lost_write, None, None),
        (a_newer_version, 2, None),
        (the_same_again, 1, None),
        (a_link, 1, "A9"),
    ],
)
def test_only_what_was_written_since_is_read_again(
    ground: Ground, payer: str, change: Change, version: int | None, successor: str | None
) -> None:
    """By how often each place was written, and whether there is a link."""

    async def scenario(stores: Stores) -> None:
        locator = Locator(stores.elasticsearch, stores.indices)
        new = [
            Place(payer=payer, authorization_id=each, version=1, content_hash="x", member_id="M1")
            for each in ("A1", "A2")
        ]
        assert await locator.write(new) == [True, True]
        places = await locator.read(payer, ["A1", "A2"])
        assert [each.writes for each in places.values()] == [1, 1]

        await change(locator, payer, places["A1"])
        changed, successors = await locator.read_changed(payer, {"A1": 1, "A2": 1})

        assert {name: each.version for name, each in changed.items()} == (
            {} if version is None else {"A1": version}
        )
        assert successors == ({} if successor is None else {"A1": Link(successor)})

    ground.run(scenario)


def test_every_write_is_counted(ground: Ground, payer: str) -> None:
    """Once each, from one; a push knows by it how often its own place was written."""

    async def scenario(stores: Stores) -> None:
        locator = Locator(stores.elasticsearch, stores.indices)
        place = Place(payer=payer, authorization_id="A1", content_hash="x", member_id="M1")
        for count in (1, 2, 3):
            assert await locator.write([replace(place, version=count)]) == [True]
            place = (await locator.read(payer, ["A1"]))["A1"]

            assert place.writes == count
            assert await locator.read_changed(payer, {"A1": count}) == ({}, {})

    ground.run(scenario)
