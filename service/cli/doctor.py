"""`authmatch doctor`: is everything in place, and what is not."""

import asyncio
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from service.application.diagnosis import Finding, diagnose
from service.cli.configuration import JsonOption, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS
from service.cli.terminal import put_answer, table
from service.settings import Settings

_MARKS = {"green": "ok", "yellow": "note", "red": "WRONG"}


def doctor(as_json: JsonOption = False) -> None:
    """Look at settings, files and engines; exit code 1 for anything red, 3 for an engine."""
    findings = asyncio.run(_all(read_settings()))
    put_answer([asdict(each) for each in findings], _table(findings), as_json=as_json)
    red = [each for each in findings if each.level == "red"]
    if any(each.is_engine for each in red):
        raise typer.Exit(ENGINE_FAULT)
    if red:
        raise typer.Exit(PROBLEMS)


async def _all(settings: Settings) -> list[Finding]:
    return [each async for each in diagnose(settings)]


def _table(findings: list[Finding]) -> Table:
    shown = table("level", "what", "found", whole=("level", "what"))
    shown.show_header = False
    for each in findings:
        found = Text(each.found)
        if each.advice:
            found.append(f"\n{each.advice}", "dim")
        shown.add_row(Text(_MARKS[each.level], each.level), each.what, found)
    return shown
