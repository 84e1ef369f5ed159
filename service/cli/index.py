"""`authmatch index`: puts the indices in place, and rebuilds them for a new mapping."""

import asyncio

import typer

from service.application.parts import Application, application
from service.cli.configuration import read_settings
from service.cli.terminal import progress, put, say
from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The indices: install, migrate.")


@app.command()
def install() -> None:
    """Install index templates, create what is missing; may be run as often as one likes."""

    async def run(settings: Settings) -> None:
        async with application(settings) as parts:
            await parts.stores.installation.install()
            put(f"installed: {await parts.stores.migration.live_index()}")

    asyncio.run(run(read_settings()))


@app.command()
def migrate() -> None:
    """Build a new index from the sources and put it in place; reads go on, pushes wait."""

    async def run(settings: Settings) -> None:
        async with application(settings) as parts:
            old, new, count = await _migrate(parts)
            put(f"{new} has taken the place of {old}: {count} documents")
            say(f"{old} is kept; delete it when you are content")

    asyncio.run(run(read_settings()))


async def _migrate(parts: Application) -> tuple[str, str, int]:
    with progress() as bars:
        bar = bars.add_task("rebuilding", total=None)
        return await parts.stores.migration.run(
            lambda done, total: bars.update(bar, completed=done, total=total)
        )
