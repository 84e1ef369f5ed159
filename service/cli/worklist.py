"""`authmatch worklist`: what waits for a person, who has it, and what is decided."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, get_args

import typer
from rich.console import Group
from rich.table import Table

from service.application import claims, resolutions, worklist
from service.application.parts import Caller
from service.application.resolutions import Resolved
from service.application.worklist import Sorting, Wanted
from service.cli.adjudicate import end_unless_copied
from service.cli.asking import all_pages, asked_as
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, table
from service.domain.decision import Asked, Assignment, Hold, Resolution, Skip
from service.domain.engine_fault import EngineFault
from service.domain.work_item import ItemKind, ItemState, Listed

app = typer.Typer(no_args_is_help=True, help="What waits for a person: list, take, decide.")

PAGE = 200


ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="The id of the item.")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="For whom, where it is not for yourself.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")]
TagOption = Annotated[
    str | None, typer.Option("--etag", help="Only if the item is still the one with this ETag.")
]
StateOption = Annotated[str, typer.Option(help="open, done, dismissed or all.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="Only items of this kind.")]
EventOption = Annotated[str | None, typer.Option("--event", help="Only items with this event.")]
ClaimOption = Annotated[str | None, typer.Option("--claim", help="Only items of this claim.")]
TeamOption = Annotated[str | None, typer.Option("--team", help="Only items of this team.")]
AssigneeOption = Annotated[
    str | None, typer.Option("--assignee", help="Only items that somebody has.")
]


def _wanted(state: str, kind: str | None, **more: Any) -> Wanted:
    """The filters; raises BadInput."""
    wanted = next((each for each in get_args(ItemState) if each == state), None)
    if wanted is None and state != "all":
        raise BadInput(f"--state: one of {', '.join(get_args(ItemState))}, all")
    kinds: tuple[ItemKind, ...] = get_args(ItemKind)
    of_kind = next((each for each in kinds if each == kind), None)
    if kind is not None and of_kind is None:
        raise BadInput(f"--kind: one of {', '.join(kinds)}")
    return replace(Wanted(state=wanted, kind=of_kind), **more)


@app.command("list")
def list_(  # noqa: PLR0913 - the options of a command
    state: StateOption = "open",
    kind: KindOption = None,
    event: EventOption = None,
    claim: ClaimOption = None,
    authorization: Annotated[
        str | None, typer.Option(help="Only items with this authorization.", metavar="ID")
    ] = None,
    assignee: AssigneeOption = None,
    team: TeamOption = None,
    sort: Annotated[str, typer.Option(help="due, oldest, newest or amount.")] = "due",
    most: Annotated[int, typer.Option("--most", min=1, help="So many at most.")] = PAGE,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person, the most urgent first."""
    wanted = _wanted(
        state,
        kind,
        event=event,
        claim_id=claim,
        authorization_id=authorization,
        assignee=assignee,
        team=team,
    )
    sorts: tuple[Sorting, ...] = get_args(Sorting)
    order = next((each for each in sorts if each == sort), None)
    if order is None:
        raise BadInput(f"--sort: one of {', '.join(sorts)}")

    async def work(caller: Caller) -> list[Listed]:
        return await all_pages(
            lambda after: worklist.page(caller, wanted, sort=order, size=PAGE, after=after), most
        )

    found = run_for_payer(work, payer)
    put_answer([each.as_answer() for each in found], _table(found), as_json=as_json)


