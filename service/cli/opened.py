"""Runs what a command does for one payer, with the parts of the service."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.application.parts import Application, application
from service.cli.configuration import payer_of, read_settings

T = TypeVar("T")


def run_for_payer(work: Callable[[Application, str], Awaitable[T]], payer: str | None) -> T:
    """Open the parts, do the work for the payer that was given, else the default; close them.

    Raises BadInput where a setting or the payer is wrong, EngineFault where an engine fails.
    """
    settings = read_settings()
    whose = payer_of(payer, settings)

    async def run() -> T:
        async with application(settings) as parts:
            return await work(parts, whose)

    return asyncio.run(run())
