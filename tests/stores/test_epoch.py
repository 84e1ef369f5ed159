"""A Redis that was emptied, or went back, is not taken for one in which less was used."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.application.parts import Stores
from service.settings import Settings
from service.stores.connection.faults import EngineUnavailable
from service.stores.ledger import epoch
from service.stores.ledger.epoch import AccumulatorsLost, OtherKey
from tests.ground import Ground
from tests.movements import Mover, forget, names_of
from tests.redis_process import RedisProcess

Scenario = Callable[[Stores], Awaitable[None]]


async def mark(stores: Stores, payer: str) -> str | None:
    """The mark of a book in Redis."""
    found = await stores.redis.hget(names_of(stores).book(payer).epoch, "e")
    return None if found is None else str(found)


def test_workers_that_begin_together_agree(ground: Ground, payer: str) -> None:
    """The mark is made once, in both engines."""

    async def scenario(stores: Stores) -> None:
        async with ground.stores() as second:
            asked = (each.epoch.of(payer) for each in (stores, second) * 5)
            marks = set(await asyncio.gather(*asked))
            assert marks == {await mark(stores, payer)}

    ground.run(scenario)


async def emptied(stores: Stores, payer: str) -> None:
    """All of the payer is gone, as after FLUSHALL."""
    await forget(stores, payer)


async def unmarked(stores: Stores, payer: str) -> None:
    """The mark alone is gone."""
    await stores.redis.delete(names_of(stores).book(payer).epoch)


async def another(stores: Stores, payer: str) -> None:
    """It is the Redis of others."""
    await stores.redis.hset(names_of(stores).book(payer).epoch, "e", "another")


async def forgotten(stores: Stores, payer: str) -> None:
    """Elasticsearch has a ledger, and does not know the book."""
    await stores.elasticsearch.delete(index=stores.indices.accounting, id=f"book|{payer}")


@pytest.mark.parametrize(
    ("losing", "told"),
    [
        (emptied, "gone: run `authmatch accumulators rebuild`"),
        (unmarked, "gone"),
        (another, "right Redis"),
        (forgotten, "does not know"),
    ],
)
@pytest.mark.parametrize("is_copied", [True, False], ids=["copied", "not copied"])
def test_what_was_lost_grants_nothing_until_it_is_rebuilt(
    ground: Ground,
    payer: str,
    losing: Callable[[Stores, str], Awaitable[None]],
    told: str,
    is_copied: bool,
) -> None:
    """Neither a worker that moved units a moment ago nor a new one; other payers go on."""

    async def scenario(stores: Stores) -> None:
        mover, other = Mover(stores, payer), Mover(stores, f"{payer}-b")
        await mover.draw("C1")
        await other.draw("C1")
        if is_copied:
            await stores.projection.project(payer)
        await losing(stores, payer)

        async with ground.stores() as second:
            for each in (stores, second) if losing is not forgotten else (second,):
                with pytest.raises(AccumulatorsLost, match=told):
                    await Mover(each, payer).draw("C2", 1)
                with pytest.raises(AccumulatorsLost, match=told):
                    await each.epoch.confirm(payer)
            assert await second.guard.obstacle([other.payer]) is None
            assert told in str(await second.guard.obstacle([other.payer, payer]))
            await other.draw("C2", 1)
            await second.rebuilding.run([payer], force=losing is not emptied)
        await mover.draw("C3", 1)

    ground.run(scenario)


def test_a_claim_of_an_emptied_redis_is_a_fault_and_not_unknown(ground: Ground, payer: str) -> None:
    """Whoever asks for it is not told that there is none."""

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1")
        await forget(stores, payer)
        with pytest.raises(AccumulatorsLost):
            await stores.accumulators.read_claim(payer, "C1")
        with pytest.raises(AccumulatorsLost):
            await stores.accumulators.balances(payer, {"A1": ["H"]})

    ground.run(scenario)


def test_indices_that_are_not_installed_are_told(own: Ground, payer: str) -> None:
    """They are no new book."""

    async def scenario(stores: Stores) -> None:
        await stores.elasticsearch.indices.delete(index=stores.indices.accounting)
        with pytest.raises(EngineUnavailable, match="not installed"):
            await stores.epoch.of(payer)

    own.run(scenario)


def test_another_surrogate_key_is_refused(ground: Ground, payer: str) -> None:
    """Under it no unit would be found, and all would look unused; a rebuild refuses it, too."""
    changes = {"surrogate_key": SecretStr("another")}
    other = Ground(settings=ground.settings.model_copy(update=changes), rules=ground.rules)

    async def scenario(stores: Stores) -> None:
        await Mover(stores, payer).draw("C1")
        async with other.stores() as changed:
            with pytest.raises(OtherKey, match="AUTHMATCH_SURROGATE_KEY"):
                await changed.guard.ensure(payer)
            with pytest.raises(OtherKey):
                await changed.guard.ensure(f"{payer}-new")
            with pytest.raises(OtherKey):
                await changed.rebuilding.run([payer], force=True)
        await stores.epoch.confirm(payer)

    ground.run(scenario)


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what other workers have to say."""
    monkeypatch.setattr(epoch, "OTHERS_S", 0.0)


