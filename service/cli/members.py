"""`authmatch members`: member ids that turn out to be one person."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from service.application import members
from service.application.parts import Caller
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put, put_json
from service.domain.person import MemberMergeBody, Person
from service.domain.values import Identifier

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
    given, wish = _wish(member, into, by, reason)

    async def work(caller: Caller) -> Person:
        return await members.merge(caller, given, wish)

    person = run_for_payer(work, payer)
    if as_json:
        put_json(members.told(person))
    else:
        put(f"{person.given} is {person.member} now")


def _wish(
    member: str, into: str, by: str | None, reason: str | None
) -> tuple[str, MemberMergeBody]:
    """Read what is wished; raises BadInput."""
    try:
        given = TypeAdapter[str](Identifier).validate_python(member)
        return given, MemberMergeBody(into=into, by=by, reason=reason)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = {"into": "INTO", "by": "--by", "reason": "--reason"}.get(
            str(next(iter(first["loc"]), "")), "OLD"
        )
        raise BadInput(f"{name}: {first['msg']}") from error
