"""`authmatch accumulators`: whether the units in Redis are those of the ledger, or made so."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from service.accounting.replay.ledger_page import Difference
from service.application.parts import application
from service.cli.configuration import JsonOption, payer_of, read_settings
from service.cli.faults import PROBLEMS, BadInput
from service.cli.terminal import progress, put, put_json, say
from service.settings import Settings
from service.stores.ledger.rebuilding import NotEmpty, Rebuilt
from service.stores.ledger.reconciliation import Reconciled

app = typer.Typer(no_args_is_help=True, help="Units used: reconcile, project, rebuild.")

PayerOnly = Annotated[
    str | None, typer.Option("--payer", help="Only this payer; without it all.", metavar="ID")
]


@app.command()
def reconcile(payer: PayerOnly = None, as_json: JsonOption = False) -> None:
    """Compare the accumulators with the ledger, field by field; exit code 1 for any difference.

    Units may be moved meanwhile.
    """

    async def run(settings: Settings) -> Reconciled:
        async with application(settings) as parts:
            with _shown("comparing") as tell:
                return await parts.stores.reconciliation.run(_only(payer, settings), tell)

    found = asyncio.run(run(read_settings()))
    if as_json:
        put_json(_report(found, found.differences) | {"difference_count": found.difference_count})
    else:
        _tell_differences(found.differences)
        left_out = found.difference_count - len(found.differences)
        if left_out:
            say(f"and {left_out} more")
        put(f"{_counted(found)}: {found.difference_count or 'no'} differences")
        put(f"digest {found.digest}")
    if found.difference_count:
        raise typer.Exit(PROBLEMS)


@app.command()
def project(payer: PayerOnly = None, as_json: JsonOption = False) -> None:
    """Copy the ledger entries that wait in Redis to Elasticsearch now."""

    async def run(settings: Settings) -> int:
        async with application(settings) as parts:
            stores = parts.stores
            payers = _only(payer, settings) or await stores.reconciliation.payers()
            return await stores.projection.sweep(payers)

    count = asyncio.run(run(read_settings()))
    if as_json:
        put_json({"entries": count})
    else:
        put(f"{count} ledger entries copied")


@app.command()
def rebuild(
    payer: PayerOnly = None,
    force: Annotated[
        bool, typer.Option("--force", help="Drop the accumulators that there are first.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the accumulators anew from the ledger, after Redis has lost them; stop pushes first.

    Nothing is adjudicated until it is done. Exit code 1 when the ledger is not sound.
    """

    async def run(settings: Settings) -> Rebuilt:
        async with application(settings) as parts:
            with _shown("rebuilding") as tell:
                done = await parts.stores.rebuilding.run(
                    _only(payer, settings), force=force, tell=tell
                )
            # The marks of members were lost, too: what was pushed last must be found all the same.
            await parts.stores.visibility.refresh()
            await parts.stores.late_queue.note_all(done.waiting)
            return done

    try:
        made = asyncio.run(run(read_settings()))
    except NotEmpty as refused:
        raise BadInput(str(refused)) from refused
    if as_json:
        put_json(_report(made, made.differences) | {"is_in_use": made.is_in_use})
    else:
        _tell_differences(made.differences)
        put(f"rebuilt: {_counted(made)}")
        put(f"digest {made.digest}")
        if not made.is_in_use:
            say("other payers are missing: run it without --payer; until then nothing is paid")
    if made.differences or not made.is_in_use:
        raise typer.Exit(PROBLEMS)


def _only(payer: str | None, settings: Settings) -> tuple[str, ...]:
    return () if payer is None else (payer_of(payer, settings),)


def _counted(done: Reconciled | Rebuilt) -> str:
    return f"{done.entries} ledger entries, {done.hashes} hashes ({done.archived} at rest)"


def _report(
    done: Reconciled | Rebuilt, differences: Iterable[tuple[str, Difference]]
) -> dict[str, Any]:
    return {
        "payers": done.payers,
        "entries": done.entries,
        "hashes": done.hashes,
        "archived": done.archived,
        "digest": done.digest,
        "differences": [
            {"payer": payer, **asdict(difference)} for payer, difference in differences
        ],
    }


def _tell_differences(differences: Iterable[tuple[str, Difference]]) -> None:
    for payer, difference in differences:
        seen = f" (entry {difference.entry})" if difference.entry else ""
        put(
            f"{payer}: {difference.what}, {difference.field}:"
            f" ledger {difference.expected}, found {difference.found}{seen}"
        )


@contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while a block runs."""
    with progress() as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
