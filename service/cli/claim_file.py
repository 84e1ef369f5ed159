"""Reads the claims that a command is about, and shows the answers to those of an 837."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import RenderableType

from service.access.act import tell_notes
from service.application import claims
from service.application.claims import ClaimSent
from service.application.parts import Caller, local_caller
from service.application.refusals import Conflict
from service.cli.faults import BadInput
from service.cli.input_file import STDIN, InputFile
from service.cli.opened import opened
from service.cli.terminal import out, put_answer, put_line, say
from service.domain.misfits import misfits
from service.domain.values import Frozen
from service.ingest.submissions import is_x12
from service.settings import Settings

BYTES_MAX = 64 * 1024 * 1024

AnyClaim = TypeVar("AnyClaim", bound=Frozen)

Answer = Callable[[Caller, AnyClaim, ClaimSent | None], Awaitable[tuple[object, RenderableType]]]
"""Answers a claim, of X12 with what stands beside it: the answer, and its view for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """For whom claims are answered, and how the answers are shown; ``moves`` adjudicates them."""

    settings: Settings
    payer: str
    as_json: bool
    moves: bool = False


ClaimsArgument = Annotated[
    str, typer.Argument(metavar="CLAIM", help="A claim as JSON, or an 837 file; - is stdin.")
]

ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM.json", help="A file with one claim; - is stdin.")
]


def read_claim(name: str, model: type[AnyClaim]) -> AnyClaim:
    """Read a claim from a file or stdin; raises BadInput that says where it does not fit."""
    return parsed(name, read_text(name), model)


def read_text(name: str) -> bytes:
    """The bytes of a file or of stdin; raises BadInput where there are too many."""
    if name == STDIN:
        return _bounded(name, sys.stdin.buffer.read(BYTES_MAX + 1))
    with Path(name).open("rb") as file:
        return _bounded(name, file.read(BYTES_MAX + 1))


async def put_answers(
    name: str, model: type[AnyClaim], answer: Answer[AnyClaim], shown: Shown
) -> int:
    """Answer the one claim of a JSON file, or all of an X12 file; counts those without an answer.

    Raises BadInput where the one does not fit, EngineFault.
    """
    file, chunks, given = await read_file(name, model)
    async with opened(shown.settings) as parts:
        caller = local_caller(parts, shown.payer)
        if given is not None:
            told = await answer(caller, given, None)
            await tell_notes()
            put_answer(*told, as_json=shown.as_json)
            return 0
        missed = 0
        async for sent in claims.sent_in(caller, chunks, moves=shown.moves):
            reason = sent.reason or "it cannot be read"
            try:
                if sent.claim is not None:
                    one = model.model_validate(dict(sent.claim))
                    told = await answer(caller, one, sent)
                    await tell_notes()
                    _put(file.name, sent, *told, as_json=shown.as_json)
                    continue
            except (Conflict, ValueError) as error:
                reason = str(error)
            missed += 1
            put_missed(file.name, sent, reason, as_json=shown.as_json)
        return missed


async def read_file(
    name: str, model: type[AnyClaim]
) -> tuple[InputFile, AsyncIterator[bytes], AnyClaim | None]:
    """Read the one claim of a JSON file; the bytes of an X12 file are yet to be read."""
    file = InputFile(name)
    chunks = file.chunks(lambda _: None)
    head = await anext(chunks, b"")
    chunks = _joined(head, chunks)
    if file.form == "x12" or is_x12(head):
        return file, chunks, None
    return file, chunks, await _read_pieces(file.name, chunks, model)


async def _joined(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for each in chunks:
        yield each


async def _read_pieces(name: str, chunks: AsyncIterator[bytes], model: type[AnyClaim]) -> AnyClaim:
    text = b""
    async for chunk in chunks:
        text += chunk
        if len(text) > BYTES_MAX:
            break
    return parsed(name, _bounded(name, text), model)


def _put(
    name: str, sent: ClaimSent, answered: object, view: RenderableType, *, as_json: bool
) -> None:
    if as_json:
        put_line({**sent.beside, "answer": answered})
        return
    out.print(view, "")
    for problem in sent.beside["problems"]:
        say(f"{name}: segment {problem['segment_index']}: {problem['message']}")


def put_missed(name: str, sent: ClaimSent, reason: str, *, as_json: bool) -> None:
    """Say that a claim of a file has no answer, where, and why."""
    if as_json:
        put_line({**sent.beside, "problem": {"detail": reason}})
    else:
        say(f"{name}: {_where(sent)}: {reason}")


def _where(sent: ClaimSent) -> str:
    transaction = sent.beside.get("transaction")
    segments = [each["segment_index"] for each in sent.beside["problems"]]
    place = next(filter(None, segments), None)
    if place is not None:
        return f"segment {place}"
    return f"transaction {transaction}" if transaction else "the file"


def parsed(name: str, text: bytes, model: type[AnyClaim]) -> AnyClaim:
    """Read a claim; raises BadInput that says where it does not fit."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        reason, _ = misfits(error)
        raise BadInput(f"{InputFile(name).name}: {reason}") from error


def _bounded(name: str, text: bytes) -> bytes:
    if len(text) > BYTES_MAX:
        raise BadInput(f"{InputFile(name).name}: longer than {BYTES_MAX} bytes")
    return text
