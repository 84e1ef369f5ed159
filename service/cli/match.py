"""`authmatch match`: what covers the lines of a claim, and how surely."""

from collections.abc import AsyncIterator
from typing import Annotated

import typer

from service.application import claims
from service.application.parts import Caller
from service.application.reception import aliases_of, naming_of
from service.cli.answer_view import answer_view
from service.cli.claim_file import read_pieces
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import PROBLEMS
from service.cli.input_file import InputFile
from service.cli.opened import run_for_payer
from service.cli.terminal import out, put_answer, put_line, say
from service.ingest.submissions import is_x12
from service.ingest.x12.submissions import ClaimSent, claims_sent


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
    file = InputFile(claim)
    if run_for_payer(lambda caller: _match(caller, file, as_json=as_json), payer):
        raise typer.Exit(PROBLEMS)


async def _match(caller: Caller, file: InputFile, *, as_json: bool) -> int:
    """Match all claims of a file, and count those that could not be read."""
    chunks = file.chunks(lambda _: None)
    head = await anext(chunks, b"")
    if file.form != "x12" and not is_x12(head):
        claim = await read_pieces(file.name, _joined(head, chunks))
        answer = await claims.match(caller, claim)
        put_answer(answer, answer_view(claim, answer), as_json=as_json)
        return 0
    settings, missed = caller.parts.settings, 0
    aliases = aliases_of(settings, caller.payer)
    async for sent in claims_sent(_joined(head, chunks), naming_of(settings), aliases):
        missed += sent.claim is None
        await _show(caller, file.name, sent, as_json=as_json)
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
