"""`authmatch charges`: what a charge needs, and the authorization that is attached to it."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from service.application import charges
from service.application.charges import AttachAnswer, Attachment, ChargeAnswer, Detachment
from service.cli.asking import asked_as
from service.cli.claim_file import read_claim
from service.cli.configuration import JsonOption, PayerOption
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, table
from service.domain.charge import Charge

app = typer.Typer(no_args_is_help=True, help="Charges: check, attach, detach.")

ChargeArgument = Annotated[str, typer.Argument(metavar="CHARGE", help="A file; - is stdin.")]
ByOption = Annotated[str | None, typer.Option("--by", help="For whom.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")]


@app.callback()
def _group() -> None:
    """Charges."""


@app.command()
def check(
    charge: ChargeArgument,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also authorizations that are not valid, and why.")
    ] = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a charge needs an authorization, and which are valid, the most left first."""
    given = read_claim(charge, Charge)
    answer = run_for_payer(lambda caller: charges.check(caller, given, show_all=show_all), payer)
    put_answer(answer, _view(answer), as_json=as_json)


def _view(answer: ChargeAnswer) -> RenderableType:
    needs = "needs an authorization" if answer["auth_required"] else "needs no authorization"
    lines: list[RenderableType] = [Text(f"{answer['charge_id']} {needs}", "bold")]
    if (held := answer["attached"]) is not None:
        names = [each["authorization_id"] for each in held["authorizations"]] or held["billed_by"]
        changed = "" if held["same"] else "; it was changed since"
        changed += "" if held["valid"] else "; that is not valid for it any more"
        how = "attached:" if held["status"] == "attached" else "billed by"
        lines.append(Text(f"{how} {', '.join(names)}{changed}"))
    rows = [
        (
            each["authorization_id"],
            each["number"] or "",
            each["remaining"] or ("" if each["reason"] else "no limit"),
            each["why"] or "valid",
        )
        for each in answer["authorizations"]
    ]
    if rows:
        headings = ("authorization", "number", "left", "for the charge")
        lines.append(table(*headings, rows=rows, right={"left"}))
    return Group(*lines)


@app.command()
def attach(
    charge: ChargeArgument,
    authorization: Annotated[str, typer.Option("--authorization", help="Its id.")],
    by: ByOption = None,
    reason: ReasonOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reserve the units of an authorization for a charge, all of them, or move nothing."""
    given = read_claim(charge, Charge)
    asked = asked_as(
        Attachment,
        {"charge": given, "authorization_id": authorization, "by": by, "reason": reason},
    )
    answer = run_for_payer(lambda caller: charges.attach(caller, asked), payer)
    put_answer(answer, _attached(answer), as_json=as_json)


def _attached(answer: AttachAnswer) -> str:
    told = [
        f"{each['authorization_id']} {each['number'] or ''}: {each['units']} {each['unit']}"
        for each in answer["authorizations"]
    ]
    return "\n".join([f"reserved for {answer['charge_id']}", *told])


@app.command()
def detach(
    charge_id: Annotated[str, typer.Argument(metavar="CHARGE_ID")],
    by: ByOption = None,
    reason: ReasonOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give back what is reserved in the name of a charge."""
    asked = asked_as(Detachment, {"by": by, "reason": reason})
    answer = run_for_payer(lambda caller: charges.detach(caller, charge_id, asked), payer)
    told = [
        f"{each['authorization_id']}: {each['units_before']}" for each in answer["authorizations"]
    ]
    view = "\n".join(["given back" if answer["changed"] else "nothing was attached", *told])
    put_answer(answer, view, as_json=as_json)
