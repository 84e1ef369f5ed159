"""`authmatch match`: what covers the lines of a claim, and how surely."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from service.application import claims
from service.application.parts import Caller, application
from service.application.reception import aliases_of, policy_of
from service.cli.answer_view import answer_view
from service.cli.claim_file import read_pieces
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS
from service.cli.input_file import InputFile
from service.cli.terminal import out, put_answer, put_line, say
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
    whose = payer_of(payer, settings)
    if asyncio.run(_match(InputFile(claim), settings, whose, as_json=as_json)):
        raise typer.Exit(PROBLEMS)


async def _match(file: InputFile, settings: Settings, payer: str, *, as_json: bool) -> int:
    """Match all claims of a file, and count those that could not be read."""
    chunks = file.chunks(lambda _: None)
    head = await anext(chunks, b"")
    if file.form != "x12" and not is_x12(head):
        claim = await read_pieces(file.name, _joined(head, chunks))
        async with application(settings) as parts:
            answer = await claims.match(Caller(parts, payer), claim)
        put_answer(answer, answer_view(claim, answer), as_json=as_json)
        return 0
    missed, aliases = 0, aliases_of(settings, payer)
    async with application(settings) as parts:
        async for sent in claims_sent(_joined(head, chunks), policy_of(settings), aliases):
            missed += sent.claim is None
            await _show(Caller(parts, payer), file.name, sent, as_json=as_json)
    return missed


async def _show(caller: Caller, name: str, sent: ClaimSent, *, as_json: bool) -> None:
    if sent.claim is None:
        if as_json:
            put_line({**sent.beside, "problem": {"detail": sent.reason}})
        else:
            say(f"{name}: {_where(sent)}: {sent.reason}")
        return
    answer = await claims.match(caller, sent.claim)
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


async def _joined(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for each in chunks:
        yield each
