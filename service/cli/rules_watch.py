"""`authmatch rules`: what rules come to on live claims, and sets put in force in stages."""

from datetime import date
from typing import Annotated, Any

import typer

from service.application import rules_publishing, rules_shadow, rules_stages
from service.application.rules import Asked
from service.application.rules_publishing import PublishAsked
from service.application.rules_shadow import ShadowAsked
from service.application.rules_stages import StageAsked, WidenAsked
from service.application.statistics import statistics as rule_statistics
from service.cli.asking import asked_as
from service.cli.configuration import JsonOption, PayerOption
from service.cli.faults import BadInput
from service.cli.opened import run_for_payer
from service.cli.rules import (
    ByOption,
    ReasonOption,
    Which,
    WhoseOption,
    app,
    published,
    run_rules,
    stage_words,
)
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


@app.command()
def shadow(
    draft: Which,
    share: Annotated[
        int | None, typer.Option(min=1, max=100, help="Start, or go on with so many percent.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Try it no more.")] = False,
    reason: ReasonOption = "tried live",
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what live claims come to by a draft; start (with --share) or stop trying it."""
    if stop and share is not None:
        raise BadInput("--share or --stop, not both")
    given = {"reason": reason, "by": by}
    if stop:
        asked = asked_as(Asked, given)
        found = run_rules(lambda caller: rules_shadow.stop(caller, draft, asked), payer)
    elif share is not None:
        wanted = asked_as(ShadowAsked, {**given, "share": share})
        found = run_rules(lambda caller: rules_shadow.start(caller, draft, wanted), payer)
    else:
        found = run_rules(lambda caller: rules_shadow.shown(caller, draft), payer)
    put_answer(found, "\n".join(_shadow_words(found)), as_json=as_json)


def _shadow_words(found: dict[str, Any]) -> list[str]:
    share = "" if found["share"] is None else f", {found['share']} % of the claims"
    left = {"dropped": found["dropped"], "stopped": found["stopped"], **found["not_comparable"]}
    told = [f"{found['draft']}: {found['state']}{share}, {found['claims']} claims judged"]
    told += [f"  not judged: {number} ({why})" for why, number in left.items() if number]
    for what, lines in sorted(found["lines"].items(), key=lambda each: -each[1]):
        examples = found["examples"].get(what, ())[:3]
        such = ", ".join(f"{each['claim_id']}:{each['line']}" for each in examples)
        told.append(f"  {lines} lines: {what}" + (f" (such as {such})" if such else ""))
    return told


@app.command()
def stage(
    draft: Which,
    first: Annotated[
        str,
        typer.Option(
            metavar="10%|PAYER|PAYER:10%", help="A share of the claims, a payer, or both."
        ),
    ],
    reason: ReasonOption,
    despite_gates: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why, where no report of the draft holds the gates."),
    ] = None,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an approved draft in force for some claims first; then widen it, or take it back."""
    told = {"reason": reason, "by": by, "despite_gates": despite_gates}
    asked = asked_as(PublishAsked, {**told, **_first(first)})
    made = run_rules(lambda caller: rules_publishing.publish(caller, draft, asked), payer)
    put_answer(made, published(made), as_json=as_json)


def _first(given: str) -> dict[str, Any]:
    """The claims that a set in stages judges first."""
    only, _, share = given.rpartition(":")
    if not share.endswith("%"):
        return {"only": given}
    if not share[:-1].isdecimal():
        raise BadInput(f"--first: {share} is no share, such as 10%")
    return {"share": int(share[:-1]), "only": only or None}


@app.command()
def widen(
    share: Annotated[int, typer.Option(min=1, max=100, help="Percent of the claims; 100: all.")],
    reason: ReasonOption,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Of all payers, no longer of one.")
    ] = False,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the set in stages judge another share of the claims; all: then it is in force."""
    given = {"reason": reason, "by": by, "share": share, "everybody": everybody}
    asked = asked_as(WidenAsked, given)
    _put_staged(run_rules(lambda caller: rules_stages.widen(caller, asked), payer), as_json)


@app.command("return")
def return_(
    reason: ReasonOption,
    by: ByOption = None,
    payer: WhoseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the set in stages back: the set before judges all claims again, at once."""
    asked = asked_as(StageAsked, {"reason": reason, "by": by})
    _put_staged(run_rules(lambda caller: rules_stages.take_back(caller, asked), payer), as_json)


def _put_staged(found: dict[str, Any], as_json: bool) -> None:
    sets = ", ".join(f"set {each['number']} is {each['state']}" for each in found["sets"])
    stage = stage_words(found["stage"]) if found["stage"] else []
    put_answer(found, "\n".join([sets, *stage]), as_json=as_json)


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
