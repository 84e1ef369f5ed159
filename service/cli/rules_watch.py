"""`authmatch rules statistics`: what the rules in force come to on live claims."""

from datetime import date
from typing import Annotated, Any

import typer

from service.application.statistics import statistics as rule_statistics
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.rules import app
from service.cli.terminal import put_answer

__all__ = ["app"]


@app.command()
def statistics(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day of answers.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day.")] = None,
    rule_set: Annotated[int | None, typer.Option("--set", min=1, help="Of this set.")] = None,
    template: Annotated[str | None, typer.Option(help="Of this template.")] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what claim lines came to by set and template, of the last week or of other days."""
    days = {"first": _day(first, "--from"), "last": _day(last, "--to")}
    found = run_for_payer(
        lambda caller: rule_statistics(caller, **days, rule_set=rule_set, template=template), payer
    )
    parts = {"adjudicated": found["adjudicated"], "matched": found["matched"]["rows"]}
    told = [_told(name, each) for name, part in parts.items() for each in part]
    put_answer(found, "\n".join(told) or "no claims were answered on these days", as_json=as_json)


def _told(what: str, row: dict[str, Any]) -> str:
    template = f"{row['template']}@{row['template_version']}"
    rates = (f"{each:g}% {name.replace('_', ' ')}" for name, each in row["percent"].items() if each)
    of = f"set {row['set'] or 'unkept'}, {template}"
    return f"{what}, {of}: {row['lines']} lines, {', '.join(rates)}"


def _day(given: str | None, option: str) -> date | None:
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError as error:
        raise BadInput(f"{option}: {given} is no day, such as 2026-03-01") from error
