"""A worker is killed in the middle of what arrived late: each claim is adjudicated anew once."""

import asyncio
import time

from tests.api.service_process import ServiceProcess
from tests.ground import Ground, push, version_of
from tests.late.office import Office, run

MEMBERS = [f"M{each:02}" for each in range(12)]
CLAIMS = [f"{member}.{each}" for member in MEMBERS for each in range(2)]
PATIENCE_S = 60


async def readjudicated(desk: Office) -> list[str]:
    """The claims that were adjudicated anew, some perhaps more than once."""
    kinds = {each: await desk.kinds(each) for each in CLAIMS}
    return [each for each, known in kinds.items() for kind in known if kind == "readjudicate"]


async def until(desk: Office, count: int) -> None:
    """Wait until so many claims were adjudicated anew."""
    deadline = time.monotonic() + PATIENCE_S
    while len(await readjudicated(desk)) < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_what_a_killed_worker_left_is_done_by_the_next(ground: Ground, payer: str) -> None:
    """Whatever it was doing; the units of each claim are drawn once."""
    settings = ground.settings.model_copy(
        update={"default_payer": payer, "late_authorizations": "automatic"}
    )

    async def scenario(desk: Office) -> None:
        for claim in CLAIMS:
            await desk.adjudicate(claim_id=claim, member={"id": claim.partition(".")[0]})
        versions = [
            version_of(authorization_id=f"A-{each}", number="AU-1", member={"id": each})
            for each in MEMBERS
        ]
        await push(desk.stores, payer, *versions)
        with ServiceProcess(settings) as service:
            await until(desk, 3)
            service.kill()
        await desk.pause_over()
        await desk.work()
        assert sorted(await readjudicated(desk)) == sorted(CLAIMS)
        assert [await desk.used(f"A-{each}") for each in MEMBERS] == [2] * len(MEMBERS)
        assert await desk.queued() == 0

    run(ground, payer, scenario, late_authorizations="automatic")
