"""`authmatch claims`: authorization numbers, put on claims before they are billed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import orjson
import typer

from service.access.act import tell_notes
from service.application import numbers
from service.application.numbers import Populated, PopulatedFile
from service.application.parts import local_caller
from service.cli.claim_file import ClaimsArgument, Shown, put_missed, read_file
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import opened
from service.cli.terminal import put_line, say
from service.domain.claim import Claim
from service.domain.claim_numbers import Responsibility

app = typer.Typer(no_args_is_help=True, help="Claims before they are billed: populate.")


@app.callback()
def _group() -> None:
    """Claims before they are billed."""


@app.command()
def populate(
    claim: ClaimsArgument,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where the claim goes, instead of stdout.")
    ] = None,
    responsibility: Annotated[
        str | None,
        typer.Option(
            "--responsibility",
            help="P or S: whether a claim of JSON goes to the primary or secondary payer.",
        ),
    ] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the numbers of what covers its lines on a claim, or on those of an 837 file.

    The claim is written as it came, with its numbers; why each line has its number, or none, is
    told on stderr, with --json on stdout. Exit code 1 when some claims cannot be read.
    """
    if responsibility is not None and responsibility not in get_args(Responsibility):
        raise BadInput(f"--responsibility: one of {', '.join(get_args(Responsibility))}")
    settings = read_settings()
    shown = Shown(settings=settings, payer=payer_of(payer, settings), as_json=as_json)
    given = cast(Responsibility | None, responsibility)
    if asyncio.run(_populated(claim, output, given, shown)):
        raise typer.Exit(PROBLEMS)


async def _populated(
    name: str, output: Path | None, responsibility: Responsibility | None, shown: Shown
) -> int:
    """Populate a claim or a file; counts the claims that cannot be read."""
    file, chunks, claim = await read_file(name, Claim)
    async with opened(shown.settings) as parts:
        caller = local_caller(parts, shown.payer)
        if claim is not None:
            answer = await numbers.populate(caller, claim, responsibility)
            await tell_notes()
            document = answer.pop("claim")
            _tell(answer, {}, shown)
            content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            _write(content, {"claim": document}, output, shown)
            return 0
        populated = PopulatedFile(caller)
        try:
            missed = await _of_file(file.name, populated, chunks, shown)
            _write(populated.content(), {"x12": populated.text()}, output, shown)
        finally:
            populated.close()
        return missed


async def _of_file(
    name: str, populated: PopulatedFile, chunks: AsyncIterator[bytes], shown: Shown
) -> int:
    missed = 0
    async for sent in populated.sent_in(chunks):
        if sent.claim is None:
            missed += 1
            reason = sent.reason or "it cannot be read"
            put_missed(name, sent, reason, as_json=shown.as_json)
            continue
        answer = await populated.populate(sent.claim, sent)
        await tell_notes()
        _tell(answer, sent.beside, shown)
    return missed


def _tell(answer: Populated, beside: Mapping[str, Any], shown: Shown) -> None:
    """Say why each line has its number, or none."""
    if shown.as_json:
        put_line({**beside, "answer": answer} if beside else answer)
        return
    for each in answer["numbers"]:
        where = {"claim": f"on the claim ({each['form']})", "line": "on the line", None: "none"}
        number = f"{each['segment']} {each['number']} " if each["number"] else ""
        place = f"claim {answer['claim_id']} line {each['line']}: {number}{where[each['level']]}"
        say(f"{place}: {each['why']}")


def _write(content: bytes, told: object, output: Path | None, shown: Shown) -> None:
    """Write the claim with its numbers into a file, or to stdout."""
    if output is not None:
        output.write_bytes(content)
    elif shown.as_json:
        put_line(told)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
