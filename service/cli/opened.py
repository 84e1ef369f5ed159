"""Opens the parts of the service for a command, runs it, and closes them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from service.access.act import Act, finishing
from service.application.parts import Application, Caller, application, local_caller
from service.cli.commands import COMMAND
from service.cli.configuration import payer_of, read_settings
from service.cli.terminal import progress
from service.rules.book import RuleBook
from service.settings import Settings

T = TypeVar("T")


def run_for_payer(work: Callable[[Caller], Awaitable[T]], payer: str | None) -> T:
    """Do what a payer asks for, else the default one.

    Raises BadInput where a setting or the payer is wrong, EngineFault where an engine fails.
    """
    settings = read_settings()
    whose = payer_of(payer, settings)
    return run_with(settings, lambda parts: work(local_caller(parts, whose)))


def run_with(
    settings: Settings,
    work: Callable[[Application], Awaitable[T]],
    rules: RuleBook | None = None,
) -> T:
    """Do something with the parts that these settings make; raises EngineFault."""

    async def run() -> T:
        async with opened(settings, rules) as parts:
            return await work(parts)

    return asyncio.run(run())


@asynccontextmanager
async def opened(settings: Settings, rules: RuleBook | None = None) -> AsyncIterator[Application]:
    """The parts for a command, which is a row of the audit trail of the payer it asks for."""
    act = Act(what=COMMAND.get(), request=uuid.uuid4().hex[:16])
    async with application(settings, rules=rules) as parts, finishing(act):
        yield parts


Tell = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


def run_shown(
    settings: Settings,
    what: str,
    work: Callable[[Application, Tell], Awaitable[T]],
    rules: RuleBook | None = None,
) -> T:
    """Do so, by these rules or by those in force, and show a bar meanwhile."""

    async def run(parts: Application) -> T:
        with progress() as bars:
            bar = bars.add_task(what, total=None)
            return await work(
                parts, lambda done, total: bars.update(bar, completed=done, total=total)
            )

    return run_with(settings, run, rules)
