"""`authmatch load`: pushes authorizations from files, as many as there are."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from service.bootstrap import Application, application
from service.cli.authorization_file import STDIN, AuthorizationFile
from service.cli.configuration import PayerOption, payer_of, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput
from service.cli.terminal import out, progress, put_line, say
from service.flow.intake import take_in
from service.settings import Settings
from service.stores.inspection import Inspection

STATUSES = ("created", "updated", "unchanged", "superseded", "conflict", "rejected", "failed")
_NOT_TAKEN = ("conflict", "rejected", "failed")

Result = dict[str, Any]


def load(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="NDJSON, a JSON array or one object; - is stdin."),
    ],
    payer: PayerOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a JSON line for every authorization.")
    ] = False,
) -> None:
    """Push authorizations from files straight into the stores.

    Exit code: 0 all taken, 1 some rejected or in conflict, 3 some failed (load them again).
    """
    if files.count(STDIN) > 1:
        raise BadInput("stdin (-) can be read once only")
    settings = read_settings()
    whose = payer_of(payer, settings)
    counts = asyncio.run(_load(files, whose, settings, put_line if as_json else _tell))
    if not as_json:
        out.print(_summary(counts))
    if counts["failed"]:
        raise typer.Exit(ENGINE_FAULT)
    if counts["rejected"] or counts["conflict"]:
        raise typer.Exit(PROBLEMS)


async def _load(
    names: list[str], payer: str, settings: Settings, show: Callable[[Result], None]
) -> Counter[str]:
    files = [AuthorizationFile(name, settings.line_bytes_max) for name in names]
    total = sum(file.size for file in files)  # also finds a file that is not there, before any push
    counts: Counter[str] = Counter()
    async with application(settings) as parts:
        await install_if_missing(parts)
        with progress(in_bytes=True) as bars:
            bar = bars.add_task("loading", total=total or None)
            for file in files:
                async for result in take_in(
                    file.values(lambda size: bars.advance(bar, size)),
                    payer,
                    parts.stores.authorizations,
                    batch=settings.bulk_batch,
                    line_bytes_max=settings.line_bytes_max,
                ):
                    counts[result["status"]] += 1
                    show({"file": file.name, **result, "line": file.line_of(result["line"])})
    return counts


async def install_if_missing(parts: Application) -> None:
    """Install the indices: a push into none would have Elasticsearch guess them."""
    stores = parts.stores
    if not await Inspection(stores.elasticsearch, stores.redis, stores.indices).is_installed():
        say("installing the indices")
        await stores.installation.install()


def _tell(result: Result) -> None:
    """Say what was not taken, as compilers do."""
    if result["status"] in _NOT_TAKEN:
        name = f" {result['authorization_id']}" if result["authorization_id"] else ""
        where = f"{result['file']}:{result['line']}"
        say(f"{where}: {result['status']}{name}: {result['reason']}")


def _summary(counts: Counter[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for status in STATUSES:
        if counts[status] or status == "created":
            color = "red" if status in _NOT_TAKEN else "default"
            table.add_row(f"[{color}]{status}[/]", f"{counts[status]:,}")
    return table
