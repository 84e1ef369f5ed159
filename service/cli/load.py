"""`authmatch load`: pushes authorizations from files, as many as there are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from service.application.parts import (
    GC_ALLOCATIONS_LOADING,
    Application,
    application,
    quieten_collector,
)
from service.application.reception import acknowledgements
from service.cli.configuration import PayerOption, payer_of, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput
from service.cli.input_file import STDIN, InputFile
from service.cli.loading import Load, Loaded
from service.cli.terminal import out, progress, put_line, say
from service.domain.engine_fault import EngineFault
from service.flow.intake import NOT_TAKEN, STATUSES, Result
from service.ingest.x12.wire.results import InterchangeOutcome
from service.settings import Settings
from service.stores.connection.inspection import Inspection


def load(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="NDJSON, a JSON array or object, FHIR, or X12 278; - is stdin."
        ),
    ],
    payer: PayerOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a JSON line for every authorization.")
    ] = False,
    offset: Annotated[
        int, typer.Option("--offset", min=0, help="Go on from this byte of the only file.")
    ] = 0,
    acknowledge: Annotated[
        Path | None,
        typer.Option(help="Write the 999 and TA1 of X12 files into this file.", metavar="FILE"),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that read a large file of lines.")
    ] = 2,
) -> None:
    """Push authorizations from files straight into the stores.

    Exit code: 0 all taken, 1 some rejected or in conflict, 3 some failed (load them again).
    """
    if files.count(STDIN) > 1:
        raise BadInput("stdin (-) can be read once only")
    if offset and len(files) > 1:
        raise BadInput("--offset goes with one file")
    settings = read_settings()
    how = Load(payer=payer_of(payer, settings), offset=offset, workers=workers, every=as_json)
    show = put_line if as_json else _tell
    counts = asyncio.run(_load(files, settings, show, how, acknowledge))
    if not as_json:
        out.print(_summary(counts))
    if counts["failed"]:
        raise typer.Exit(ENGINE_FAULT)
    if counts["rejected"] or counts["conflict"]:
        raise typer.Exit(PROBLEMS)


async def _load(
    names: list[str],
    settings: Settings,
    show: Callable[[Result], None],
    load: Load,
    acknowledge: Path | None,
) -> Counter[str]:
    files = [InputFile(name) for name in names]
    total = sum(file.size for file in files)  # also finds a file that is not there, before any push
    load = replace(load, line=files[0].line_at(load.offset))
    counts: Counter[str] = Counter()
    outcomes: list[InterchangeOutcome] = []
    async with application(settings) as parts:
        await install_if_missing(parts)
        quieten_collector(GC_ALLOCATIONS_LOADING)
        with progress(in_bytes=True) as bars:
            bar = bars.add_task("loading", total=total or None)
            for file in files:
                parts_of = load.run(parts, file, lambda size: bars.advance(bar, size))
                counts += await _told(file.name, parts_of, show, outcomes)
        if acknowledge is not None and not counts["failed"]:
            texts = await acknowledgements(parts, load.payer, outcomes)
            await asyncio.to_thread(acknowledge.write_text, "".join(texts), encoding="ascii")
        if counts["queued"]:
            await _deliver(parts, load.payer)
    return counts


async def _told(
    name: str,
    loaded: AsyncIterator[Loaded],
    show: Callable[[Result], None],
    outcomes: list[InterchangeOutcome],
) -> Counter[str]:
    """Show what becomes of a file, and say from where to go on where something failed.

    The interchanges that ended in it are added to ``outcomes``.
    """
    counts: Counter[str] = Counter()
    failed_at: int | None = None
    async for part in loaded:
        counts += part.counts
        outcomes += part.outcomes
        failed_at = part.failed_at if failed_at is None else failed_at
        for result in part.results:
            show({"file": name, **result})
    if not counts:
        say(f"{name}: there is nothing in it")
    if failed_at is not None:
        say(f"{name}: some failed; load it again with --offset {failed_at}")
    return counts


async def _deliver(parts: Application, payer: str) -> None:
    """Store what had to wait, where that is possible by now: no service need run."""
    with suppress(EngineFault):
        await parts.stores.courier.deliver(payer)
    left = (await parts.stores.outbox.waiting([payer])).get(payer)
    if left is not None:
        say(f"{left.count} wait in the outbox until Elasticsearch takes them")


async def install_if_missing(parts: Application) -> None:
    """Install the indices: a push into none would have Elasticsearch guess them."""
    stores = parts.stores
    if not await Inspection(stores.elasticsearch, stores.redis, stores.indices).is_installed():
        say("installing the indices")
        await stores.installation.install()


def _tell(result: Result) -> None:
    """Say what was not taken, as compilers do."""
    if result["status"] in (*NOT_TAKEN, "noted"):
        name = f" {result['authorization_id']}" if result["authorization_id"] else ""
        say(f"{_where(result)}: {result['status']}{name}: {result['reason']}")


def _where(result: Result) -> str:
    if "line" in result:
        return f"{result['file']}:{result['line']}"
    if "segment" in result:
        return f"{result['file']}: segment {result['segment']}"
    return str(result["file"])


def _summary(counts: Counter[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for status in STATUSES:
        if counts[status] or status == "created":
            color = "red" if status in NOT_TAKEN else "default"
            table.add_row(f"[{color}]{status}[/]", f"{counts[status]:,}")
    return table
