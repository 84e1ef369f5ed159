"""`authmatch members`: member ids that turn out to be one person."""

import asyncio
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from service.application.parts import application
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import BadInput
from service.cli.terminal import put, put_json
from service.domain.person import MemberMergeBody, Person
from service.domain.values import Identifier
from service.settings import Settings
from service.stores.members.merge import Wish

app = typer.Typer(no_args_is_help=True, help="Members: merge.")


@app.callback()
def _group() -> None:
    """Member ids that turn out to be one person."""


@app.command()
def merge(
    member: Annotated[str, typer.Argument(help="The id that is given up.", metavar="OLD")],
    into: Annotated[str, typer.Argument(help="The id that stays.", metavar="INTO")],
    by: Annotated[str | None, typer.Option("--by", help="Who wants it, for the audit.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a member into another one; the same command again completes one that stopped.

    It cannot be taken back.
    """
    wish = _wish(member, into, by, reason)

    async def run(settings: Settings) -> Person:
        async with application(settings) as parts:
            return await parts.stores.merging.run(payer_of(payer, settings), wish)

    person = asyncio.run(run(read_settings()))
    if as_json:
        put_json({"member": person.given, "merged_into": person.member})
    else:
        put(f"{person.given} is {person.member} now")


def _wish(member: str, into: str, by: str | None, reason: str | None) -> Wish:
    """Read what is wished; raises BadInput."""
    try:
        given = TypeAdapter[str](Identifier).validate_python(member)
        body = MemberMergeBody(into=into, by=by, reason=reason)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = {"into": "INTO", "by": "--by", "reason": "--reason"}.get(
            str(next(iter(first["loc"]), "")), "OLD"
        )
        raise BadInput(f"{name}: {first['msg']}") from error
    return Wish(member=given, into=body.into, by=body.by or "", reason=body.reason or "")
