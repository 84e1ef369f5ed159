"""Drafts an adjudication: all of the answer that is known before any unit is moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.accounting.books.plan import ClaimPlan, LinePlan
from service.accounting.books.record import Draft
from service.accounting.limits.choice import Asked, Choice, Obstacle, flags_of
from service.accounting.planning.planning import plan_claim
from service.domain.adjudication import Adjudication
from service.domain.claim import ServiceLine
from service.flow.adjudicating.draft_lines import LineWriter
from service.flow.adjudicating.selection import Chosen
from service.flow.matching.match import Matched
from service.rules.book import RuleBook

ZERO_CLAIM, VOID, REPLACEMENT = "0", "8", "7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The draft of the answer, and the plan of what is to be drawn."""

    draft: Draft
    plan: ClaimPlan


def draft_claim(
    claim: Adjudication,
    matched: Matched,
    chosen: Sequence[Chosen],
    rules: RuleBook,
    *,
    is_unknown: bool = False,
) -> Drafted:
    """Draft every line; ``is_unknown``: the claim corrects one that is not known."""
    by_line: dict[int, list[Chosen]] = {}
    for each in chosen:
        by_line.setdefault(each.search.line.line, []).append(each)
    writer = LineWriter(claim, rules)
    events = {
        line.line: writer.events(by_line.get(line.line, ()), is_unknown=is_unknown)
        for line in claim.lines
    }
    planned = plan_claim(claim, _asked(claim, by_line, events, rules), rules.references)
    for obstacle in planned.obstacles:
        events[obstacle.line].append(_obstacle_event(obstacle, by_line, writer, rules))
    resolved = _resolved_in_planning(claim, by_line, events, writer, rules)
    planned_lines = {each.line for each in planned.plan.lines}
    answers = {each["line"]: each for each in matched.answer["lines"]}
    lines = [
        writer.line(
            line,
            answers[line.line],
            by_line.get(line.line, ()),
            events[line.line],
            resolved=resolved.get(line.line, ()),
            asks=line.line in planned_lines,
        )
        for line in claim.lines
    ]
    draft: Draft = {
        "claim": _claim(claim),
        "rules": _rules(matched, rules),
        "lines": lines,
        "authorizations": _authorizations(chosen),
        "bounds": _bounds(planned.plan),
    }
    return Drafted(draft=draft, plan=_whole_where_events_say_so(planned.plan, lines))


def _resolved_in_planning(
    claim: Adjudication,
    by_line: Mapping[int, Sequence[Chosen]],
    events: Mapping[int, Sequence[Mapping[str, Any]]],
    writer: LineWriter,
    rules: RuleBook,
) -> dict[int, list[dict[str, Any]]]:
    """Give the events that what was matched would have raised, had an examiner not selected."""
    without = {
        line: [replace(each, choices=each.matched or each.choices) for each in chosen]
        for line, chosen in by_line.items()
        if any(choice.is_selected for each in chosen for choice in each.choices)
    }
    if not without:
        return {}
    asked = _asked(claim, without, events, rules)
    resolved: dict[int, list[dict[str, Any]]] = {}
    for obstacle in plan_claim(claim, asked, rules.references).obstacles:
        event = _obstacle_event(obstacle, by_line, writer, rules)
        resolved.setdefault(obstacle.line, []).append(event)
    return resolved


def _whole_where_events_say_so(plan: ClaimPlan, drafts: Sequence[Mapping[str, Any]]) -> ClaimPlan:
    """Let no line be drawn in part whose event for exceeded units would then stop it."""
    stopped = {
        draft["line"]
        for draft in drafts
        if any(kind["exceeded"]["action"] != "none" for kind in draft["kinds"])
    }
    lines: list[LinePlan] = [
        each._replace(whole_only=True) if each.line in stopped else each for each in plan.lines
    ]
    return replace(plan, lines=tuple(lines))


def _claim(claim: Adjudication) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id,
        "version": claim.version,
        "type": claim.type,
        "frequency": claim.frequency,
        "original_claim_id": claim.original_claim_id,
        "stage": claim.stage,
    }


def _rules(matched: Matched, rules: RuleBook) -> dict[str, Any]:
    """Name every rule that had a part: a later run can say what changed."""
    templates = {
        each.plan.template.id: f"{each.plan.template.version}:{each.plan.hash[:12]}"
        for each in matched.searches
    }
    return {
        **{f"template {name}": version for name, version in sorted(templates.items())},
        "table is-authorization-required": rules.tables.is_authorization_required.short_hash,
        "table requested-auth-type": rules.tables.requested_auth_type.short_hash,
        "event codes": rules.event_codes.version,
        "accounting": rules.references.accounting.version,
        "unit conversions": rules.references.units.version,
    }


def _asked(
    claim: Adjudication,
    by_line: Mapping[int, Sequence[Chosen]],
    events: Mapping[int, Sequence[Mapping[str, Any]]],
    rules: RuleBook,
) -> list[Asked]:
    """Ask for the lines that nothing stands in the way of; a non-payment claim asks for none."""
    if claim.frequency == ZERO_CLAIM:
        return []
    return [
        Asked(
            line=line,
            kind=each.search.kind,
            query_type=rules.query_type(each.search.plan),
            choices=each.choices,
        )
        for line in claim.lines
        if not _blocks(events[line.line])
        for each in by_line.get(line.line, ())
    ]


def _blocks(events: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a line is not to be drawn: an event suspends or denies it."""
    return any(each["action"] != "none" for each in events)


def _obstacle_event(
    obstacle: Obstacle,
    by_line: Mapping[int, Sequence[Chosen]],
    writer: LineWriter,
    rules: RuleBook,
) -> dict[str, Any]:
    search = next(
        each.search for each in by_line[obstacle.line] if each.search.kind == obstacle.kind
    )
    query_type = rules.query_type(search.plan)
    return writer.event(obstacle.outcome, query_type, authorization_id=obstacle.authorization_id)


def draft_void(claim: Adjudication, rules: RuleBook, is_unknown: bool) -> Draft:
    """Draft the answer to a void: nothing is matched, and no line bills anything any more."""
    writer = LineWriter(claim, rules)
    events = writer.events((), is_unknown=is_unknown)
    return {
        "claim": _claim(claim),
        "rules": {"event codes": rules.event_codes.version},
        "lines": [writer.void_line(line, events) for line in claim.lines],
        "authorizations": {},
        "bounds": {},
    }


def _authorizations(chosen: Iterable[Chosen]) -> dict[str, dict[str, Any]]:
    """Keep what the answer says of every authorization that may be drawn."""
    known: dict[str, dict[str, Any]] = {}
    for one in chosen:
        for each in one.choices:
            entry = known.setdefault(
                each.authorization.authorization_id,
                {
                    "number": each.authorization.number,
                    "version": each.authorization.version,
                    "actions": {},
                    "flags": {},
                },
            )
            entry["actions"][str(each.line)] = each.action
            flags = _flags(one.search.line, each)
            if flags:
                entry["flags"][str(one.search.line.line)] = flags
    return known


def _flags(line: ServiceLine, choice: Choice) -> list[str]:
    if line.from_ is None:
        return []
    return list(flags_of(choice.authorization, choice.line, line.from_))


def _bounds(plan: ClaimPlan) -> dict[str, Any]:
    return {
        name: {
            base: [each.units, each.amount, each.days, each.unit]
            for base, each in drawable.bounds.items()
        }
        for name, drawable in plan.authorizations.items()
    }
