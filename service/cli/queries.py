"""`authmatch queries`: checks and shows templates, tables and references."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from service.application.parts import application
from service.application.queries import (
    Report,
    SampleClaims,
    check_live,
    check_texts,
    compiled_searches,
)
from service.application.refusals import EngineFault, TemplatesRefused
from service.cli.claim_file import read_claim
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput, end
from service.cli.terminal import put, put_json, say
from service.domain.claim import Claim
from service.domain.template import Template
from service.querying.library import template_schema
from service.querying.problem import Problem
from service.rules.texts import load_texts, read_folder
from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Templates and tables: check, show, schema.")


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Else AUTHMATCH_QUERIES_DIR.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no engine.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check all files, run the templates' tests, and compare with the live index.

    Exit code: 0 clean, 1 problems.
    """
    settings = _settings(folder)
    report, fault = asyncio.run(_check(settings, is_offline=offline))
    if as_json:
        put_json(report.as_dict())
    else:
        for problem in report.problems:
            put(str(problem))
        for note in report.notes:
            say(note)
    if fault is not None:
        end(str(fault), ENGINE_FAULT, fault)
    if report.problems:
        raise typer.Exit(PROBLEMS)


async def _check(settings: Settings, *, is_offline: bool) -> tuple[Report, EngineFault | None]:
    """Check; the fault of an engine does not hide what was found before."""
    texts = read_folder(settings.queries_dir)
    report, book = await check_texts(texts)
    if all("/" in name for name in texts):
        file = str(settings.queries_dir)
        problem = Problem(
            code="T002", path="", message="there is no template in this folder", file=file
        )
        report.problems.insert(0, problem)
    elif is_offline:
        report.notes.append("live checks: left out")
    elif book is None:
        report.notes.append("live checks: left out until the problems are mended")
    elif not (settings.elasticsearch_url and settings.redis_url):
        report.notes.append(
            "live checks: left out, AUTHMATCH_ELASTICSEARCH_URL or _REDIS_URL is not set"
        )
    else:
        try:
            async with application(settings, rules=book) as parts:
                await check_live(parts, book, report, _sample_claims())
        except EngineFault as fault:
            return report, fault
    return report, None


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The id of a template.")],
    claim: Annotated[
        str | None, typer.Option(metavar="CLAIM.json", help="Show what is asked for this claim.")
    ] = None,
    line: Annotated[int, typer.Option(min=1, help="Which line of the claim.")] = 1,
    payer: PayerOption = None,
) -> None:
    """Show a template with all it extends, or what it asks of Elasticsearch for a claim line."""
    settings = read_settings()
    loaded = load_texts(read_folder(settings.queries_dir))
    library = loaded.library
    if name not in library.resolved:
        raise BadInput(f"there is no template {name}: {', '.join(sorted(library.resolved))}")
    if claim is None:
        yaml = YAML()
        yaml.width = 120
        resolved = library.resolved[name].plain()
        keys = dict.fromkeys((*Template.model_fields, *resolved))
        yaml.dump({key: resolved[key] for key in keys if key in resolved}, sys.stdout)
        return
    if name not in library.plans:
        raise TemplatesRefused(loaded.problems)
    given, whose = read_claim(claim, Claim), payer_of(payer, settings)
    put_json(compiled_searches(library.plans[name], given, line, loaded.references, whose))


@app.command()
def schema() -> None:
    """Write the JSON Schema of a template, for editors."""
    put_json(template_schema())


def _sample_claims() -> SampleClaims | None:
    """The claims of `authmatch sample`, where it is installed."""
    try:
        from authmatch_local.samples import SampleData
    except ModuleNotFoundError:
        return None
    return SampleData(seed=1, authorizations=2_000).claims


def _settings(folder: Path | None) -> Settings:
    if folder is None:
        return read_settings()
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    return read_settings(queries_dir=folder)
