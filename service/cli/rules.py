"""`authmatch rules`: templates, tables and references: checked, drafted, put in force, undone."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from ruamel.yaml import YAML

from service.application import reports, rules, rules_drafts, rules_publishing, rules_stages
from service.application.parts import Caller, application, local_caller
from service.application.queries import (
    Report,
    SampleClaims,
    check_live,
    check_texts,
    compiled_searches,
)
from service.application.refusals import EngineFault, TemplatesRefused
from service.application.reports import EvaluationAsked
from service.application.rules import Asked
from service.application.rules_drafts import (
    ApprovalAsked,
    DraftEdited,
    DraftWanted,
)
from service.application.rules_publishing import PublishAsked, RollbackAsked
from service.cli.asking import asked_as
from service.cli.claim_file import read_claim
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import ENGINE_FAULT, PROBLEMS, BadInput, end
from service.cli.opened import run_with
from service.cli.terminal import put, put_answer, put_json, say, table
from service.domain.claim import Claim
from service.domain.template import Template
from service.querying.library import template_schema
from service.querying.problem import Problem
from service.rules.book import EVERYBODY
from service.rules.life import changed_between
from service.rules.texts import load_texts, read_folder, rule_files
from service.settings import Settings
from service.tuning.bands import band_words

app = typer.Typer(no_args_is_help=True, help="Rules: check, draft, approve, publish, roll back.")

T = TypeVar("T")

_MANY = 200
_TITLE_MAX = 200

_DRAFT = re.compile(r"d[0-9a-f]{16}")

Which = Annotated[str, typer.Argument(metavar="DRAFT", help="The id of a draft.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who does it, else the local user.")
]
WhoseOption = Annotated[
    str | None,
    typer.Option("--payer", metavar="ID", help="Whose rules; else those of all without own ones."),
]
FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="Else AUTHMATCH_QUERIES_DIR.")
]


@app.command()
def check(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[DIR|DRAFT]", help="Else AUTHMATCH_QUERIES_DIR."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no engine.")] = False,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check all files, run the templates' tests, and compare with the live index.

    Exit code: 0 clean, 1 problems.
    """
    if what is not None and _DRAFT.fullmatch(what):
        _check_draft(what, payer, as_json=as_json)
        return
    settings = _settings(Path(what) if what else None)
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


def _check_draft(draft: str, payer: str | None, *, as_json: bool) -> None:
    found = run_rules(lambda caller: rules_drafts.check(caller, draft), payer)
    problems = [Problem(**each) for each in found["problems"]]
    put_answer(found, "\n".join(map(str, problems)) or "nothing is wrong", as_json=as_json)
    if problems:
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


@app.command()
def status(payer: WhoseOption = None, as_json: JsonOption = False) -> None:
    """Show which sets are in force, by first day of service, and the drafts on their way."""

    async def read(caller: Caller) -> dict[str, Any]:
        open_ = await rules_drafts.drafts(caller, is_open=True, size=_MANY, after=None)
        return {**await rules_stages.in_force(caller), "drafts": open_["items"]}

    found = run_rules(read, payer)
    lines = [
        f"set {each['number']} ({each['hash'][:12]}): {each['state']},"
        f" {_from(each['effective_from'])}"
        for each in found["sets"]
    ]
    if found["stage"] is not None:
        lines += stage_words(found["stage"])
    lines += [
        f"{each['id']}: {each['state']}, of set {each['base']}: {each['title']}"
        f" ({', '.join(each['files'])})"
        for each in found["drafts"]
    ]
    put_answer(found, "\n".join(lines), as_json=as_json)


@app.command()
def pull(
    folder: FolderArgument = None,
    which: Annotated[
        str | None, typer.Option("--set", metavar="SET|DRAFT", help="Else the set of today.")
    ] = None,
    payer: WhoseOption = None,
) -> None:
    """Write the files of a set into a folder; rule files that the set has not are removed."""

    async def read(caller: Caller) -> dict[str, str]:
        if which is not None:
            return await rules.texts_of(caller, which)
        return (await rules.active_texts(caller))[1]

    texts = run_rules(read, payer)
    into = folder or read_settings().queries_dir
    for path in rule_files(into):
        if path.relative_to(into).as_posix() not in texts:
            path.unlink()
    for name, text in texts.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_text(text, encoding="utf-8")
    put(f"{len(texts)} files in {into}")


