"""`authmatch load`: pushes authorizations from files, as many as there are.

A large file is read by several processes, each of them takes shares of it.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from service.access.act import Act, finishing, tell_notes
from service.application import intake
from service.application.collector import GC_ALLOCATIONS_LOADING, quieten_collector
from service.application.maintenance import install_if_missing
from service.application.parts import (
    Application,
    Caller,
    local_caller,
)
from service.application.reception import Stream, acknowledgements
from service.cli.configuration import PayerOption, payer_of, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput
from service.cli.input_file import STDIN, InputFile, Told
from service.cli.opened import run_with
from service.cli.shares import SHARE_BYTES, Share, shares_of, work_in_shares
from service.cli.terminal import out, progress, put_line, say, table
from service.domain.submission import Notice
from service.flow.intake import NOT_TAKEN, STATUSES, TAKEN, Result, Taken
from service.ingest.x12.wire.results import InterchangeOutcome

BATCH = 1_000
"""So many authorizations go to the stores together: nobody else waits for this process."""


@dataclass(slots=True)
class _Loaded:
    """What became of a part of a file: counts, where something failed, and some of the results.

    ``outcomes`` are those of the X12 interchanges that ended in it, to be acknowledged.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed_at: int | None = None
    results: list[Result] = field(default_factory=list)
    outcomes: list[InterchangeOutcome] = field(default_factory=list)

    def take(self, each: Taken | Notice, *, every: bool = True) -> None:
        """Count a result, and keep the byte from which a load must go on.

        Without ``every`` results that are a plain success are not kept.
        """
        if isinstance(each, Notice):
            self.outcomes += [each.item] if isinstance(each.item, InterchangeOutcome) else []
            return
        result = each.result
        self.counts[result["status"]] += 1
        if result["status"] == "failed" and self.failed_at is None:
            self.failed_at = result["start"]
        if every or result["status"] not in TAKEN or result["status"] == "noted":
            self.results.append(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """How a file is loaded: for whom, from which byte on, by how many processes.

    Without ``every`` only results that are no plain success are given one by one, where a file goes
    to several processes.
    """

    payer: str
    offset: int = 0
    line: int = 1
    workers: int = 1
    every: bool = False

    async def run(self, caller: Caller, file: InputFile, advance: Told) -> AsyncIterator[_Loaded]:
        """Load a file; gives what became of it part by part, in its order.

        A large file of lines goes to several processes: versions of one authorization that are far
        apart in it may then arrive in any order, which changes what is said of them, and not what
        stands in the end.
        """
        settings = caller.parts.settings
        if file.path is not None and self._is_shared(file):
            advance(self.offset)
            for_each = partial(_share, load=self, name=file.name)
            shares = shares_of(file.path, start=self.offset, line=self.line)
            told = _advancing(shares, advance)
            async for loaded in work_in_shares(for_each, told, settings, workers=self.workers):
                yield loaded
            return
        stream = Stream(
            chunks=file.chunks(advance, self.offset),
            origin=f"load {file.name}",
            form=file.form,
            offset=self.offset,
            line=self.line,
            batch=max(settings.bulk_batch, BATCH),
        )
        async for each in intake.take(caller, stream):
            await tell_notes()
            loaded = _Loaded()
            loaded.take(each)
            yield loaded

    def _is_shared(self, file: InputFile) -> bool:
        is_large = file.size - self.offset > 2 * SHARE_BYTES
        return self.workers > 1 and is_large and file.form == "lines"


def _advancing(shares: Iterator[Share], advance: Told) -> Iterator[Share]:
    """Tell of every share as it is handed out."""
    for each in shares:
        advance(each.end - each.start)
        yield each


async def _share(parts: Application, share: Share, *, load: _Load, name: str) -> _Loaded:
    """Take in one share, in a process of its own."""
    stream = Stream(
        chunks=share.pieces(),
        origin=f"load {name}",
        form="lines",
        offset=share.start,
        line=share.line,
        batch=max(parts.settings.bulk_batch, BATCH),
    )
    loaded = _Loaded()
    async with finishing(Act(what="authmatch load", request=uuid.uuid4().hex[:16])):
        async for each in intake.take(local_caller(parts, load.payer), stream):
            await tell_notes()
            loaded.take(each, every=load.every)
    return loaded


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
    how = _Load(payer=payer_of(payer, settings), offset=offset, workers=workers, every=as_json)
    show = put_line if as_json else _tell

    async def told(parts: Application) -> Counter[str]:
        counts = await _load(parts, files, show, how, acknowledge)
        if not as_json:  # before the end is written in the audit trail, which may fail
            out.print(_summary(counts))
        return counts

    counts = run_with(settings, told)
    if counts["failed"]:
        raise typer.Exit(ENGINE_FAULT)
    if counts["rejected"] or counts["conflict"]:
        raise typer.Exit(PROBLEMS)


async def _load(
    parts: Application,
    names: list[str],
    show: Callable[[Result], None],
    load: _Load,
    acknowledge: Path | None,
) -> Counter[str]:
    files = [InputFile(name) for name in names]
    total = sum(file.size for file in files)  # also finds a file that is not there, before any push
    load = replace(load, line=files[0].line_at(load.offset))
    counts: Counter[str] = Counter()
    caller = local_caller(parts, load.payer)
    outcomes: list[InterchangeOutcome] = []
    await install_if_missing(parts, say)
    quieten_collector(GC_ALLOCATIONS_LOADING)
    with progress(in_bytes=True) as bars:
        bar = bars.add_task("loading", total=total or None)
        for file in files:
            loaded = load.run(caller, file, lambda size: bars.advance(bar, size))
            counts += await _told(file.name, loaded, show, outcomes)
    if acknowledge is not None and not counts["failed"]:
        texts = await acknowledgements(parts, load.payer, outcomes)
        await asyncio.to_thread(acknowledge.write_text, "".join(texts), encoding="ascii")
    if counts["queued"]:
        await _deliver(caller)
    return counts


async def _told(
    name: str,
    loaded: AsyncIterator[_Loaded],
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


async def _deliver(caller: Caller) -> None:
    """Store what had to wait, where that is possible by now: no service need run."""
    left = await intake.deliver(caller)
    if left:
        say(f"{left} wait in the outbox until Elasticsearch takes them")


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
    shown = table("status", "count", right=("count",))
    shown.show_header = False
    for status in STATUSES:
        if counts[status] or status == "created":
            color = "red" if status in NOT_TAKEN else "default"
            shown.add_row(f"[{color}]{status}[/]", f"{counts[status]:,}")
    return shown
