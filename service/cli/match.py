"""`authmatch match`: what covers the lines of a claim, and how surely."""

import asyncio

from service.bootstrap import application
from service.cli.answer_view import Answer, answer_view
from service.cli.claim_file import ClaimArgument, read_claim
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.terminal import out, put_json
from service.domain.claim import Claim
from service.flow.match import match_claim
from service.settings import Settings


def match(claim: ClaimArgument, payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """Match a claim: for each line its class, the candidates with their evidence, events."""
    settings = read_settings()
    given = read_claim(claim)
    answer = asyncio.run(_match(given, payer_of(payer, settings), settings))
    if as_json:
        put_json(answer)
    else:
        out.print(answer_view(given, answer))


async def _match(claim: Claim, payer: str, settings: Settings) -> Answer:
    async with application(settings) as parts:
        source = parts.stores.search
        return (await match_claim(claim, payer, rules=parts.rules, source=source)).answer
