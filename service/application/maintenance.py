"""What operators ask for: indices, ledger and accumulators put right, and whether all is ready."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Literal

from typing_extensions import TypedDict

from service.application import audit
from service.application._in_force import RulesAge
from service.application.parts import Application
from service.domain.engine_fault import EngineFault
from service.rules.texts import read_folder
from service.stores.connection.clock import today
from service.stores.connection.faults import EngineUnavailable
from service.stores.ledger.rebuilding import Rebuilt as Rebuilt
from service.stores.ledger.shelf_books import Outcome as Outcome
from service.stores.ledger.shelf_books import Tell

_WAIT_STEP_S = 1.0


class Readiness(TypedDict):
    """Whether claims can be matched, units moved (or why not), and whether pushes wait.

    It is told without a credential: how many wait, of all payers, it does not say. ``closed`` names
    indices that take no writes, with what closes them. ``rules``: since when a worker has not seen
    which are in force; null where they are given.
    """

    status: Literal["ready", "degraded"]
    adjudication: str
    outbox: Literal["empty", "waiting"] | None
    closed: list[str]
    rules: RulesAge | None


async def reconcile(parts: Application, payers: Sequence[str], tell: Tell) -> Outcome:
    """Compare the accumulators of these payers, else of all, with the ledger; EngineFault."""
    return await parts.stores.reconciliation.run(payers, tell)


async def project(parts: Application, payers: Sequence[str]) -> int:
    """Copy the ledger entries of these payers, else of all, that wait in Redis; counts them."""
    stores = parts.stores
    return await stores.projection.sweep(payers or await stores.ledger.everybody())


async def archive(parts: Application, payers: Sequence[str]) -> int:
    """Take what is at rest out of Redis, of these payers, else of all; counts claims and accounts.

    Raises EngineFault.
    """
    stores = parts.stores
    return sum(
        [await stores.resting.rest(payer) for payer in payers or await stores.ledger.everybody()]
    )


async def rebuild(parts: Application, payers: Sequence[str], *, force: bool, tell: Tell) -> Rebuilt:
    """Make the accumulators of these payers, else of all, anew from the ledger.

    Raises NotEmpty unless ``force`` drops what there is, and EngineFault. What else Redis has lost
    is made anew, too: marks of members by a refresh, for what was pushed last must be found all the
    same, and the queue of members with claims that wait.
    """
    done = await parts.stores.rebuilding.run(payers, force=force, tell=tell)
    await parts.stores.visibility.refresh()
    await parts.stores.late_queue.note_all(done.waiting)
    for payer in done.payers:
        await parts.stores.following.rebuild(payer, parts.stores.ledger)
    await audit.tell(parts, done.payers)
    return done


async def _install(parts: Application) -> None:
    """Put the indices in place, and the rules of the settings in force where there are none."""
    await parts.stores.installation.install()
    if parts.in_force is not None:
        await parts.in_force.seed(read_folder(parts.settings.queries_dir))


async def install(parts: Application) -> str:
    """Put the indices in place, as often as one likes; gives the name of the live one."""
    await _install(parts)
    return await parts.stores.migration.live_index()


async def install_if_missing(parts: Application, say: Callable[[str], object]) -> None:
    """Put the indices in place unless they are; a push into none would have them guessed."""
    if not await parts.stores.inspection.is_installed():
        say("installing the indices")
        await _install(parts)


async def install_when_ready(
    parts: Application, *, wait_seconds_max: float, say: Callable[[str], object]
) -> None:
    """Install the indices, waiting for engines that are not up yet; raises EngineFault."""
    deadline = time.monotonic() + wait_seconds_max
    last = ""
    while True:
        try:
            await _install(parts)
            if not await parts.stores.inspection.check():
                raise EngineUnavailable("redis", "cannot be reached")
            await parts.stores.durability.ensure()
        except EngineFault as fault:
            if fault.is_lasting or time.monotonic() >= deadline:
                raise
            if str(fault) != last:
                say(f"waiting for the engines: {fault}")
                last = str(fault)
            await asyncio.sleep(_WAIT_STEP_S)
        else:
            return


async def migrate(parts: Application, tell: Tell) -> tuple[str, str, int]:
    """Build a new index and put it in place; gives the old, the new, and its documents."""
    return await parts.stores.migration.run(tell)


async def reseal(parts: Application, tell: Tell) -> int:
    """Seal anew what is not under the first key; gives how many documents. Raises EngineFault."""
    count = await parts.stores.resealing.run(tell)
    return count + await asyncio.to_thread(lambda: sum(parts.stores.documents.reseal()))


async def readiness(parts: Application) -> Readiness:
    """Whether claims can be matched, units moved and pushes stored now.

    Raises EngineFault while Elasticsearch does not answer. Without Redis claims are matched as
    ever, and pushes must wait.
    """
    has_redis = await parts.stores.inspection.check()
    parts.rules.of(parts.settings.default_payer, today())
    obstacle = await _obstacle(parts) if has_redis else "redis does not answer"
    outbox = await _outbox(parts) if has_redis else None
    closed = [f"{each.index}: {each.kind}" for each in await parts.stores.inspection.blocks()]
    return {
        "status": "degraded" if obstacle or outbox == "waiting" or closed else "ready",
        "adjudication": obstacle or "ready",
        "outbox": outbox,
        "closed": closed,
        "rules": parts.in_force.age() if parts.in_force else None,
    }


async def _outbox(parts: Application) -> Literal["empty", "waiting"] | None:
    """Whether anything waits in the outbox; None where it cannot be read."""
    try:
        return "waiting" if await parts.stores.courier.waiting() else "empty"
    except EngineFault:
        return None


async def _obstacle(parts: Application) -> str | None:
    """Say why no units may be moved, which matching does not need; None when they may."""
    try:
        found = await parts.stores.guard.obstacle(parts.stores.payers)
    except EngineFault as fault:
        return f"{fault.engine}: {fault.reason}"
    return f"redis: {found}" if found else None
