"""`authmatch adjudicate`: what may be paid of a claim, drawn from its authorizations."""

import asyncio
from typing import Annotated

import typer

from service.application.parts import Application, application, run_claim
from service.cli.adjudication_view import adjudication_view
from service.cli.claim_file import ClaimArgument, read_adjudication
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS
from service.cli.terminal import out, put_json, say
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.domain.engine_fault import EngineFault
from service.flow.adjudicating.adjudicate import Adjudicated
from service.settings import Settings


def adjudicate(
    claim: ClaimArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Give the same answer and move nothing.")
    ] = False,
    readjudicate: Annotated[
        bool,
        typer.Option("--readjudicate", help="Give back what this version drew, and draw again."),
    ] = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Adjudicate a claim: draw its units, and say what is paid of every line, and why not more.

    The same claim and version again gives the same answer and draws nothing. Exit code 1: it was
    adjudicated, but the ledger entry could not be copied to Elasticsearch yet.
    """
    settings = read_settings()
    given = read_adjudication(claim)
    whose = payer_of(payer, settings)
    answer, was_copied = asyncio.run(
        _adjudicate(given, whose, settings, dry=dry_run, again=readjudicate)
    )
    if as_json:
        put_json(answer)
    else:
        out.print(adjudication_view(given, answer))
    if not was_copied:
        raise typer.Exit(PROBLEMS)


async def _adjudicate(
    claim: Adjudication, payer: str, settings: Settings, *, dry: bool, again: bool
) -> tuple[AdjudicationAnswer, bool]:
    async with application(settings) as parts:
        done = await run_claim(parts, payer, claim, dry=dry, again=again)
        return done.answer, await is_copied(parts, payer, done)


async def is_copied(parts: Application, payer: str, done: Adjudicated) -> bool:
    """Copy the ledger entry before the command ends; units were moved also where that fails."""
    if done.replayed or done.answer["dry_run"]:
        return True
    try:
        await parts.stores.projection.project(payer)
    except EngineFault as fault:
        say(f"adjudicated, but the ledger entry waits in Redis until a service runs: {fault}")
        return False
    return True
