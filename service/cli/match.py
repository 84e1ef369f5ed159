"""`authmatch match`: what covers the lines of a claim, and how surely."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from service.application.parts import Application, application
from service.application.reception import aliases_of, naming_of
from service.cli.answer_view import answer_view
from service.cli.claim_file import read_text
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS
from service.cli.input_file import InputFile
from service.cli.terminal import out, put_json, put_line, say
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.flow.matching.match import match_claim
from service.ingest.submissions import is_x12
from service.ingest.x12.submissions import ClaimSent, claims_sent
from service.settings import Settings


def match(
    claim: Annotated[
        str, typer.Argument(metavar="CLAIM", help="A claim as JSON, or an 837 file; - is stdin.")
    ],
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Match a claim: for each line its class, the candidates with their evidence, events.

    An 837 file may hold many claims: each is answered, with --json on a line of its own. Exit
    code 1 when some of them cannot be read.
    """
    settings = read_settings()
    missed = asyncio.run(_match(claim, payer_of(payer, settings), settings, as_json=as_json))
    if missed:
        raise typer.Exit(PROBLEMS)


async def _match(name: str, payer: str, settings: Settings, *, as_json: bool) -> int:
    """Match all claims of a file, and count those that could not be read."""
    file = InputFile(name)
    chunks = file.chunks(lambda _: None)
    head = await anext(chunks, b"")
    if file.form != "x12" and not is_x12(head):
        claim = await read_text(file.name, _joined(head, chunks), Claim)
        async with application(settings) as parts:
            answer = await _answer(parts, payer, claim)
        put_json(answer) if as_json else out.print(answer_view(claim, answer))
        return 0
    missed = 0
    sent = claims_sent(_joined(head, chunks), naming_of(settings), aliases_of(settings, payer))
    async with application(settings) as parts:
        async for each in sent:
            missed += each.claim is None
            await _show(parts, payer, file.name, each, as_json=as_json)
    return missed


async def _show(
    parts: Application, payer: str, name: str, sent: ClaimSent, *, as_json: bool
) -> None:
    if sent.claim is None:
        if as_json:
            put_line({**sent.beside, "problem": {"detail": sent.reason}})
        else:
            say(f"{name}: {_where(sent)}: {sent.reason}")
        return
    answer = await _answer(parts, payer, sent.claim)
    if as_json:
        put_line({**sent.beside, "answer": answer})
        return
    out.print(answer_view(sent.claim, answer), "")
    for problem in sent.beside["problems"]:
        say(f"{name}: segment {problem['segment_index']}: {problem['message']}")


def _where(sent: ClaimSent) -> str:
    transaction = sent.beside.get("transaction")
    segments = [each["segment_index"] for each in sent.beside["problems"]]
    place = next(filter(None, segments), None)
    if place is not None:
        return f"segment {place}"
    return f"transaction {transaction}" if transaction else "the file"


async def _answer(parts: Application, payer: str, claim: Claim) -> MatchAnswer:
    source = parts.stores.search
    return (await match_claim(claim, payer, rules=parts.rules, source=source)).answer


async def _joined(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for each in chunks:
        yield each
