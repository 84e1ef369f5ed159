"""A rebuild of the index: matches go on, pushes wait, and nothing is lost, killed or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from service.application.parts import Stores
from service.domain.claim import Claim
from service.stores.connection.faults import EngineRefused, WritesPaused
from service.stores.connection.names import document_id, routing
from tests.builders import build_claim
from tests.ground import Ground, found, new_prefix, push, uninstall, version_of

MEMBERS = [f"M{each}" for each in range(60)]


def claim_of(member: str) -> Claim:
    """The usual claim of a member."""
    return build_claim(member={"id": member})


@asynccontextmanager
async def filled(ground: Ground, payer: str) -> AsyncIterator[Stores]:
    """Stores with indices of their own, which hold what a busy system holds."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})
    async with ground.stores(settings) as stores:
        await stores.installation.install()
        for start in range(0, 20):
            await push(
                stores,
                payer,
                *(
                    version_of(1, authorization_id=f"A-{member}-{start}", member={"id": member})
                    for member in MEMBERS
                ),
            )
        await push(stores, payer, version_of(2, authorization_id="A-M0-0", member={"id": "M1"}))
        gone = version_of(
            2, authorization_id="A-M2-0", member={"id": "M2"}, decision={"action": "C"}
        )
        await push(stores, payer, gone)
        yield stores
        await uninstall(stores)


COUNTS = {"M0": 19, "M1": 21, "M2": 19, "M3": 20}


async def counts(stores: Stores, payer: str) -> dict[str, int]:
    """How many are found with each member."""
    return {each: len(await shown(stores, payer, each)) for each in COUNTS}


async def held_by(stores: Stores) -> int:
    """How many documents the index holds, tombstones included."""
    await stores.visibility.refresh()
    response = await stores.elasticsearch.count(index=stores.indices.authorizations)
    return int(response["count"])


async def shown(stores: Stores, payer: str, member: str) -> list[str]:
    """What a match of the usual claim finds."""
    return await found(stores, payer, claim_of(member))


def test_matches_go_on_and_pushes_wait_while_the_index_is_rebuilt(
    ground: Ground, payer: str
) -> None:
    """No search fails or misses anything; a push is told to come again, and then works."""

    async def scenario() -> None:
        async with filled(ground, payer) as stores:
            before = await counts(stores, payer)
            held = await held_by(stores)
            done = asyncio.Event()
            paused = 0

            async def search() -> int:
                turns = 0
                while not done.is_set():
                    assert await counts(stores, payer) == before
                    turns += 1
                return turns

            async def push_until_taken() -> None:
                nonlocal paused
                late = version_of(1, authorization_id="LATE", member={"id": "M9"})
                while not (await stores.inspection.blocks() or done.is_set()):
                    pass  # each look is a request, and lets the others go on
                is_taken = False
                while not is_taken:
                    try:
                        is_taken = await push(stores, payer, late) == ["created"]
                    except WritesPaused as fault:
                        assert fault.retry_after_s > 0
                        paused += 1

            async def migrate() -> tuple[str, str, int]:
                result = await stores.migration.run(lambda done, total: None)
                done.set()
                return result

            (old, new, copied), turns, _ = await asyncio.gather(
                migrate(), search(), push_until_taken()
            )

            assert before == COUNTS
            assert (old[-3:], new[-3:]) == ("-v1", "-v2")
            assert copied == held
            assert turns >= 1
            assert paused >= 1
            assert await counts(stores, payer) == before
            assert "LATE" in await shown(stores, payer, "M9")

    asyncio.run(scenario())


def test_a_field_that_was_declared_later_can_be_used_after_a_rebuild(
    ground: Ground, payer: str
) -> None:
    """Attached data that was only in the source is then in the index."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})
    references = ground.rules.references
    attached = references.attached.model_copy(update={"fields": {"ward": "keyword"}})
    later = references.model_copy(update={"attached": attached})
    wards = {"term": {"attached.ward": "7B"}}

    async def scenario() -> None:
        async with ground.stores(settings) as stores:
            await stores.installation.install()
            await push(stores, payer, version_of(1, attached={"ward": "7B"}))
        stores = Stores(settings, later)
        try:
            index = stores.indices.authorizations
            assert await stores.installation.missing_fields() == [
                "attached.ward",
                "lines.attached.ward",
            ]
            await stores.migration.run(lambda done, total: None)

            assert await stores.installation.missing_fields() == []
            assert (await stores.elasticsearch.count(index=index, query=wards))["count"] == 1
            await uninstall(stores)
        finally:
            await stores.elasticsearch.close()
            await stores.redis.aclose()

    asyncio.run(scenario())


def test_a_killed_rebuild_is_made_good_by_the_next(ground: Ground, payer: str) -> None:
    """Cancelled half-way, the old index stands and takes pushes; killed, the next run recovers."""

    async def scenario() -> None:
        async with filled(ground, payer) as stores:
            running = asyncio.create_task(stores.migration.run(lambda done, total: None))
            while not await stores.inspection.blocks():
                pass  # each look is a request, and lets the rebuild go on
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            late = version_of(1, authorization_id="LATE", member={"id": "M9"})

            assert not await stores.inspection.blocks()
            assert await push(stores, payer, late) == ["created"]

            # As a kill leaves it: closed to writes, and a half-filled index beside it.
            old = await stores.migration.live_index()
            await stores.elasticsearch.indices.put_settings(
                index=old, settings={"index.blocks.write": True}
            )
            with pytest.raises(WritesPaused):
                await push(stores, payer, version_of(2, authorization_id="LATE"))
            held = await held_by(stores)
            _, _, copied = await stores.migration.run(lambda done, total: None)

            assert copied == held
            assert await counts(stores, payer) == COUNTS
            assert "LATE" in await shown(stores, payer, "M9")
            assert await push(stores, payer, version_of(2, authorization_id="LATE")) == ["updated"]

    asyncio.run(scenario())


def test_an_index_that_lost_documents_is_never_put_in_place(ground: Ground, payer: str) -> None:
    """Counts that differ stop the rebuild, and the old index goes on."""

    async def scenario() -> None:
        async with filled(ground, payer) as stores:
            migration = stores.migration
            old = await migration.live_index()

            def lose_one(done: int, total: int) -> None:
                new = f"{ground.settings.elasticsearch_url}/{old.replace('-v1', '-v2')}"
                if done < total:
                    return
                lost = httpx.delete(
                    f"{new}/_doc/{document_id(payer, 'A-M3-0')}",
                    params={"routing": routing(payer, "M3")},
                )
                assert lost.status_code == httpx.codes.OK

            with pytest.raises(EngineRefused, match="authorizations and"):
                await migration.run(lose_one)

            assert await migration.live_index() == old
            assert not await stores.inspection.blocks()
            assert await counts(stores, payer) == COUNTS

    asyncio.run(scenario())
