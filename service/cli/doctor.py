"""`authmatch doctor`: is everything in place, and what is not."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from service.application.parts import NotConfigured, open_stores
from service.cli.configuration import PREFIX, JsonOption, read_settings
from service.cli.engine_checks import engine_findings
from service.cli.faults import ENGINE_FAULT, PROBLEMS
from service.cli.findings import Finding, green, red, yellow
from service.cli.terminal import out, put_json
from service.domain.reference import References
from service.querying.problem import TemplatesRefused
from service.rules.files import load_rules
from service.settings import Settings

_NOT_SETTINGS = frozenset({"AUTHMATCH_CACHE"})
"""Variables of ours that are read elsewhere."""

_MARKS = {"green": "ok", "yellow": "note", "red": "WRONG"}


def doctor(as_json: JsonOption = False) -> None:
    """Look at settings, files and engines; exit code 1 for anything red, 3 for an engine."""
    findings = asyncio.run(_look(read_settings()))
    if as_json:
        put_json([asdict(each) for each in findings])
    else:
        out.print(_table(findings))
    red_ones = [each for each in findings if each.level == "red"]
    if any(each.is_engine for each in red_ones):
        raise typer.Exit(ENGINE_FAULT)
    if red_ones:
        raise typer.Exit(PROBLEMS)


async def _look(settings: Settings) -> list[Finding]:
    findings = [*_of_settings(settings)]
    references = References()
    try:
        rules = load_rules(settings)
    except TemplatesRefused as refused:
        found = f"{len(refused.problems)} problems"
        findings.append(red("rules", found, "run `authmatch queries check`"))
    else:
        references = rules.references
        versions = (f"{name} v{plan.template.version}" for name, plan in rules.plans.items())
        findings.append(green("rules", ", ".join(sorted(versions))))
    try:
        stores = open_stores(settings, references)
    except NotConfigured as error:
        findings.append(red("engines", "not configured", str(error)))
        return findings
    try:
        findings += [each async for each in engine_findings(stores)]
    finally:
        await stores.elasticsearch.close()
        await stores.redis.aclose()
    return findings


def _of_settings(settings: Settings) -> Iterator[Finding]:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    given = [name for name in os.environ if name.upper().startswith(PREFIX)]
    for name in sorted(given):
        if name.upper() not in known | _NOT_SETTINGS:
            yield yellow("settings", f"{name} is not a setting", "is it misspelt?")
    yield green("queries", str(settings.queries_dir))
    if settings.is_open:
        yield yellow("API keys", "none: loopback only", "set AUTHMATCH_API_KEYS to serve others")
    else:
        yield green("API keys", f"{len(settings.api_keys)}, hidden")
    if settings.uses_development_secret:
        advice = "set AUTHMATCH_SURROGATE_KEY to serve others"
        yield yellow("surrogate key", "the one of development", advice)
    else:
        yield green("surrogate key", "set, hidden")


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        found = Text(each.found)
        if each.advice:
            found.append(f"\n{each.advice}", "dim")
        table.add_row(Text(_MARKS[each.level], each.level), each.what, found)
    return table
