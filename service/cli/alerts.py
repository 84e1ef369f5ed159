"""`authmatch alerts`: what somebody should know of authorizations."""

from typing import Annotated, get_args

import typer

from service.application import alerts
from service.application.alerts import Wanted
from service.application.parts import Caller
from service.cli.asking import all_pages
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, table
from service.domain.alert import ALERT_KINDS, Alert, AlertState

app = typer.Typer(no_args_is_help=True, help="Alerts of authorizations: list.")

PAGE = 200


@app.callback()
def _group() -> None:
    """What somebody should know of authorizations."""


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option("--kind", help="Only alerts of this kind.")] = None,
    state: Annotated[str, typer.Option(help="open, dismissed or over.")] = "open",
    authorization: Annotated[
        str | None, typer.Option(help="Only alerts of this authorization.", metavar="ID")
    ] = None,
    member: Annotated[str | None, typer.Option(help="Only alerts of this member.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="So many at most.")] = PAGE,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts of authorizations, the newest first, with the figures of now."""
    states: tuple[AlertState, ...] = get_args(AlertState)
    in_state = next((each for each in states if each == state), None)
    of_kind = next((each for each in ALERT_KINDS if each == kind), None)
    if in_state is None:
        raise BadInput(f"--state: one of {', '.join(states)}")
    if kind is not None and of_kind is None:
        raise BadInput(f"--kind: one of {', '.join(ALERT_KINDS)}")
    wanted = Wanted(
        state=in_state,
        kinds=() if of_kind is None else (of_kind,),
        authorization_id=authorization,
        member_id=member,
    )

    async def work(caller: Caller) -> list[Alert]:
        return await all_pages(
            lambda after: alerts.page(caller, wanted, size=PAGE, after=after), most
        )

    found = run_for_payer(work, payer)
    rows = [
        (each.alert_id, each.kind, each.authorization_id, each.account or "", each.says)
        for each in found
    ]
    view = table("alert", "kind", "authorization", "account", "says", rows=rows, whole=("alert",))
    put_answer([each.as_answer() for each in found], view, as_json=as_json)
