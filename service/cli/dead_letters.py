"""`authmatch deadletters`: what could not be taken: list, show, try again, drop."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from service.application import intake
from service.application.intake import Letter, LetterFilter, Ruling
from service.application.parts import Caller
from service.application.refusals import LetterConflict, NotFound
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import out, put, put_json, put_line, say

app = typer.Typer(
    no_args_is_help=True, help="What could not be taken and was kept: list, show, retry, drop."
)

PAGE = 200
_INDENT = 4

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="As `list` shows them.")]
By = Annotated[
    str | None, typer.Option("--by", help="For whom, where it is not for yourself.", metavar="NAME")
]


@app.command("list")
def list_letters(
    status: Annotated[
        Literal["open", "resolved", "dropped", "all"], typer.Option(help="Which of them.")
    ] = "open",
    code: Annotated[
        str | None,
        typer.Option(help="unreadable, invalid, conflict, duplicate-grant, other-person, refused."),
    ] = None,
    letter_format: Annotated[
        str | None, typer.Option("--format", help="json, x12 or fhir.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 50,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, those that came last first; with --json a line for each."""
    wanted = LetterFilter(
        status=None if status == "all" else status, code=code, format=letter_format
    )

    async def work(caller: Caller) -> list[Letter]:
        return [letter async for letter in _letters(caller, wanted, size)]

    letters = run_for_payer(work, payer)
    if as_json:
        for each in letters:
            put_line(each.shown())
    elif letters:
        out.print(_listed(letters))
    else:
        say("there are none")


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")],
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of one, and what was sent; exit code 2 if there is none."""
    letter = run_for_payer(lambda caller: intake.letter(caller, letter_id), payer)
    shown = letter.shown() | letter.readable()
    if as_json:
        put_json(shown)
        return
    content = shown.pop("content")
    for name, value in shown.items():
        if value not in (None, (), {}):
            put(f"{name}: {value}")
    if content is not None:
        put(f"\n{content}")


@app.command()
def retry(  # noqa: PLR0913 - one parameter for each option
    ids: Ids = None,
    all_open: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    corrected: Annotated[
        Path | None, typer.Option("--with", help="Corrected content of the one.", metavar="FILE")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option("--into", help="It is a version of this one, on file.", metavar="ID"),
    ] = None,
    as_distinct: Annotated[
        bool, typer.Option("--as-distinct", help="It is another grant of a number on file.")
    ] = False,
    by: By = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try dead letters again, as they came or corrected.

    A duplicate-grant goes into the one on file, or is stored beside it as distinct.
    Exit code: 0 all were taken, 1 some stay open, 3 an engine failed.
    """
    names = ids or []
    if bool(names) == all_open:
        raise BadInput("name some, or all with --all")
    if corrected is not None and len(names) != 1:
        raise BadInput("--with corrects one: name it")
    if into is not None and (as_distinct or len(names) != 1):
        raise BadInput("--into is of one letter, and of none that is distinct")
    content = corrected.read_bytes() if corrected else None
    ruling = Ruling(into=into, is_distinct=as_distinct)

    async def work(caller: Caller) -> int:
        code = 0
        async for name in _named(caller, names):
            told = await _retried(caller, name, content, by, ruling)
            code = max(code, _code_of(told))
            _tell(told, as_json=as_json)
        return code

    if code := run_for_payer(work, payer):
        raise typer.Exit(code)


@app.command()
def drop(
    ids: Annotated[list[str], typer.Argument(metavar="ID...")],
    why: Annotated[str, typer.Option("--why", help="Why nobody wants it.")],
    by: By = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Drop dead letters: their content goes, the rest stays with who and why.

    Exit code: 0 dropped, 1 some were not.
    """

    async def work(caller: Caller) -> bool:
        are_all_dropped = True
        for name in ids:
            try:
                told = (await intake.drop(caller, name, by=by, why=why)).shown()
            except (LetterConflict, NotFound) as refused:
                told = _not_done(name, str(refused))
            are_all_dropped &= told["status"] == "dropped"
            _tell(told, as_json=as_json)
        return are_all_dropped

    if not run_for_payer(work, payer):
        raise typer.Exit(PROBLEMS)


async def _letters(
    caller: Caller, wanted: LetterFilter, size: int | None = None
) -> AsyncIterator[Letter]:
    """Letters, all that there are now without a ``size``."""
    after: str | None = None
    while size is None or size > 0:
        wanted_now = PAGE if size is None else min(size, PAGE)
        page = await intake.letters(caller, wanted, size=wanted_now, after=after)
        size = page.total if size is None else size
        for letter in page.entries:
            yield letter
        size, after = size - len(page.entries), page.next_
        if after is None:
            return


async def _named(caller: Caller, names: Sequence[str]) -> AsyncIterator[str]:
    """The ids that were named, or those of all that are open."""
    for name in names:
        yield name
    if not names:
        async for letter in _letters(caller, LetterFilter(status="open")):
            yield letter.id


async def _retried(
    caller: Caller, name: str, corrected: bytes | None, by: str | None, ruling: Ruling
) -> dict[str, Any]:
    try:
        retried = await intake.retry(caller, name, corrected=corrected, by=by, ruling=ruling)
    except (LetterConflict, NotFound) as refused:
        return _not_done(name, str(refused))
    return retried.letter.shown() | {"results": list(retried.results)}


def _code_of(told: dict[str, Any]) -> int:
    if any(each["status"] == "failed" for each in told.get("results", ())):
        return ENGINE_FAULT
    return 0 if told["status"] == "resolved" else PROBLEMS


def _not_done(name: str, reason: str) -> dict[str, Any]:
    return {"id": name, "status": "refused", "reason": reason}


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_line(told)
        return
    failed = [each for each in told.get("results", ()) if each.get("reason")]
    reason = failed[0]["reason"] if failed else told.get("reason")
    is_done = told["status"] in ("resolved", "dropped")
    put(f"{told['id']}: {told['status']}" + ("" if is_done or not reason else f": {reason}"))


def _listed(letters: Sequence[Letter]) -> RenderableType:
    """Show each in a line, and below it what it was and why: so that no width hides the reason."""
    rows: list[RenderableType] = []
    for each in letters:
        named = f"{each.authorization_id} " if each.authorization_id else ""
        version = "" if each.version is None else f"v{each.version} "
        more = f"  {each.last_at[:19]}  {each.format}  {each.code}"
        rows.append(Text.assemble((each.id, "bold"), more))
        rows.append(Padding(Text(f"{named}{version}{each.reason}"), (0, 0, 0, _INDENT)))
    return Group(*rows)
