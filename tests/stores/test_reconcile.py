"""The accumulators are compared with their ledger; each thing that is wrong is named."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service.accounting.books.scale import SCALE
from service.accounting.replay.ledger_page import Difference
from service.application.parts import Stores
from service.stores.ledger.shelf_books import Outcome
from tests.ground import Ground
from tests.movements import MEMBER, Mover

pytestmark = pytest.mark.cluster

Tamper = Callable[[Stores, Mover], Awaitable[Any]]


async def compared(stores: Stores, payer: str) -> list[Difference]:
    """The differences of a payer."""
    found = await stores.reconciliation.run([payer])
    assert found.difference_count == len(found.differences)
    return [each for *_, each in found.differences]


def test_sound_books_have_no_difference(ground: Ground, payer: str) -> None:
    """Whatever was done, whether it was copied already or waits; comparing twice is the same."""

    async def scenario(stores: Stores) -> None:
        for each in range(2):
            await Mover(stores, payer, member=f"M{each}").some_of_everything(seed=each)
        first = await stores.reconciliation.run([payer])
        again = await stores.reconciliation.run([payer])

        assert [each for *_, each in first.differences] == []
        assert first == again
        assert first.entries > 40

    ground.run(scenario)


async def balance(stores: Stores, mover: Mover) -> None:
    """Somebody sets a balance by hand."""
    await stores.redis.hset(mover.keys.accounts("A1"), "H.uu", str(9 * SCALE))


async def spare_field(stores: Stores, mover: Mover) -> None:
    """Somebody adds a field."""
    await stores.redis.hset(mover.keys.accounts("A1"), "H.xx", "1")


async def lost_hash(stores: Stores, mover: Mover) -> None:
    """A hash is gone."""
    await stores.redis.delete(mover.keys.tokens("A1"))


async def other_type(stores: Stores, mover: Mover) -> None:
    """A key holds something else."""
    await stores.redis.set(mover.keys.claim("C1"), "x")


async def stranger(stores: Stores, mover: Mover) -> None:
    """There is a hash of which the ledger knows nothing."""
    await stores.redis.hset(mover.keys.accounts("A-unknown"), "v", "1")


async def owner(stores: Stores, mover: Mover) -> None:
    """A claim is said to be another member's."""
    await stores.redis.hset(mover.keys.claim("C1"), "m", "x")


async def older(stores: Stores, mover: Mover) -> None:
    """Redis was restored from an older copy: its stream is behind."""
    await stores.projection.project(mover.payer)
    await stores.redis.delete(mover.keys.ledger)


@pytest.mark.parametrize(
    ("tamper", "what", "field", "expected", "found"),
    [
        (balance, "accounts A1", "H.uu", str(4 * SCALE), str(9 * SCALE)),
        (spare_field, "accounts A1", "H.xx", "nothing", "1"),
        (lost_hash, "tokens A1", "H|d|2026-11-01", "1:0", "nothing"),
        (other_type, "claims C1", "type", "hash", "something else"),
        (stranger, "accounts:", "key", "nothing", "a hash"),
        (owner, "claims C1", "m", None, "x"),
        (older, "ledger", "last id", None, "0-0"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_was_tampered_with_is_named(
    ground: Ground,
    payer: str,
    tamper: Tamper,
    what: str,
    field: str,
    expected: str | None,
    found: str,
) -> None:
    """With both values; the books of others are not blamed."""

    async def scenario(stores: Stores) -> None:
        ground.spoiled.add(payer)
        mover = Mover(stores, payer)
        await mover.draw("C1", 4, day_tokens=("2026-11-01",))
        await Mover(stores, payer, member="MOTHER").draw("C2")
        await tamper(stores, mover)

        differences = await compared(stores, payer)
        seen = [each for each in differences if what in each.what and each.field == field]
        assert len(seen) == 1
        assert seen[0].found == found
        assert expected in (None, seen[0].expected)
        assert not [each for each in differences if "C2" in each.what]

    ground.run(scenario)


def test_an_entry_that_contradicts_itself_is_named(ground: Ground, payer: str) -> None:
    """Balances that an entry states, its sequence, and sums that do not come out."""

    async def scenario(stores: Stores) -> None:
        ground.spoiled.add(payer)
        mover = Mover(stores, payer)
        await mover.draw("C1", 4)
        stream: Any = await stores.redis.xrange(mover.keys.ledger)
        ((entry_id, fields),) = stream
        text = str(4 * SCALE)
        fields["r"] = fields["r"].replace(f'"f":["{text}"', '"f":["1"', 1)
        fields["q"] = '[["A1","7"]]'
        await stores.redis.delete(mover.keys.ledger)
        await stores.redis.xadd(mover.keys.ledger, fields, id=entry_id)

        differences = await compared(stores, payer)
        assert {(each.field, each.entry) for each in differences} == {
            ("H f", entry_id),
            ("sequence", entry_id),
        }

    ground.run(scenario)


def test_units_that_move_meanwhile_are_no_difference(ground: Ground, payer: str) -> None:
    """Two hundred draws and two workers that copy, while the books are compared again and again."""
    found: list[Outcome] = []

    async def draw(mover: Mover, count: int) -> None:
        for each in range(count):
            await mover.draw(f"C-{mover.member}-{each}", 1)
            mover.stores.projection.touch(payer)
            await asyncio.sleep(0)

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second, ground.stores() as third:
            movers = [
                Mover(each, payer, member=f"{MEMBER}-{number}")
                for number, each in enumerate((stores, second, stores, second))
            ]
            for each in (stores, second):
                each.projection.start()
            drawing = [asyncio.create_task(draw(mover, 50)) for mover in movers]
            while not all(task.done() for task in drawing):
                found.append(await third.reconciliation.run([payer]))
            await asyncio.gather(*drawing)
            found.append(await third.reconciliation.run([payer]))
            for each in (stores, second):
                await each.projection.close()

    ground.run(scenario)
    assert [each for one in found for *_, each in one.differences] == []
    assert found[-1].entries == 200