@app.command()
def counts(
    state: StateOption = "open",
    kind: KindOption = None,
    team: TeamOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what waits, by kind, event, type, team and person."""
    wanted = _wanted(state, kind, team=team)
    found = run_for_payer(lambda caller: worklist.counts(caller, wanted), payer)
    rows = [
        ("all", "", str(found.total)),
        ("overdue", "", str(found.overdue)),
        ("held", "", str(found.held)),
        *(
            (queue, name, str(count))
            for queue, names in found.by.items()
            for name, count in names.items()
        ),
    ]
    answer = {
        "total": found.total,
        "overdue": found.overdue,
        "held": found.held,
        "amount": found.amount,
        "by": found.by,
    }
    put_answer(answer, table("queue", "name", "items", rows=rows), as_json=as_json)


@app.command()
def show(item: ItemArgument, payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """Show an item: what would come out otherwise, and what may be decided."""

    async def work(caller: Caller) -> tuple[Listed, list[dict[str, Any]]]:
        listed = await worklist.read(caller, item)
        return listed, resolutions.actions_of(caller, listed.item)

    listed, actions = run_for_payer(work, payer)
    shown = Group(_table([listed]), _lines(listed), _actions(actions))
    put_answer({**listed.as_answer(), "actions": actions}, shown, as_json=as_json)


@app.command("next")
def next_(
    kind: KindOption = None,
    event: EventOption = None,
    team: TeamOption = None,
    by: ByOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the most urgent item that nobody has."""
    wanted, asked = _wanted("open", kind, event=event, team=team), asked_as(Asked, {"by": by})
    _told(lambda caller: worklist.take_next(caller, wanted, asked), payer, as_json)


@app.command()
def take(
    item: ItemArgument, by: ByOption = None, payer: PayerOption = None, as_json: JsonOption = False
) -> None:
    """Take an item."""
    asked = asked_as(Asked, {"by": by})
    _told(lambda caller: worklist.take(caller, item, asked), payer, as_json)


@app.command()
def release(
    item: ItemArgument, by: ByOption = None, payer: PayerOption = None, as_json: JsonOption = False
) -> None:
    """Give an item back."""
    asked = asked_as(Asked, {"by": by})
    _told(lambda caller: worklist.release(caller, item, asked), payer, as_json)


@app.command()
def skip(
    item: ItemArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why it is left to others.")],
    by: ByOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave an item to others."""
    asked = asked_as(Skip, {"by": by, "reason": reason})
    _told(lambda caller: worklist.skip(caller, item, asked), payer, as_json)


@app.command()
def hold(
    item: ItemArgument,
    until: Annotated[
        str | None, typer.Option("--until", help="The day; without it, hold it no more.")
    ] = None,
    by: ByOption = None,
    reason: ReasonOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an item out to nobody before a day."""
    asked = asked_as(Hold, {"by": by, "reason": reason, "until": until})
    _told(lambda caller: worklist.hold(caller, item, asked), payer, as_json)


@app.command()
def assign(
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Up to 1000 items.")],
    to: Annotated[str | None, typer.Option("--to", help="The person.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="The team.")] = None,
    by: ByOption = None,
    reason: ReasonOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give items to a person or a team; to nobody where neither is named."""
    asked = asked_as(
        Assignment,
        {"items": items, "assignee": to, "team": team, "by": by, "reason": reason},
    )
    answer = run_for_payer(lambda caller: worklist.assign(caller, asked), payer)
    told = "\n".join(f"{each['item_id']}: {each['status']}" for each in answer)
    put_answer(answer, told, as_json=as_json)


@app.command()
def resolve(  # noqa: PLR0913 - the options of a command
    item: ItemArgument,
    action: Annotated[str, typer.Option("--action", help="As `show` lists them.")],
    authorization: Annotated[
        list[str] | None,
        typer.Option("--authorization", help="To select, in this order.", metavar="ID"),
    ] = None,
    kind: Annotated[
        str, typer.Option("--type", help="authorization, referral or notification.")
    ] = "authorization",
    deny_with: Annotated[
        str | None, typer.Option("--deny-with", help="GROUP CARC [RARC...], such as 'CO 197'.")
    ] = None,
    event: Annotated[str | None, typer.Option("--event", help="To raise instead.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="The day waited for.")] = None,
    asked: Annotated[str | None, typer.Option("--asked", help="What is asked.")] = None,
    reason_code: Annotated[str | None, typer.Option("--reason-code")] = None,
    by: ByOption = None,
    reason: ReasonOption = None,
    etag: TagOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Move nothing.")] = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide about an item.

    Exit code 1: done, but the ledger entry could not be copied to Elasticsearch yet.
    """
    group, carc, *remarks = [*(deny_with or "").split(), "", ""]
    remarks = [each for each in remarks if each]
    given = {
        "action": action,
        "type": kind,
        "authorizations": [{"authorization_id": each} for each in authorization or ()],
        "deny_with": {"group": group, "carc": carc, "remarks": remarks} if deny_with else None,
        "event": event,
        "until": until,
        "asked": asked,
        "reason_code": reason_code,
        "reason": reason,
        "by": by,
    }
    resolution = asked_as(Resolution, given)
    _resolved(
        lambda caller: resolutions.resolve(caller, item, resolution, etag, dry=dry_run),
        payer,
        as_json,
    )


@app.command()
def undo(
    item: ItemArgument,
    by: ByOption = None,
    reason: ReasonOption = None,
    etag: TagOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo what was decided last about an item, while nothing followed."""
    asked = asked_as(Asked, {"by": by, "reason": reason})
    _resolved(lambda caller: resolutions.undo(caller, item, asked, etag), payer, as_json)


def _resolved(decide: Callable[[Caller], Any], payer: str | None, as_json: bool) -> None:
    async def work(caller: Caller) -> tuple[Resolved, EngineFault | None]:
        made: Resolved = await decide(caller)
        return made, await claims.not_copied(caller, made.done) if made.done else None

    made, fault = run_for_payer(work, payer)
    item = made.listed.item
    told = [f"{item.item_id}: {'proposed' if made.proposed else item.state}"]
    if made.done is not None:
        told += [
            f"line {line['line']}: {line['disposition']}, {_approved(line)} approved"
            for line in made.done.answer["lines"]
        ]
    answer = {
        "proposed": made.proposed,
        "item": made.listed.as_answer(),
        "adjudication": made.done.answer if made.done else None,
    }
    put_answer(answer, "\n".join(told), as_json=as_json)
    end_unless_copied(fault)


def _told(work: Callable[[Caller], Any], payer: str | None, as_json: bool) -> None:
    listed: Listed = run_for_payer(work, payer)
    put_answer(listed.as_answer(), _table([listed]), as_json=as_json)


def _table(listed: list[Listed]) -> Table:
    rows = [
        (
            item.item_id,
            item.kind,
            f"{item.claim_id or item.letter or ''} {item.line or ''}".strip(),
            " ".join(item.events),
            item.due[:10] if item.is_open else item.state,
            item.handling.assignee or item.handling.team or "",
        )
        for item in (each.item for each in listed)
    ]
    columns = ("item", "kind", "claim line", "events", "due", "with")
    return table(*columns, rows=rows, whole=("item",))


def _lines(listed: Listed) -> Table:
    rows = [
        (
            str(line["line"]),
            _side(line["before"]),
            _side(line["now"]) if line["now"] else "-",
            _approved(line["before"]),
            _approved(line["now"]) if line["now"] else "-",
            ", ".join(line["authorizations"]),
        )
        for line in listed.item.lines
    ]
    columns = ("line", "before", "now", "approved before", "approved now", "because of")
    return table(*columns, rows=rows)


def _actions(actions: list[dict[str, Any]]) -> Table:
    rows = [
        (
            each["action"],
            ", ".join(reason["code"] for reason in each["reasons"]),
            ", ".join(f"{deny['group']} {deny['carc']}" for deny in each["deny_with"])
            or ", ".join(event["code"] for event in each["events"]),
            each["barred"] or ("two people" if each["two_people"] else ""),
        )
        for each in actions
    ]
    return table("action", "reason codes", "to choose from", "", rows=rows)


def _approved(line: Mapping[str, Any]) -> str:
    return f"{line['approved']['units']} {line['approved']['unit']}"


def _side(side: dict[str, Any]) -> str:
    classes = ", ".join(side["classes"].values()) or "-"
    return f"{side['disposition']} ({classes}) {' '.join(side['events'])}".strip()