@app.command()
def push(
    reason: ReasonOption,
    folder: FolderArgument = None,
    title: Annotated[str | None, typer.Option(help="What people call it; else the reason.")] = None,
    draft: Annotated[
        str | None, typer.Option("--draft", metavar="DRAFT", help="Change this one.")
    ] = None,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a draft of what a folder has other than the set of today; prints its id."""
    texts = read_folder(_settings(folder).queries_dir)

    async def write(caller: Caller) -> dict[str, Any] | None:
        number, active = await rules.active_texts(caller)
        asked: dict[str, Any] = {"reason": reason, "by": by, "base": number}
        asked["changed"] = changed_between(active, texts)
        if not asked["changed"]:
            return None
        if draft is not None:
            made = await rules_drafts.edit(caller, draft, asked_as(DraftEdited, asked))
        else:
            asked["title"] = title or reason[:_TITLE_MAX]
            made = await rules_drafts.begin(caller, asked_as(DraftWanted, asked))
        return {**made, "changes": rules.changes_shown(active, texts)}

    made = run_rules(write, payer)
    if made is None:
        say("nothing differs from the set of today")
        return
    for each in made["changes"]:
        say(each["words"])
    put_answer(made, made["id"], as_json=as_json)


@app.command()
def diff(
    old: Annotated[
        str | None, typer.Argument(metavar="[SET|DRAFT|DIR]", help="Else the set of today.")
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="[SET|DRAFT|DIR]", help="Else AUTHMATCH_QUERIES_DIR.")
    ] = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in words what differs from one set, draft or folder to another."""

    async def read(caller: Caller) -> list[dict[str, Any]]:
        one = await _texts(caller, old) if old else (await rules.active_texts(caller))[1]
        other = await _texts(caller, new or str(read_settings().queries_dir))
        return rules.changes_shown(one, other)

    found = run_rules(read, payer)
    view = "\n".join(each["words"] for each in found) or "nothing differs"
    put_answer(found, view, as_json=as_json)


@app.command()
def evaluate(
    draft: Which,
    reason: ReasonOption = "checked",
    report: Annotated[
        list[str] | None,
        typer.Option(help="A report on it; of a draft for all payers PAYER:REPORT, repeatable."),
    ] = None,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a draft and, where nothing is wrong, note it as evaluated; exit code 1 if it is not."""
    named = [each.rpartition(":") for each in report or []]
    if payer is not None or not named:
        if len(named) > 1 or any(colon for _, colon, _ in named):
            raise BadInput("--report: the id of one report; without --payer PAYER:REPORT")
        asked = {"reason": reason, "by": by, "report": named[0][2] if named else None}
        _step(reports.evaluated, draft, EvaluationAsked, payer, as_json, **asked)
        return
    if not all(whose for whose, _, _ in named):
        raise BadInput("--report: of a draft for all payers PAYER:REPORT")
    every = [(whose, id_) for whose, _, id_ in named]
    work = partial(reports.evaluated_for_all, named=every)
    _step(work, draft, Asked, payer, as_json, reason=reason, by=by)


@app.command()
def submit(
    draft: Which,
    reason: ReasonOption,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for the review of an evaluated draft."""
    _step(rules_drafts.submit, draft, Asked, payer, as_json, reason=reason, by=by)


@app.command()
def approve(
    draft: Which,
    reason: ReasonOption,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve what somebody else wrote."""
    _step(rules_drafts.approve, draft, ApprovalAsked, payer, as_json, reason=reason, by=by)


@app.command()
def reject(
    draft: Which,
    reason: ReasonOption,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a draft back to its authors."""
    _step(rules_drafts.reject, draft, Asked, payer, as_json, reason=reason, by=by)


@app.command()
def drop(
    draft: Which,
    reason: ReasonOption,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a draft up."""
    _step(rules_drafts.drop, draft, Asked, payer, as_json, reason=reason, by=by)


@app.command()
def publish(
    draft: Which,
    reason: ReasonOption,
    effective_from: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="For services from this day on; else for all."),
    ] = None,
    despite_gates: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why, where no report of the draft holds the gates."),
    ] = None,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an approved draft in force, or schedule it for services from a day on."""
    told = {"effective_from": effective_from, "despite_gates": despite_gates}
    asked = asked_as(PublishAsked, {"reason": reason, "by": by, **told})
    made = run_rules(lambda caller: rules_publishing.publish(caller, draft, asked), payer)
    put_answer(made, published(made), as_json=as_json)


@app.command()
def rollback(
    reason: ReasonOption,
    to: Annotated[int | None, typer.Option(min=1, help="Else the set before.")] = None,
    over: Annotated[
        int | None, typer.Option(min=1, help="Whose place it takes, else the set of today.")
    ] = None,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the texts of an older set in force at once, as a new set."""
    asked = asked_as(RollbackAsked, {"reason": reason, "by": by, "to": to, "over": over})
    made = run_rules(lambda caller: rules_publishing.rollback(caller, asked), payer)
    put_answer(made, published(made), as_json=as_json)


@app.command()
def history(
    draft: Annotated[str | None, typer.Option("--draft", help="Of this one alone.")] = None,
    size: Annotated[int, typer.Option(min=1, max=200, help="So many, the newest.")] = 50,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was done with rules, by whom and why, the newest first."""
    found = run_rules(lambda caller: rules.history(caller, draft, size=size, after=None), payer)
    rows = [
        (
            each["at"][:19],
            each["action"],
            str(each["number"] or ""),
            each["draft"] or "",
            each["who"]["on_behalf_of"] or each["who"]["by"],
            each["reason"],
        )
        for each in found["items"]
    ]
    columns = ("at", "what", "set", "draft", "by", "why")
    put_answer(found, table(*columns, rows=rows), as_json=as_json)


def _step(
    use: Callable[[Caller, str, Any], Awaitable[dict[str, Any]]],
    draft: str,
    model: type[Asked],
    payer: str | None,
    as_json: bool,
    **given: str | None,
) -> None:
    asked = asked_as(model, given)
    made = run_rules(lambda caller: use(caller, draft, asked), payer)
    put_answer(made, f"{made['id']}: {made['state']}", as_json=as_json)


def published(made: dict[str, Any]) -> str:
    """A set that was just made, and from when it is."""
    return f"set {made['number']} is {made['state']}, {_from(made['starts'])}"


def stage_words(stage: dict[str, Any]) -> list[str]:
    """A set in stages, and how it does, a line each."""
    whom = f" of {stage['only']}" if stage["only"] else ""
    judged = stage["judged"]
    head = f"set {stage['number']}: staged, {stage['share']} % of the claims{whom}, in place of"
    bands = [f"  {band_words(each)}: {each['outcome']}" for each in judged["bands"]]
    claims = f"{judged['claims']} claims (of {judged['claims_min']} before it is stopped by a band)"
    return [f"{head} set {stage['over']}: {claims}", *bands]


def _from(day: str | None) -> str:
    return f"for services from {day}" if day else "for services of all days before the next"


async def _texts(caller: Caller, which: str) -> dict[str, str]:
    if which.isdecimal() or _DRAFT.fullmatch(which):
        return await rules.texts_of(caller, which)
    return read_folder(_settings(Path(which)).queries_dir)


def run_rules(work: Callable[[Caller], Awaitable[T]], payer: str | None) -> T:
    """Do something with the rules of a payer, else with those of all without own ones."""
    settings = read_settings()
    whose = EVERYBODY if payer is None else payer_of(payer, settings)
    return run_with(settings, lambda parts: work(local_caller(parts, whose)))


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
