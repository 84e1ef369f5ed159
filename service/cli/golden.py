"""`authmatch golden`: which authorization is right for claim lines, said by people."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Group, RenderableType

from service.application import golden, studies
from service.application.golden import LABELS_MAX, DecisionsAsked, LabelsSent
from service.application.parts import Caller
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import run_for_payer
from service.cli.studies import (
    DAYS,
    DraftOption,
    StudyArgument,
    labels_in,
    made,
    rules_of,
    study_said,
)
from service.cli.terminal import put_answer, put_json, put_line, say, table
from service.domain.misfits import misfits

app = typer.Typer(no_args_is_help=True, help="The golden set: what is right for claim lines.")

ByOption = Annotated[str | None, typer.Option("--by", help="Who says so, if it is not you.")]


@app.command("next")
def next_(
    study: StudyArgument,
    size: Annotated[int, typer.Option(min=1, max=50, help="So many lines.")] = 1,
    second: Annotated[
        bool, typer.Option("--second", help="Lines that one other person has labelled.")
    ] = False,
    by: ByOption = None,
    payer: PayerOption = None,
) -> None:
    """Show lines to label, with all that could cover them, and nothing of what the engine says."""

    async def work(caller: Caller) -> studies.Json:
        return await golden.next_to_label(caller, study, size=size, second=second, by=by)

    answer = run_for_payer(work, payer)
    say(f"{answer['total']} lines wait")
    put_json(answer)


@app.command()
def label(
    study: StudyArgument,
    line: Annotated[
        str, typer.Argument(metavar="CLAIM:LINE", help="The id of a claim, and a line of it.")
    ],
    authorization: Annotated[
        str, typer.Argument(help="The id of the right authorization, or none.")
    ],
    kind: Annotated[str, typer.Option(help="Of which kind.")] = "authorization",
    why: Annotated[str | None, typer.Option(help="Why.")] = None,
    by: ByOption = None,
    payer: PayerOption = None,
) -> None:
    """Label one line of a study; only then it is shown how the engine decided it."""
    claim, _, number = line.rpartition(":")
    if not (claim and number.isdecimal()):
        raise BadInput(f"{line}: a claim and the number of its line are needed, such as C-1:2")
    said = {
        "claim_id": claim,
        "line": int(number),
        "kind": kind,
        "authorization": None if authorization == "none" else authorization,
        "why": why,
    }
    put_json(_send(study, [said], by, payer))


@app.command("import")
def import_(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="Labels: NDJSON, as `golden export` writes them.")],
    by: ByOption = None,
    payer: PayerOption = None,
) -> None:
    """Label lines of a study from a file; of a file that is wrong nothing is taken."""
    labels = [each.model_dump(by_alias=True) for each in labels_in(file)]
    if not labels:
        raise BadInput(f"{file}: there are no labels in it")
    if len(labels) > LABELS_MAX:
        raise BadInput(f"{file}: {len(labels)} labels, at most {LABELS_MAX} at once: cut it")
    answer = _send(study, labels, by, payer)
    conflicts = sum(each["is_conflict"] for each in answer["lines"])
    say(f"{answer['stored']} labels, {answer['known']} known before, {conflicts} conflicts")


def _send(
    study: str, labels: list[dict[str, Any]], by: str | None, payer: str | None
) -> studies.Json:
    async def work(caller: Caller) -> studies.Json:
        sent = LabelsSent.model_validate({"study": study, "labels": labels, "by": by})
        return await golden.label(caller, sent)

    try:
        return run_for_payer(work, payer)
    except ValidationError as error:
        _, errors = misfits(error)
        lines = (f"{each['path'] or '/'}: {each['message']}" for each in errors)
        raise BadInput("\n".join(lines)) from error


@app.command()
def export(payer: PayerOption = None) -> None:
    """Write every label that was ever given, one a line, with who and when."""
    for each in run_for_payer(golden.export, payer):
        put_line(each)


@app.command("list")
def list_(
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Only lines of which people differ.")
    ] = False,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List labelled lines. Exit code 1 when people differ."""

    async def work(caller: Caller) -> studies.Json:
        return await golden.listing(caller, conflicts=conflicts)

    answer = run_for_payer(work, payer)
    put_answer(answer, _lines_view(answer), as_json=as_json)
    if answer["conflicts"]:
        raise typer.Exit(PROBLEMS)


def _lines_view(answer: Mapping[str, Any]) -> RenderableType:
    rows = [
        (
            each["claim_id"],
            str(each["line"]),
            each["kind"],
            " | ".join(
                f"{one['on_behalf_of'] or one['by']}: {one['authorization'] or 'none'}"
                for one in each["labels"]
            ),
            "conflict" if each["is_conflict"] else "",
        )
        for each in answer["lines"]
    ]
    return Group(
        f"{answer['total']} lines, {answer['by_two']} by two people,"
        f" {answer['conflicts']} conflicts",
        table("claim", "line", "kind", "labels", "", rows=rows, right={"line"}),
    )


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="What the study is called.")],
    payer: PayerOption = None,
) -> None:
    """Freeze the claims of the golden set with all that could cover them now, as a study."""

    async def work(caller: Caller) -> studies.Json:
        return await made(caller, {"name": name, "golden": True})

    answer = run_for_payer(work, payer)
    say(study_said(answer))
    put_json(answer)


@app.command()
def decisions(
    period: Annotated[
        str | None, typer.Option(metavar="DAY..DAY", help="Adjudicated then; else 30 days.")
    ] = None,
    payer: PayerOption = None,
) -> None:
    """Take over what examiners selected on claims as their labels; again and again, each once."""
    today = date.today()  # noqa: DTZ011 - a day of the person who types
    first, _, last = (period or f"{today - timedelta(days=DAYS)}..{today}").partition("..")
    try:
        asked = DecisionsAsked.model_validate({"from": first, "to": last or first})
    except ValidationError as error:
        reason, _ = misfits(error)
        raise BadInput(f"--period: {reason}") from error

    async def work(caller: Caller) -> studies.Json:
        return await golden.take_decisions(caller, asked)

    answer = run_for_payer(work, payer)
    say(f"{answer['stored']} decisions, {answer['known']} known before")


@app.command()
def coverage(
    study: StudyArgument,
    draft: DraftOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how much of a study is labelled, by template and criterion."""

    async def work(caller: Caller) -> studies.Json:
        return await golden.covered(caller, study, await rules_of(caller, draft))

    answer = run_for_payer(work, payer)
    put_answer(answer, _coverage_view(answer), as_json=as_json)


def _coverage_view(answer: Mapping[str, Any]) -> RenderableType:
    parts: list[RenderableType] = []
    for name in ("templates", "criteria"):
        heads = list(answer[name][0]) if answer[name] else []
        rows = [[str(value) for value in each.values()] for each in answer[name]]
        right = set(heads) - {"template", "criterion"}
        parts += [table(*heads, rows=rows, right=right), ""]
    return Group(*parts)
