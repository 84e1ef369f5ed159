"""`authmatch request`: ask a payer for an authorization, follow it, and renew it."""

from typing import Annotated, Any, cast, get_args

import orjson
import typer
from pydantic import ValidationError
from rich.table import Table

from service.application import requests, sending
from service.application.intake import NotFound
from service.application.parts import Caller
from service.application.requests import CopyAsked, WantedRequests
from service.cli.asking import all_pages, asked_as
from service.cli.claim_file import read_claim
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer, say, table
from service.domain.misfits import misfits
from service.domain.request import AuthorizationRequest, Certification
from service.domain.request_life import RequestStatus

app = typer.Typer(no_args_is_help=True, help="Ask payers: new, send, status, renew.")

PAGE = 200
_ONLY_HERE = "kept; a running service goes on with it"

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the request.")]
SendOption = Annotated[bool, typer.Option("--send", help="Have it sent, too.")]


@app.command()
def new(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A request as JSON, - for stdin.")],
    send: SendOption = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a request and keep it; nothing is sent without --send."""
    asked = read_claim(file, AuthorizationRequest)

    async def work(caller: Caller) -> dict[str, Any]:
        made = await requests.put(caller, asked.request_id, asked)
        return await _sent(caller, asked.request_id) if send else made.answer

    _put(_run(work, payer), as_json=as_json)


@app.command("send")
def send_(request: IdArgument, payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """Send a request to the payer; one that was sent already is not sent otherwise."""
    _put(_run(lambda caller: _sent(caller, request), payer), as_json=as_json)


@app.command()
def status(
    request: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of one request; without it all.")
    ] = None,
    inquire: Annotated[bool, typer.Option("--inquire", help="Ask the payer first.")] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="STATUS", help="Of all, those that stand so.")
    ] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how requests stand, the newest first, or one with what the payer said."""
    if request is None:
        if inquire:
            raise BadInput("--inquire: of which request? give its ID")
        _put_all(only, payer, as_json=as_json)
        return

    async def work(caller: Caller) -> dict[str, Any]:
        if inquire:
            await requests.inquire(caller, request)
            await sending.look(caller.parts, caller.payer)
        return await requests.read(caller, request)

    _put(_run(work, payer), as_json=as_json)


@app.command()
def renew(
    source: Annotated[str, typer.Argument(metavar="ID", help="A request or an authorization.")],
    id_: Annotated[str, typer.Option("--id", help="The id of the new request.")],
    certification: Annotated[
        str,
        typer.Option("--as", help="UM02: R renewal, 4 extension, S revision, 3 cancel, I 1 2 N."),
    ] = "R",
    changes: Annotated[
        str, typer.Option("--changes", help="What is otherwise, as JSON (RFC 7396).")
    ] = "{}",
    send: SendOption = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the request that follows on a request or an authorization, with its use as evidence."""
    if certification not in get_args(Certification):
        raise BadInput(f"--as: one of {', '.join(get_args(Certification))}")
    try:
        patch = orjson.loads(changes)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"--changes: not JSON: {error}") from error
    told = {"request_id": id_, "certification_type": certification, "changes": patch}
    asked = asked_as(CopyAsked, told)

    async def work(caller: Caller) -> dict[str, Any]:
        try:
            made = await requests.copy(caller, source, asked)
        except NotFound:
            made = await requests.renew(caller, source, asked)
        return await _sent(caller, id_) if send else made.answer

    _put(_run(work, payer), as_json=as_json)


async def _sent(caller: Caller, request_id: str) -> dict[str, Any]:
    """Have it sent and try at once; what comes of it is told."""
    await requests.send(caller, request_id)
    await sending.look(caller.parts, caller.payer)
    return await requests.read(caller, request_id)


def _run(work: Any, payer: str | None) -> dict[str, Any]:
    """Do it; a message that cannot be made is bad input."""
    try:
        return cast(dict[str, Any], run_for_payer(work, payer))
    except ValidationError as error:
        raise BadInput(misfits(error)[0]) from error


def _put_all(only: str | None, payer: str | None, *, as_json: bool) -> None:
    statuses: tuple[RequestStatus, ...] = get_args(RequestStatus)
    wanted = next((each for each in statuses if each == (only or "").upper()), None)
    if only is not None and wanted is None:
        raise BadInput(f"--only: one of {', '.join(statuses)}")

    async def work(caller: Caller) -> list[dict[str, Any]]:
        asked = WantedRequests(status=wanted)
        found = await all_pages(lambda after: requests.page(caller, asked, size=PAGE, after=after))
        return [requests.told(each.request) for each in found]

    every = run_for_payer(work, payer)
    put_answer(every, _table(every), as_json=as_json)


def _put(answer: dict[str, Any], *, as_json: bool) -> None:
    """Show a request; exit code 1 where the payer could not read it."""
    put_answer(answer, _table([answer]), as_json=as_json)
    for each in answer["offers"]:
        say(f"charge {each['charge_id']}: attach {each['authorization_id']}")
    if answer["wanted"]:
        say(f"the payer asks for (LOINC): {', '.join(answer['wanted'])}")
    if answer["appeal_by"]:
        say(f"denied: appeal by {answer['appeal_by']}, or rebuild it (renew --as I)")
    if answer["problem"]:
        say(f"{answer['problem']}; {_ONLY_HERE}" if answer["due"] else answer["problem"])
    if answer["status"] == "REFUSED":
        raise typer.Exit(PROBLEMS)


def _table(listed: list[dict[str, Any]]) -> Table:
    rows = (
        (
            each["request"]["request_id"],
            each["status"],
            each["number"] or each["reference"] or "",
            each["request"]["requested_dates"]["from"],
            each["follow_up"] or each["appeal_by"] or "",
            ", ".join(each["reasons"]),
            each["trace"],
        )
        for each in listed
    )
    headings = ("request", "status", "number", "from", "follow up", "reasons", "trace")
    return table(*headings, rows=rows, whole=("request", "trace"))
