"""`authmatch why-not`: why an authorization does not cover a claim line."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from service.application.parts import application
from service.cli.answer_view import evidence_table, value_text
from service.cli.claim_file import ClaimArgument, read_claim
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import BadInput
from service.cli.terminal import out, put_json
from service.domain.claim import AuthorizationKind
from service.flow.matching.why_not import Question, why_not
from service.settings import Settings

Answer = Mapping[str, Any]


class Kind(StrEnum):
    """What may be asked for."""

    authorization = "authorization"
    referral = "referral"


_KINDS: Mapping[Kind, AuthorizationKind] = {
    Kind.authorization: "authorization",
    Kind.referral: "referral",
}


def explain(
    claim: ClaimArgument,
    line: Annotated[int, typer.Option(min=1, help="Which line of the claim.")],
    number: Annotated[str, typer.Option(help="The number of the authorization expected.")],
    kind: Annotated[
        Kind | None, typer.Option("--type", help="As what; else what the line needs.")
    ] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which requirement an authorization fails first, and which criteria it misses."""
    if not any(each.isalnum() for each in number):
        raise BadInput("--number: a number has letters or digits")
    settings = read_settings()
    question = Question(
        claim=read_claim(claim), line=line, number=number, kind=_KINDS[kind] if kind else None
    )
    answer = asyncio.run(_ask(question, payer_of(payer, settings), settings))
    if as_json:
        put_json(answer)
    else:
        out.print(_view(answer))


async def _ask(question: Question, payer: str, settings: Settings) -> Answer:
    async with application(settings) as parts:
        return await why_not(question, payer, rules=parts.rules, source=parts.stores.search)


def _view(answer: Answer) -> RenderableType:
    head = f"Line {answer['line']} of {answer['claim_id']} and number {answer['number']}"
    if not answer["found"]:
        return Group(Text(head, "bold"), Text(answer["reason"], "red"))
    return Group(Text(head, "bold"), *(_finding(each) for each in answer["findings"]))


def _finding(finding: Answer) -> RenderableType:
    name = f"{finding['number']}  {finding['authorization_id']}"
    head = f"\nas {finding['type']}, template {finding['template']}: {name}"
    return Group(Text(head), Text(_verdict(finding)), evidence_table(finding["evidence"]))


def _verdict(finding: Answer) -> str:
    failed = finding["failed_requirement"]
    if failed is not None:
        rule = f"{failed['kind']} {failed['id']}"
        if "raw" in failed:
            return f"it is no candidate: {rule} does not hold in Elasticsearch"
        both = (
            f"{failed['field']}: claim {value_text(failed['claim'])},"
            f" authorization {value_text(failed['authorization'])}"
        )
        return f"it is no candidate: {rule} ({both}): {failed['why']}"
    points = f"{finding['score']} of {finding['attainable']} points, {finding['percent']} %"
    if finding["class"] == "none":
        return f"it is a near miss: {points}; {_short_of(finding)}"
    return f"it covers the line: {finding['class']}, {points}"


def _short_of(finding: Answer) -> str:
    """Say what a near miss lacks: points, or points on a criterion that is needed."""
    if finding["percent"] < finding["needed_percent"]:
        return f"{finding['needed_percent']} % are needed"
    return f"points on {' or '.join(finding['needed_criteria'])} are needed"
