"""`authmatch audit`: whether the audit trail is whole, who saw whose data, how far it goes."""

from datetime import date
from typing import Annotated

import typer

from service.application import audit
from service.application.audit import Wanted
from service.application.parts import Application, Caller
from service.cli.configuration import PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import run_for_payer, run_with
from service.cli.terminal import put, put_line
from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The audit trail: verify, export, head.")

AllOption = Annotated[
    str | None, typer.Option("--payer", help="Whose trail; without it all.", metavar="ID")
]


@app.command()
def verify(
    payer: AllOption = None,
    after: Annotated[
        str | None,
        typer.Option("--after", help="From a head on that `head` gave out.", metavar="HEAD"),
    ] = None,
) -> None:
    """Say which rows were changed, dropped, inserted or moved; silent where there are none.

    Exit code 1 when there are some.
    """
    settings, payers = _only(payer)
    if after is not None and not payers:
        raise BadInput("--after is a head of one payer: name it with --payer")

    async def work(parts: Application) -> bool:
        is_whole = True
        async for whose, problem in audit.verify(parts, payers, after):
            is_whole = False
            put(f"{whose}: {problem}")
        return is_whole

    if not run_with(settings, work):
        raise typer.Exit(PROBLEMS)


@app.command()
def export(
    member: Annotated[
        str | None, typer.Option("--member", help="Of this person, under every id.", metavar="ID")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this day on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="To this day.")] = None,
    payer: PayerOption = None,
) -> None:
    """Write rows as JSON lines, the newest first; of a member: who saw or changed his data."""
    days = [_day(name, given) for name, given in (("--since", since), ("--until", until))]
    wanted = Wanted(since=days[0], until=days[1])

    async def work(caller: Caller) -> None:
        async for row in audit.export(caller, wanted, member=member):
            put_line(row)

    run_for_payer(work, payer)


@app.command()
def head(payer: AllOption = None) -> None:
    """Write how far each trail goes, signed; kept elsewhere it shows what was cut off later."""
    settings, payers = _only(payer)
    found = run_with(settings, lambda parts: audit.heads(parts, payers))
    for whose, text in found.items():
        put(f"{whose} {text}")


def _only(payer: str | None) -> tuple[Settings, tuple[str, ...]]:
    settings = read_settings()
    return settings, () if payer is None else (payer_of(payer, settings),)


def _day(name: str, given: str | None) -> str | None:
    """A day as it was given; raises BadInput for what is none."""
    if given is None:
        return None
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise BadInput(f"{name}: a day is written as YYYY-MM-DD") from error
