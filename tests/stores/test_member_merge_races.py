"""Members are merged while others match, push and draw: nothing is missed, nothing counts twice."""

import asyncio
from random import Random

import pytest

from service.application.parts import Stores
from service.stores.members.merge import MergeRefused
from tests.ground import Ground, push, seeds
from tests.stores.merging import found_for, merge, pushed

pytestmark = pytest.mark.cluster


async def matches(
    stores: Stores, payer: str, members: dict[str, list[str]], ended: asyncio.Event
) -> int:
    """Match under these ids in a loop; every answer finds what is named."""
    count = 0
    while not ended.is_set():
        for member, names in members.items():
            wanted = tuple(names)  # of a merge that ends meanwhile nothing is promised
            seen = await found_for(stores, payer, member)
            missed = [name for name in wanted if name not in seen]
            assert missed == [], f"{member} missed {missed} of {wanted}: {seen}"
            assert len(seen) == len(set(seen))
            count += 1
    return count


@pytest.mark.parametrize(
    ("seed", "count"), [(0, 12), (1, 12), pytest.param(2, 240, marks=pytest.mark.long)]
)
def test_no_match_misses_an_authorization(
    ground: Ground, payer: str, seed: int, count: int
) -> None:
    """Under either id, on either worker, at any moment of many merges at once."""

    async def scenario(stores: Stores) -> None:
        chance, ended = Random(seed), asyncio.Event()
        people = range(count)
        names = {each: [f"A{each}-{n}" for n in range(chance.randint(1, 4))] for each in people}
        for each in people:
            await push(stores, payer, *(pushed(name, f"OLD{each}") for name in names[each]))
            await push(stores, payer, pushed(f"B{each}", f"NEW{each}"))
        async with ground.stores() as second:
            members = {f"OLD{each}": names[each] for each in people}
            members |= {f"NEW{each}": [f"B{each}"] for each in people}
            looking = [
                asyncio.create_task(matches(each, payer, dict(some), ended))
                for each in (stores, second)
                for some in (list(members.items())[::2], list(members.items())[1::2])
            ]
            for start in range(0, len(people), 4):
                some = people[start : start + 4]
                workers = chance.choices((stores, second), k=4)
                await asyncio.gather(
                    *(
                        merge(worker, payer, f"OLD{each}", f"NEW{each}")
                        for worker, each in zip(workers, some, strict=True)
                    )
                )
                for each in some:
                    members[f"NEW{each}"] += names[each]
                    assert await found_for(second, payer, f"NEW{each}") == [
                        *(sorted([*names[each], f"B{each}"]))
                    ]
            ended.set()
            assert all(await asyncio.gather(*looking))

    ground.run(scenario)


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_pushes_during_a_merge_are_found(ground: Ground, payer: str, seed: int) -> None:
    """What was acknowledged under either id is found under both, also when it is new or void."""

    async def scenario(stores: Stores) -> None:
        chance, ended = Random(seed), asyncio.Event()
        standing: dict[str, list[str]] = {"M1": ["A0", "A1", "A2"], "M2": ["B0"]}
        await push(stores, payer, *(pushed(each, "M1") for each in ("A0", "A1", "A2", "V0")))
        await push(stores, payer, pushed("B0", "M2"))
        async with ground.stores() as second:

            async def pushes(worker: Stores, number: int) -> None:
                for step in range(12):
                    name = chance.choice(("A0", "A1", "A2"))
                    member = "M1" if name != "B0" else "M2"
                    version = 2 + step * 4 + number
                    await push(worker, payer, pushed(name, member, version))
                    fresh = f"N{number}-{step}"
                    await push(worker, payer, pushed(fresh, "M1"))
                    assert fresh in await found_for(stores, payer, "M1")
                    assert fresh in await found_for(second, payer, "M1")

            looking = [
                asyncio.create_task(matches(each, payer, standing, ended))
                for each in (stores, second)
            ]
            pushing = [
                asyncio.create_task(pushes((stores, second)[number % 2], number))
                for number in range(3)
            ]
            await asyncio.sleep(0)
            await merge(chance.choice((stores, second)), payer, "M1", "M2")
            await stores.authorizations.withdraw(payer, pushed("V0", "M1", 2))
            assert "V0" not in await found_for(second, payer, "M1")
            await asyncio.gather(*pushing)
            ended.set()
            await asyncio.gather(*looking)
            everything = [*standing["M1"], "B0"]
            everything += [f"N{number}-{step}" for number in range(3) for step in range(12)]
            for member in ("M1", "M2"):
                assert await found_for(second, payer, member) == sorted(everything)

    ground.run(scenario)


@pytest.mark.parametrize("seed", seeds(2, 6))
def test_merges_at_once_never_close_a_circle(ground: Ground, payer: str, seed: int) -> None:
    """Of those that would, some are refused; all that was found before is found at the end."""

    async def scenario(stores: Stores) -> None:
        chance = Random(seed)
        members = [f"M{each}" for each in range(4)]
        await push(stores, payer, *(pushed(f"A-{each}", each) for each in members))
        async with ground.stores() as second:

            async def one(number: int) -> bool:
                member, into = chance.sample(members, 2)
                try:
                    await merge((stores, second)[number % 2], payer, member, into)
                except MergeRefused:
                    return False
                return True

            assert any(await asyncio.gather(*(one(number) for number in range(8))))
            people = {each: await stores.members.person(payer, each) for each in members}
            for each in members:
                expected = sorted(
                    f"A-{other}" for other in members if people[other].member == people[each].member
                )
                assert await found_for(second, payer, each) == expected

    ground.run(scenario)
