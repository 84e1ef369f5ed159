"""`authmatch keys`: who may call, and what they may do: make, list, rotate, revoke."""

from typing import Annotated

import typer
from pydantic import ValidationError

from service.access.keys import DAYS, DAYS_MAX, GRACE_HOURS
from service.application import keys
from service.application.keys import KeyMade, KeyShown, KeyWanted, Rotation
from service.cli.configuration import JsonOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, say, table
from service.domain.misfits import misfits

app = typer.Typer(no_args_is_help=True, help="API keys: make, list, rotate, revoke.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]


@app.command()
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What records call it.")],
    payer: Annotated[
        list[str] | None, typer.Option("--payer", metavar="ID", help="For whom; may be repeated.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="What it may do, as a role.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="What it may do; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=DAYS_MAX, help="Valid so long.")] = DAYS,
    as_json: JsonOption = False,
) -> None:
    """Make a key, and print it: only its hash is kept, and it is never printed again."""
    given = {"payers": payer or None, "role": role, "scopes": scope or [], "days": days}
    try:
        wanted = KeyWanted.model_validate({"name": name, **given})
    except ValidationError as error:
        raise BadInput(misfits(error)[0]) from error
    _put_made(run_for_payer(lambda caller: keys.make(caller, wanted), None), as_json=as_json)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all keys, the newest first, with what they are for; never their secrets."""
    found = run_for_payer(keys.listing, None)
    rows = [
        (
            each["id"],
            each["name"],
            each["state"],
            ", ".join(each["payers"]),
            ", ".join(filter(None, (each["role"], *each["scopes"]))),
            each["expires_at"][:10],
            (each["last_used_at"] or "never")[:16],
        )
        for each in found
    ]
    columns = ("id", "name", "state", "payers", "may", "expires", "last used")
    put_answer(found, table(*columns, rows=rows), as_json=as_json)


@app.command()
def rotate(
    key_id: Id,
    grace_hours: Annotated[
        float, typer.Option("--grace-hours", min=0, max=24 * 365, help="The old one goes on.")
    ] = GRACE_HOURS,
    as_json: JsonOption = False,
) -> None:
    """Give a key another secret, and print it; the one before goes on for a while."""
    wanted = Rotation(grace_hours=grace_hours)
    made = run_for_payer(lambda caller: keys.rotate(caller, key_id, wanted), None)
    _put_made(made, as_json=as_json)


@app.command()
def revoke(key_id: Id, as_json: JsonOption = False) -> None:
    """Let a key be valid no more, in every worker within seconds."""
    key: KeyShown = run_for_payer(lambda caller: keys.revoke(caller, key_id), None)
    put_answer(key, f"{key['id']} ({key['name']}): {key['state']}", as_json=as_json)


def _put_made(made: KeyMade, *, as_json: bool) -> None:
    if not as_json:
        say(f"{made['id']} ({made['name']}), valid until {made['expires_at'][:10]}; keep it now:")
    put_answer(made, made["key"], as_json=as_json)
