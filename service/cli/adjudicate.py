"""`authmatch adjudicate`: what may be paid of a claim, drawn from its authorizations."""

from typing import Annotated

import typer

from service.application import claims
from service.application.parts import Caller
from service.cli.adjudication_view import adjudication_view
from service.cli.claim_file import ClaimArgument, read_claim
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import PROBLEMS
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, say
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.domain.engine_fault import EngineFault


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
    given = read_claim(claim, Adjudication)

    async def work(caller: Caller) -> tuple[AdjudicationAnswer, EngineFault | None]:
        done = await claims.adjudicate(caller, given, dry=dry_run, again=readjudicate)
        return done.answer, await claims.not_copied(caller, done)

    answer, fault = run_for_payer(work, payer)
    put_answer(answer, adjudication_view(given, answer), as_json=as_json)
    end_unless_copied(fault)


def end_unless_copied(fault: EngineFault | None) -> None:
    """Say that a ledger entry waits, and leave; units were moved all the same."""
    if fault is not None:
        say(f"adjudicated, but the ledger entry waits in Redis until a service runs: {fault}")
        raise typer.Exit(PROBLEMS)
