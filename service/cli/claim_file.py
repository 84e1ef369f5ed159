"""Reads the claim that a command is about."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from service.cli.faults import BadInput
from service.domain.adjudication import Adjudication
from service.domain.claim import Claim
from service.domain.misfits import misfits

BYTES_MAX = 64 * 1024 * 1024

AnyClaim = TypeVar("AnyClaim", bound=Claim)

ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM.json", help="A file with one claim; - is stdin.")
]


def read_claim(name: str) -> Claim:
    """Read a claim from a file or stdin; raises BadInput that says where it does not fit."""
    return _read(name, Claim)


def read_adjudication(name: str) -> Adjudication:
    """Read a claim with an examiner's decisions, if it has any; raises BadInput as for a claim."""
    return _read(name, Adjudication)


async def read_text(name: str, chunks: AsyncIterator[bytes], model: type[AnyClaim]) -> AnyClaim:
    """Read a claim that comes in pieces; raises BadInput as above."""
    text = b""
    async for chunk in chunks:
        text += chunk
        if len(text) > BYTES_MAX:
            break
    return _parsed(name, text, model)


def _read(name: str, model: type[AnyClaim]) -> AnyClaim:
    if name == "-":
        return _parsed("stdin", sys.stdin.buffer.read(BYTES_MAX + 1), model)
    with Path(name).open("rb") as file:
        return _parsed(name, file.read(BYTES_MAX + 1), model)


def _parsed(shown: str, text: bytes, model: type[AnyClaim]) -> AnyClaim:
    if len(text) > BYTES_MAX:
        raise BadInput(f"{shown}: longer than {BYTES_MAX} bytes")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        reason, _ = misfits(error)
        raise BadInput(f"{shown}: {reason}") from error
