"""`authmatch why-not`: why an authorization does not cover a claim line."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.text import Text

from service.application import claims
from service.application.claims import WhyNotQuestion
from service.cli.answer_view import evidence_table, value_text
from service.cli.claim_file import ClaimArgument, read_claim
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.over_http import ServiceOption, ask
from service.cli.terminal import put_answer
from service.domain.claim import Claim
from service.domain.misfits import misfits

Answer = Mapping[str, Any]


def explain(
    claim: ClaimArgument,
    line: Annotated[int, typer.Option(min=1, help="Which line of the claim.")],
    number: Annotated[str, typer.Option(help="The number of the authorization expected.")],
    kind: Annotated[
        Literal["authorization", "referral"] | None,
        typer.Option("--type", help="As what; else what the line needs."),
    ] = None,
    payer: PayerOption = None,
    service: ServiceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which requirement an authorization fails first, and which criteria it misses."""
    if not any(each.isalnum() for each in number):
        raise BadInput("--number: a number has letters or digits")
    given = read_claim(claim, Claim)
    try:
        asked = WhyNotQuestion(claim=given, line=line, number=number, type=kind)
    except ValidationError as error:
        raise BadInput(misfits(error)[0]) from error
    if service is not None:
        question = asked.model_dump_json(by_alias=True, exclude_unset=True).encode()
        answer = ask(service, "/match/why-not", question, payer)
    else:
        answer = run_for_payer(lambda caller: claims.explain(caller, asked), payer)
    put_answer(answer, _view(answer), as_json=as_json)


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
