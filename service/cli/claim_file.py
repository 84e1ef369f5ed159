"""Reads the claim that a command is about."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from service.cli.faults import BadInput
from service.domain.claim import Claim
from service.domain.misfits import misfits

BYTES_MAX = 64 * 1024 * 1024

AnyClaim = TypeVar("AnyClaim", bound=Claim)

ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM.json", help="A file with one claim; - is stdin.")
]


def read_claim(name: str, model: type[AnyClaim]) -> AnyClaim:
    """Read a claim from a file or stdin; raises BadInput that says where it does not fit."""
    if name == "-":
        return _parsed("stdin", sys.stdin.buffer.read(BYTES_MAX + 1), model)
    with Path(name).open("rb") as file:
        return _parsed(name, file.read(BYTES_MAX + 1), model)


async def read_pieces(name: str, chunks: AsyncIterator[bytes]) -> Claim:
    """Read a claim that comes in pieces; raises BadInput that says where it does not fit."""
    text = b""
    async for chunk in chunks:
        text += chunk
        if len(text) > BYTES_MAX:
            break
    return _parsed(name, text, Claim)


def _parsed(shown: str, text: bytes, model: type[AnyClaim]) -> AnyClaim:
    if len(text) > BYTES_MAX:
        raise BadInput(f"{shown}: longer than {BYTES_MAX} bytes")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        reason, _ = misfits(error)
        raise BadInput(f"{shown}: {reason}") from error
