"""`authmatch study`, `evaluate`, `sweep`, `suggest`: what a change of the rules would move."""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.table import Table

from service.application import golden, reports, studies, suggestions
from service.application.intake import NotFound
from service.application.parts import Caller
from service.application.reports import Made
from service.application.rules import texts_of
from service.application.studies import StudyAsked
from service.application.suggestions import SuggestionAsked
from service.cli.asking import asked_as
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import run_for_payer
from service.cli.terminal import progress, put_answer, put_json, say, table
from service.domain.claim import Claim
from service.domain.misfits import misfits
from service.ingest.submissions import is_x12
from service.rules.book import EVERYBODY
from service.rules.rule_set import RuleSet
from service.rules.texts import read_folder
from service.tuning.gates import gate_words
from service.tuning.golden import Label, labels_of
from service.tuning.measures import Labels
from service.tuning.report import MINUTES
from service.tuning.suggesting import TRIES

app = typer.Typer(no_args_is_help=True, help="Studies: claims to try rules on.")


PAGE = 50
BYTES_MAX = 256 * 1024 * 1024
DAYS = 30

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="The id of a study.")]
DraftOption = Annotated[
    str | None,
    typer.Option("--draft", metavar="DRAFT", help="A folder with its files, or the id of a draft."),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the study is called.")],
    file: Annotated[
        Path | None, typer.Argument(help="Claims: NDJSON, a JSON list, or an 837. Else kept ones.")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(metavar="DAY..DAY", help="Kept claims answered on these days; else 30 days."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT=VALUE", help="Only of a type, or with such a class or event."),
    ] = None,
    sample: Annotated[
        str | None, typer.Option(metavar="N[@SEED]", help="So many of the kept claims at most.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="Take authorizations so many days around a claim.")
    ] = None,
    payer: PayerOption = None,
) -> None:
    """Freeze claims with all that could cover them: kept ones of a period, or those of a file.

    The study is printed as JSON; its id is what `evaluate` and `sweep` take.
    """
    kept = _kept(period, only or [], sample)

    async def work(caller: Caller) -> studies.Json:
        asked: dict[str, Any] = {"name": name, "days": days}
        if file is not None:
            asked["claims"] = await _claims_in(caller, file)
        else:
            asked["kept"] = kept
        return await made(caller, asked, file.name if file else None)

    answer = run_for_payer(work, payer)
    say(study_said(answer))
    put_json(answer)


async def made(caller: Caller, asked: Mapping[str, Any], source: str | None = None) -> studies.Json:
    """Make a study of what is asked for, and wait for it; raises BadInput."""
    read = asked_as(StudyAsked, asked)
    head = studies.new_head(caller, read, source)
    done = await studies.recorded(caller, head, lambda tell: studies.make(caller, head, read, tell))
    return studies.told(done)


_ONLY = {"type": "claim_type", "class": "class", "event": "event"}


def _kept(period: str | None, only: list[str], sample: str | None) -> dict[str, Any]:
    """What is asked of kept claims; raises BadInput."""
    today = date.today()  # noqa: DTZ011 - a day of the person who types
    first, _, last = (period or f"{today - timedelta(days=DAYS)}..{today}").partition("..")
    kept: dict[str, Any] = {"from": first, "to": last or first}
    for each in only:
        what, is_given, value = each.partition("=")
        if what not in _ONLY or not is_given:
            raise BadInput(f"--only {each}: one of {', '.join(f'{one}=...' for one in _ONLY)}")
        kept[_ONLY[what]] = value
    if sample is not None:
        count, _, seed = sample.partition("@")
        try:
            kept |= {"sample": int(count), "seed": int(seed or 0)}
        except ValueError as error:
            raise BadInput(f"--sample {sample}: a number, or two such as 500@7") from error
    return kept


async def _claims_in(caller: Caller, file: Path) -> list[Any]:
    """The claims of a file; raises BadInput that says where one cannot be read."""
    with file.open("rb") as opened:
        content = opened.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise BadInput(f"{file}: longer than {BYTES_MAX} bytes")
    if is_x12(content[:200]):
        return [claim async for claim in studies.claims_of_x12(caller, content)]
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        return list(_lines_of(file, content))
    return whole if isinstance(whole, list) else [whole]


def _lines_of(file: Path, content: bytes) -> Iterator[Claim]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                yield Claim.model_validate_json(line)
            except ValidationError as error:
                reason, _ = misfits(error)
                raise BadInput(f"{file}:{number}: {reason}") from error


@app.command("list")
def list_(payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """List studies, the newest first."""

    async def work(caller: Caller) -> list[studies.Json]:
        page = await studies.listing(caller, "study", size=PAGE, after=None)
        return [studies.told(head) for head in page.entries]

    found = run_for_payer(work, payer)
    rows = [
        (
            each["id"],
            each["name"],
            each["status"],
            str(each.get("claims", "")),
            str(each.get("lines", "")),
            each["at"][:16],
        )
        for each in found
    ]
    right = {"claims", "lines"}
    view = table("study", "name", "status", "claims", "lines", "made", rows=rows, right=right)
    put_answer({"studies": found}, view, as_json=as_json)


def evaluate(
    study: StudyArgument,
    draft: DraftOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="NDJSON of claim_id, line, authorization; else the golden set says what is right."
        ),
    ] = None,
    minutes: Annotated[
        int, typer.Option(min=0, max=600, help="What an examiner needs for a line.")
    ] = MINUTES,
    write: Annotated[
        list[Path] | None,
        typer.Option(help="Write the report here too: a .html, .csv or .json file; repeatable."),
    ] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a study by the rules in force and by a draft: what moves, how much, and why.

    The report is kept. Exit code 1 when a gate of the rules in force denies what it comes to.
    """
    written = write or []
    if wrong := [each for each in written if each.suffix not in (".html", ".csv", ".json")]:
        raise BadInput(f"--write {wrong[0]}: a .html, .csv or .json file")
    known = labels_of(labels_in(labels)) if labels else None

    made = run_for_payer(partial(_reported, study, draft, known, minutes), payer)
    report = orjson.loads(made.content)
    for file in written:
        csv = "".join(reports.csv_of(report)).encode()
        file.write_bytes({".html": made.page, ".csv": csv, ".json": made.content}[file.suffix])
    put_answer(report, report_view(report), as_json=as_json)
    if not report["gates"]["hold"]:
        raise typer.Exit(PROBLEMS)


async def _reported(
    study: str, named: str | None, given: Labels | None, minutes: int, caller: Caller
) -> Made:
    """Make a report and keep it; tells on stderr how far it is."""
    labels = await golden.labels(caller) if given is None else given
    before, draft = await studies.set_in_force(caller), await _draft(caller, named)
    head = await reports.new_head(caller, study, before, draft)
    say(f"report {head.id}")
    return await reports.recorded(
        caller, head, before, draft, labels=labels, minutes=minutes, also=say
    )


async def rules_of(caller: Caller, named: str | None) -> RuleSet:
    """The rules of a folder or a draft, else those in force; raises BadInput, NotFound."""
    return await _draft(caller, named) if named else await studies.set_in_force(caller)


async def _draft(caller: Caller, named: str | None) -> RuleSet:
    """The rules of a folder, or those that a draft would make; raises BadInput, NotFound."""
    if named is None:
        raise BadInput("--draft: a folder, or the id of a draft, is needed")
    folder = _in_folder(Path(named))
    return RuleSet(await _texts_of(caller, named) if folder is None else folder)


async def _texts_of(caller: Caller, named: str) -> dict[str, str]:
    """The texts of a draft of the payer, or of one for all payers; raises NotFound."""
    try:
        return await texts_of(caller, named)
    except NotFound:
        return await texts_of(replace(caller, payer=EVERYBODY), named)


def _in_folder(folder: Path) -> dict[str, str] | None:
    return read_folder(folder) if folder.is_dir() else None


def labels_in(file: Path) -> Iterator[Label]:
    """The labels of a file, as they were written or exported; raises BadInput."""
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                yield Label.model_validate_json(line)
            except ValidationError as error:
                reason, _ = misfits(error)
                raise BadInput(f"{file}:{number}: {reason}") from error


def sweep(
    study: StudyArgument,
    key: Annotated[
        str, typer.Argument(help="FILE:KEY, such as base.yaml:non_exact.min; ids name entries.")
    ],
    values: Annotated[str, typer.Argument(help="Whole numbers: 50..90, 50..90/5, or 50,60,70.")],
    draft: DraftOption = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a study with one key at several values: classes, what is taken, examiners' hours."""
    wanted = reports.values_in(values)

    async def work(caller: Caller) -> studies.Json:
        rules = await rules_of(caller, draft)
        return await reports.swept(caller, study, rules, key, wanted)

    answer = run_for_payer(work, payer)
    put_answer(answer, _sweep_view(answer), as_json=as_json)


def suggest(
    study: StudyArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the history.")],
    seed: Annotated[int, typer.Option(min=0, help="Draws what is left out in turn.")] = 0,
    tries: Annotated[
        int, typer.Option(min=1, max=5_000, help="So many other values are tried at most.")
    ] = TRIES,
    by: Annotated[str | None, typer.Option("--by", help="Whose draft it is.")] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for a draft by which more labelled lines are taken rightly, and no more wrongly.

    Exit code 1 where there is none, or a gate denies what its report comes to.
    """
    given = {"study": study, "reason": reason, "seed": seed, "tries": tries, "by": by}
    asked = asked_as(SuggestionAsked, given)

    async def work(caller: Caller) -> tuple[studies.Json, Mapping[str, Any] | None]:
        head = await suggestions.new_head(caller, asked)
        with progress() as bars:
            bar = bars.add_task("looking", total=None)

            def make(tell: studies.Tell) -> Awaitable[Any]:
                def told(what: str) -> None:
                    bars.update(bar, description=what)
                    tell(what)

                return suggestions.make(caller, head, asked, told)

            done = studies.told(await studies.recorded(caller, head, make))
        if done["report"] is None:
            return done, None
        return done, (await reports.read(caller, done["report"])).said

    answer, report = run_for_payer(work, payer)
    put_answer(answer, _suggestion_view(answer, report), as_json=as_json)
    if report is None or not report["gates_hold"]:
        raise typer.Exit(PROBLEMS)


def _suggestion_view(answer: Mapping[str, Any], report: Mapping[str, Any] | None) -> RenderableType:
    """A suggestion for a person: what it comes to, its changes, its draft and report."""
    heads = ("", "rightly", "wrongly", "precision", "at least", "recall")
    said = {
        "now": "by the rules in force",
        "suggested": "by the suggestion",
        "unseen": "by it, on lines that it was not made from",
    }
    rows = [
        [words, str(found["right"]), str(found["wrong"]), *map(str, _shares(found))]
        for name, words in said.items()
        for found in [answer[name]]
    ]
    parts: list[RenderableType] = [answer["says"], "", *answer["changes"], ""]
    parts.append(table(*heads, rows=rows, right=set(heads[1:])))
    if report is not None:
        held = "the gates hold" if report["gates_hold"] else "a gate denies it"
        parts += ["", f"draft {answer['draft']}, report {answer['report']}: {held}"]
    return Group(*parts)


def _shares(found: Mapping[str, Any]) -> tuple[Any, ...]:
    precision, recall = found["precision"], found["recall"]
    return precision["share"], precision["low"], recall["share"]


def study_said(study: Mapping[str, Any]) -> str:
    """A study in one line."""
    cut = study["cut"]
    more = f"; {cut} have too many authorizations to be judged in memory" if cut else ""
    return (
        f"study {study['id']}: {study['claims']} claims with {study['lines']} lines,"
        f" {study['authorizations']} authorizations within {study['days']} days{more}"
    )


def report_view(report: Mapping[str, Any]) -> RenderableType:
    """A report for a person: matrix, harm, causes and the worst lines."""
    lines, review = report["lines"], report["review"]
    names = list(dict.fromkeys(each[side] for each in report["matrix"] for side in _SIDES))
    cells = {(each["before"], each["after"]): str(each["lines"]) for each in report["matrix"]}
    matrix = table(
        "in force \\ draft",
        *names,
        rows=[[one, *(cells.get((one, other), "0") for other in names)] for one in names],
        right=set(names),
    )
    harm = [
        [each["says"], str(each["lines"]), each["amount"], "harmful" if each["is_harmful"] else ""]
        for each in report["harm"]
        if each["lines"]
    ]
    words = [each["words"] for each in report["changes"]]
    causes = [
        ["; ".join(words[each] for each in cause["changes"]), str(cause["lines"])]
        for cause in report["causes"][:20]
    ]
    parts: list[RenderableType] = [
        f"{lines['judged']} of {lines['all']} lines judged; {len(words)} changes",
        *report["notes"],
        matrix,
    ]
    if harm:
        parts += ["", table("what becomes of lines", "lines", "charged", "", rows=harm)]
        parts += ["", table("because", "lines", rows=causes), "", _rows_view(report, words)]
    else:
        parts += ["", "no line comes out otherwise"]
    gates = [[each["gate"], gate_words(each), each["outcome"]] for each in report["gates"]["gates"]]
    parts += ["", table("gate", "it comes to", "", rows=gates)]
    parts += ["", *map(_warned, report["warnings"])]
    parts += ["", f"examiners: {review['before']['hours']} h, then {review['after']['hours']} h"]
    return Group(*parts)


_SIDES = ("before", "after")


def _warned(warning: Mapping[str, Any]) -> str:
    return " ".join(warning[name] for name in ("code", "template", "of", "message"))


def _rows_view(report: Mapping[str, Any], words: list[str]) -> Table:
    rows = [
        [
            f"{row['claim_id']} {row['line']}",
            f"{row['before']['class']} -> {row['after']['class']}",
            f"{' '.join(row['before']['chosen'])} -> {' '.join(row['after']['chosen'])}",
            "; ".join(words[each] for each in row["cause"] or ()),
        ]
        for row in report["rows"][:20]
    ]
    return table("the worst lines", "class", "taken", "because", rows=rows)


def _sweep_view(answer: Mapping[str, Any]) -> RenderableType:
    counted = ("exact", "non_exact", "none", "automatic", "review_lines", "review_hours")
    rows = [
        [str(point["value"]), *(str(point[name]) for name in counted)] for point in answer["points"]
    ]
    heads = ("value", "exact", "non-exact", "none", "taken", "to examiners", "hours")
    return Group(
        f"{answer['key']}: {answer['lines']} lines; it is {answer['now']}",
        table(*heads, rows=rows, right=set(heads)),
    )