@pytest.mark.usefixtures("_at_once")
class TestAnotherServer:
    """A Redis that was started again: with all that it had, or with an older copy."""

    @pytest.fixture
    def redis(self, tmp_path: Path) -> RedisProcess:
        """A Redis of the test alone."""
        return RedisProcess(tmp_path)

    def run(self, ground: Ground, redis: RedisProcess, scenario: Scenario) -> None:
        """Run a scenario on it."""
        with redis:
            replace(ground, settings=on_its_redis(ground, redis)).run(scenario)

    def test_what_has_all_goes_on_by_itself(
        self, ground: Ground, payer: str, redis: RedisProcess
    ) -> None:
        """Under another mark, by which an old primary would be told."""

        async def scenario(stores: Stores) -> None:
            mover = Mover(stores, payer)
            await mover.draw("C1")
            before = await mark(stores, payer)
            for claim in ("C2", "C3"):
                redis.kill()
                redis.start()
                await mover.draw(claim, 1)
            assert await mark(stores, payer) != before
            assert (await stores.reconciliation.run([payer])).difference_count == 0

        self.run(ground, redis, scenario)

    @pytest.mark.parametrize("knows", ["the ledger", "the worker", "another worker"])
    def test_an_older_copy_grants_nothing_until_it_is_rebuilt(
        self, ground: Ground, payer: str, redis: RedisProcess, tmp_path: Path, knows: str
    ) -> None:
        """Told by the ledger, by the worker that moved, or by its look beside the requests."""

        async def scenario(stores: Stores) -> None:
            mover, log = Mover(stores, payer), tmp_path / "log"
            await mover.draw("C1", 3)
            copy_log(tmp_path, log)
            await mover.draw("C2", 7)
            if knows == "the ledger":
                await stores.projection.project(payer)
            redis.kill()
            copy_log(log, tmp_path)
            redis.start()

            async with ground.stores(on_its_redis(ground, redis)) as second:
                if knows == "another worker":
                    await stores.epoch.turn()
                asked = stores if knows == "the worker" else second
                with pytest.raises(AccumulatorsLost, match="older state"):
                    await Mover(asked, payer).draw("C3", 7)
                for each in (stores, second):
                    with pytest.raises(AccumulatorsLost, match="older state"):
                        await Mover(each, payer).draw("C4", 1)
                assert "older state" in str(await second.guard.obstacle([payer]))
                assert (await second.reconciliation.run([payer])).difference_count > 0
                await second.rebuilding.run([payer], force=True)
                assert (await second.reconciliation.run([payer])).difference_count == 0
            await mover.draw("C5", 1)

        self.run(ground, redis, scenario)

    def test_a_full_disk_ends_it_and_costs_nothing_that_was_acknowledged(
        self, ground: Ground, payer: str, small_disk: Path
    ) -> None:
        """It cannot say that it is full: it is away, and with room it goes on where it was."""
        redis, told = RedisProcess(small_disk), 0

        async def scenario(stores: Stores) -> None:
            nonlocal told
            mover, filler = Mover(stores, payer), small_disk / "filler"
            await mover.draw("C1", 3)
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            with pytest.raises(EngineUnavailable):
                while told < 100:
                    await mover.draw("C2", 1)
                    told += 1
            with pytest.raises(EngineUnavailable):
                await stores.guard.obstacle([payer])
            redis.wait_until_ended()
            filler.unlink()
            redis.start()
            assert (await mover.look_up("C1")).claim.version == 1
            assert (await mover.look_up("C2")).claim.version in (told, told + 1)
            await mover.draw("C2", 7)
            assert (await stores.reconciliation.run([payer])).differences == []

        self.run(ground, redis, scenario)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of some megabytes; who may mount none has no such test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


def on_its_redis(ground: Ground, redis: RedisProcess) -> Settings:
    """The settings of a worker on this Redis."""
    return ground.settings.model_copy(update={"redis_url": redis.url})


def copy_log(source: Path, target: Path) -> None:
    """Copy the append-only file of a Redis, of one file or of a folder with several."""
    target.mkdir(exist_ok=True)
    for name in ("appendonly.aof", "appendonlydir"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        elif (source / name).exists():
            shutil.copy(source / name, target / name)
