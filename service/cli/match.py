"""`authmatch match`: what covers the lines of a claim, and how surely."""

import asyncio
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType

from service.application import claims
from service.application.parts import Caller
from service.cli.answer_view import answer_view
from service.cli.claim_file import ClaimsArgument, Shown, put_answers
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS
from service.cli.over_http import ServiceOption, put_answers_of
from service.domain.claim import Claim


def match(
    claim: ClaimsArgument,
    balances: Annotated[
        bool, typer.Option("--balances", help="Say of every candidate what is used and left.")
    ] = False,
    payer: PayerOption = None,
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Match a claim: for each line its class, the candidates with their evidence, events.

    An 837 file may hold many claims: each is answered, with --json on a line of its own. Exit
    code 1 when some of them cannot be read.
    """
    if service is not None:
        put_answers_of(
            service, "/match", claim, Claim, answer_view,
            payer=payer, as_json=as_json, balances=balances,
        )  # fmt: skip
        return
    settings = read_settings()
    shown = Shown(settings=settings, payer=payer_of(payer, settings), as_json=as_json)
    if asyncio.run(put_answers(claim, Claim, partial(_answered, balances), shown)):
        raise typer.Exit(PROBLEMS)


async def _answered(
    balances: bool, caller: Caller, claim: Claim, _: object
) -> tuple[object, RenderableType]:
    answer = await claims.match(caller, claim, balances=balances)
    return answer, answer_view(claim, answer)
