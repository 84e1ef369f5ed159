"""`authmatch adjudicate`: what may be paid of a claim, drawn from its authorizations."""

import asyncio
from typing import Annotated

import typer
from rich.console import RenderableType

from service.application import claims
from service.application.claims import ClaimSent
from service.application.parts import Caller
from service.cli.adjudication_view import adjudication_view
from service.cli.claim_file import ClaimsArgument, Shown, put_answers
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS
from service.cli.over_http import ServiceOption, put_answers_of
from service.cli.terminal import say
from service.domain.adjudication import Adjudication
from service.domain.engine_fault import EngineFault


def adjudicate(
    claim: ClaimsArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Give the same answer and move nothing.")
    ] = False,
    readjudicate: Annotated[
        bool,
        typer.Option("--readjudicate", help="Give back what this version drew, and draw again."),
    ] = False,
    payer: PayerOption = None,
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Adjudicate a claim: draw its units, and say what is paid of every line, and why not more.

    The same claim and version again gives the same answer and draws nothing. An 837 file may hold
    many claims: they are adjudicated one after the other, with --json each on a line of its own.
    Exit code 1: it was adjudicated, but the ledger entry could not be copied to Elasticsearch yet;
    or some claims of an 837 were not adjudicated.
    """
    if service is not None:
        put_answers_of(
            service, "/adjudicate", claim, Adjudication, adjudication_view,
            payer=payer, as_json=as_json, dry_run=dry_run, readjudicate=readjudicate,
        )  # fmt: skip
        return
    settings = read_settings()
    whose = payer_of(payer, settings)
    faults: list[EngineFault] = []

    async def answered(
        caller: Caller, given: Adjudication, sent: ClaimSent | None
    ) -> tuple[object, RenderableType]:
        dry = dry_run or (sent is not None and sent.is_estimate)
        done = await claims.adjudicate(caller, given, dry=dry, again=readjudicate)
        fault = await claims.not_copied(caller, done)
        faults.extend([fault] if fault else [])
        return done.answer, adjudication_view(given, done.answer)

    shown = Shown(settings=settings, payer=whose, as_json=as_json, moves=True)
    missed = asyncio.run(put_answers(claim, Adjudication, answered, shown))
    end_unless_copied(next(iter(faults), None))
    if missed:
        raise typer.Exit(PROBLEMS)


def end_unless_copied(fault: EngineFault | None) -> None:
    """Say that a ledger entry waits, and leave; units were moved all the same."""
    if fault is not None:
        say(f"adjudicated, but the ledger entry waits in Redis until a service runs: {fault}")
        raise typer.Exit(PROBLEMS)
