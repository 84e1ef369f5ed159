"""`authmatch authorization`: enter one by hand, with the document that shows it, and confirm it."""

from pathlib import Path
from typing import Annotated, get_args

import orjson
import typer
from pydantic import ValidationError

from service.application import documents
from service.application.documents import Entered, Paper
from service.application.parts import Caller
from service.cli.configuration import JsonOption, PayerOption, read_settings
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import put_answer
from service.domain.decision import Asked
from service.domain.document import Document, DocumentKind
from service.domain.manual_entry import ManualEntry
from service.domain.misfits import misfits

app = typer.Typer(no_args_is_help=True, help="Authorizations entered by hand: add, confirm.")

ByOption = Annotated[
    str | None, typer.Option("--by", help="For whom, where it is not for yourself.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")]


@app.callback()
def _group() -> None:
    """Authorizations that are entered by hand, and their documents."""


@app.command()
def add(  # noqa: PLR0913 - the options of a command
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The authorization as JSON; none with --to."),
    ] = None,
    document: Annotated[
        Path | None, typer.Option("--document", help="The document: PDF, JPEG, PNG or TIFF.")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="letter, fax, portal or other.")] = "letter",
    to: Annotated[
        str | None, typer.Option("--to", metavar="ID", help="Add it to this authorization.")
    ] = None,
    reason: ReasonOption = None,
    by: ByOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter an authorization by hand with its document, or add a document to one that is there."""
    paper = None if document is None else _paper(document, kind)
    if (file is None) == (to is None):
        raise BadInput("name a FILE with the authorization, or --to one that is there")
    if to is not None:
        if paper is None:
            raise BadInput("--document: it is needed with --to")
        name, given = to, paper

        async def work(caller: Caller) -> tuple[Document, bool, Entered | None]:
            return await documents.add(caller, name, given, by)

        kept, is_new, entered = run_for_payer(work, payer)
        view = f"{kept.document_id} {'added' if is_new else 'is there already'}, {kept.sha256}"
        state = entered.as_answer() if entered else None
        put_answer({**kept.as_answer(), "entry": state}, view, as_json=as_json)
        return
    entry = _entry(file or Path(), reason, by)
    done = run_for_payer(lambda caller: documents.enter(caller, entry, paper), payer)
    put_answer(done.as_answer(), _view(done), as_json=as_json)


@app.command()
def confirm(
    authorization: Annotated[str, typer.Argument(metavar="ID", help="The id of the entry.")],
    reason: ReasonOption = None,
    by: ByOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at an entry a second time: it counts from then on."""
    asked = Asked(by=by, reason=reason)
    done = run_for_payer(lambda caller: documents.confirm(caller, authorization, asked), payer)
    put_answer(done.as_answer(), _view(done), as_json=as_json)


def _view(done: Entered) -> str:
    waits = ", ".join(done.waits_for)
    how = f"waits for: {waits}" if waits else "counts from now on"
    return f"{done.authorization_id} version {done.version} {how}"


def _paper(file: Path, kind: str) -> Paper:
    """Read a document; raises BadInput, also for one that is too large."""
    kinds: tuple[DocumentKind, ...] = get_args(DocumentKind)
    known = next((each for each in kinds if each == kind), None)
    if known is None:
        raise BadInput(f"--kind: one of {', '.join(kinds)}")
    most = read_settings().document_bytes_max
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise BadInput(f"--document: {file} cannot be read ({type(error).__name__})") from error
    if len(content) > most:
        raise BadInput(f"--document: {file} is longer than {most} bytes")
    return Paper(content=content, kind=known)


def _entry(file: Path, reason: str | None, by: str | None) -> ManualEntry:
    """Read an authorization; raises BadInput."""
    try:
        content = orjson.loads(file.read_bytes())
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({type(error).__name__})") from error
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{file} is no JSON") from error
    try:
        return ManualEntry.model_validate({"authorization": content, "reason": reason, "by": by})
    except ValidationError as error:
        raise BadInput(f"{file}: {misfits(error)[0]}") from error
