"""`authmatch worklist`: claims for which an authorization came later, and what is decided."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError
from rich.console import Group
from rich.table import Table

from service.application import claims, worklist
from service.application.parts import Caller
from service.cli.adjudicate import end_unless_copied
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, table
from service.domain.answers import AdjudicationAnswer
from service.domain.engine_fault import EngineFault
from service.domain.misfits import misfits
from service.domain.work_item import ItemDecision, ItemState, Listed, seen_of

app = typer.Typer(no_args_is_help=True, help="Claims offered for re-adjudication.")

PAGE = 200

ClaimArgument = Annotated[str, typer.Argument(metavar="CLAIM_ID", help="The claim that it is of.")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="For whom, where it is not for yourself.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")]
TagOption = Annotated[
    str | None, typer.Option("--etag", help="Only if the item is still the one with this ETag.")
]


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="open, done, dismissed or all.")] = "open",
    authorization: Annotated[
        str | None, typer.Option(help="Only items for which this one arrived.", metavar="ID")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="So many at most.")] = PAGE,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List claims that would come out better now, the oldest offer first."""
    wanted = next((each for each in get_args(ItemState) if each == state), None)
    if wanted is None and state != "all":
        raise BadInput(f"--state: one of {', '.join(get_args(ItemState))}, all")

    async def work(caller: Caller) -> list[Listed]:
        found: list[Listed] = []
        after: str | None = None
        while len(found) < most:
            page = await worklist.page(
                caller, state=wanted, authorization_id=authorization, size=PAGE, after=after
            )
            found += page.entries
            after = page.next_
            if after is None:
                break
        return found[:most]

    listed = run_for_payer(work, payer)
    put_answer([each.as_answer() for each in listed], _table(listed), as_json=as_json)


@app.command()
def show(claim_id: ClaimArgument, payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """Show what is offered about a claim: each line as it came out, and as it would now."""
    listed = run_for_payer(lambda caller: worklist.read(caller, claim_id), payer)
    put_answer(listed.as_answer(), Group(_table([listed]), _lines(listed)), as_json=as_json)


@app.command()
def readjudicate(
    claim_id: ClaimArgument,
    by: ByOption = None,
    reason: ReasonOption = None,
    etag: TagOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Adjudicate the claim anew as it was sent, and close the item.

    Exit code 1: done, but the ledger entry could not be copied to Elasticsearch yet.
    """
    decision, seen = _decision(by, reason), _seen(etag)

    async def work(caller: Caller) -> tuple[AdjudicationAnswer, EngineFault | None]:
        done, _ = await worklist.readjudicate(caller, claim_id, decision, seen)
        return done.answer, await claims.not_copied(caller, done)

    answer, fault = run_for_payer(work, payer)
    told = [
        f"line {line['line']}: {line['disposition']}, {_approved(line)} approved"
        for line in answer["lines"]
    ]
    put_answer(answer, "\n".join(told), as_json=as_json)
    end_unless_copied(fault)


@app.command()
def dismiss(
    claim_id: ClaimArgument,
    by: ByOption = None,
    reason: ReasonOption = None,
    etag: TagOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave the claim as it is; it comes back only if something else arrives for it."""
    decision, seen = _decision(by, reason), _seen(etag)
    listed = run_for_payer(lambda caller: worklist.dismiss(caller, claim_id, decision, seen), payer)
    put_answer(listed.as_answer(), f"{claim_id}: {listed.item.state}", as_json=as_json)


def _decision(by: str | None, reason: str | None) -> ItemDecision:
    try:
        return ItemDecision(by=by, reason=reason)
    except ValidationError as error:
        raise BadInput(misfits(error)[0]) from error


def _seen(etag: str | None) -> tuple[int, int] | None:
    try:
        return None if etag is None else seen_of(etag)
    except ValueError as error:
        raise BadInput(f"--etag: {error}") from error


def _table(listed: list[Listed]) -> Table:
    rows = [
        (
            f"{item.claim_id} version {item.claim_version}",
            item.state,
            item.offered_at[:16],
            ", ".join(item.authorizations),
            ", ".join(str(line["line"]) for line in item.lines if line["better"]),
            "" if item.is_open else item.on_behalf_of or item.by or "",
        )
        for item in (each.item for each in listed)
    ]
    return table("claim", "state", "offered", "authorizations", "lines", "by", rows=rows)


def _lines(listed: Listed) -> Table:
    rows = [
        (
            str(line["line"]),
            _told(line["before"]),
            _told(line["now"]),
            _approved(line["before"]),
            _approved(line["now"]),
            ", ".join(line["authorizations"]),
        )
        for line in listed.item.lines
    ]
    columns = ("line", "before", "now", "approved before", "approved now", "because of")
    return table(*columns, rows=rows)


def _approved(line: Mapping[str, Any]) -> str:
    return f"{line['approved']['units']} {line['approved']['unit']}"


def _told(side: dict[str, Any]) -> str:
    classes = ", ".join(side["classes"].values()) or "-"
    return f"{side['disposition']} ({classes}) {' '.join(side['events'])}".strip()
