"""`authmatch members`: member ids that turn out to be one person."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from service.application import members
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer
from service.domain.member_ids import MemberId
from service.domain.person import MemberMergeBody

app = typer.Typer(no_args_is_help=True, help="Members: merge.")


@app.callback()
def _group() -> None:
    """Member ids that turn out to be one person."""


@app.command()
def merge(
    member: Annotated[str, typer.Argument(help="The id that is given up.", metavar="OLD")],
    into: Annotated[str, typer.Argument(help="The id that stays.", metavar="INTO")],
    by: Annotated[
        str | None, typer.Option("--by", help="For whom, where it is not for yourself.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a member into another one; the same command again completes one that stopped.

    It cannot be taken back.
    """
    given, wish = _wish(member, into, by, reason)
    person = run_for_payer(lambda caller: members.merge(caller, given, wish), payer)
    put_answer(members.told(person), f"{person.given} is {person.member} now", as_json=as_json)


def _wish(
    member: str, into: str, by: str | None, reason: str | None
) -> tuple[str, MemberMergeBody]:
    """Read what is wished; raises BadInput."""
    try:
        given = TypeAdapter[str](MemberId).validate_python(member)
        return given, MemberMergeBody(into=into, by=by, reason=reason)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = {"into": "INTO", "by": "--by", "reason": "--reason"}.get(
            str(next(iter(first["loc"]), "")), "OLD"
        )
        raise BadInput(f"{name}: {first['msg']}") from error
