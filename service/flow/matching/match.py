"""Matches a claim: which authorization or referral covers each line, how surely, and why."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from service.accounting.answers.balances import Granting
from service.accounting.planning.tallies import Held, Values, counted_values, tallies_of
from service.background import in_turns
from service.comparison.plan import Plan
from service.comparison.prepared import AskedLine, Preparation
from service.domain.answers import (
    MatchAnswer,
    MergedMember,
    RequirementAnswer,
    ResultAnswer,
)
from service.domain.claim import AuthorizationKind, Claim, ServiceLine
from service.domain.claim_values import (
    ClaimValues,
    asked_for,
    days_of,
    header_values,
    line_values,
)
from service.domain.event import Event
from service.domain.number_forms import NumberForms
from service.domain.person import Person
from service.flow.matching.finding import CandidateSource, Finder, Pass
from service.matching.answer import line_result
from service.matching.numbers import (
    Submitted,
    invalid_number_events,
    numbers_for,
    numbers_that_fit,
    settle,
    without_numbers,
)
from service.matching.ranking import Ranked, rank
from service.matching.resolution import Resolution, resolve
from service.matching.scorer import Judged
from service.matching.specialised import (
    FoundRow,
    find_specialised,
    is_open,
    looked_up,
    specialised_events,
    with_specialised,
)
from service.requirement.decision import Requirement, choose_template, decide_requirement
from service.rules.book import RuleBook
from service.telemetry import stage

NEWBORN = timedelta(days=30)
"""So old a newborn may be on the day of service to be looked for under its mother's id."""


@dataclass(slots=True, kw_only=True, eq=False)
class LineSearch:
    """One claim line, looked up for one kind of authorization, on its way to a result.

    ``events`` are all that the answer shows, in its order: those of the resolution, those that
    come of looking at the other lines, those of the submitted numbers. A kind that is only linked
    has none.
    """

    line: ServiceLine
    kind: AuthorizationKind
    plan: Plan
    is_required: bool
    template_row: str
    asked: AskedLine
    passes: list[Pass] = field(default_factory=list)
    ranked: Ranked = field(default_factory=Ranked)
    submitted: tuple[Submitted, ...] = ()
    resolution: Resolution = field(default_factory=Resolution)
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The answer, and what it was made of."""

    answer: MatchAnswer
    searches: tuple[LineSearch, ...]
    finder: Finder


async def match_claim(
    claim: Claim,
    payer: str,
    *,
    rules: RuleBook,
    source: CandidateSource,
    person: Person | None = None,
    counted: Mapping[int, Values] | None = None,
) -> Matched:
    """Answer every line of a claim; writes nothing.

    ``person`` is the member, where the source was prepared for him before, ``counted`` by line what
    the counters come to, where others were looked at; else the claim is counted alone.
    Raises EngineFault when an engine fails, which is never "no match", and TableFault when a
    decision table cannot be decided.
    """
    started = time.perf_counter()
    if counted is None:
        tallies = tallies_of(claim, rules.references)
        counted = counted_values(tallies, rules.references, Held())
    with stage("requirement", len(claim.lines)):
        requirements = {
            line.line: decide_requirement(claim, line, rules.tables, counted.get(line.line))
            async for line in in_turns(claim.lines)
        }
    searches = [each async for each in in_turns(ask(claim, requirements, rules))]
    finder = Finder(source=source, payer=payer, person=Person.of(claim.member.id))
    asked_at = time.perf_counter()
    if searches:
        finder.person = person or await source.prepare(payer, claim.member.id)
        if (mother := mother_of(claim)) is not None:
            finder.mother = await source.prepare(payer, mother)
    for group in _by_template(searches):
        await find(group, finder, rules)
    await settle_numbers(claim, searches, finder, rules.references.numbers)
    judged_at = time.perf_counter()
    await resolve_all(claim, searches, rules)
    answer = await write_answer(claim, requirements, searches, rules)
    if finder.person.is_merged:
        answer["member"] = merged_member(finder.person)
    ended = time.perf_counter()
    answer["took_ms"] = {
        "total": _ms(ended - started),
        "search": _ms(judged_at - asked_at),
        "score": _ms(ended - judged_at + asked_at - started),
    }
    return Matched(answer=answer, searches=tuple(searches), finder=finder)


def mother_of(claim: Claim) -> str | None:
    """The mother's member id of a newborn: its authorizations may stand under it for a month.

    None for one who is older on the first day of service. A day of birth that is not known says
    nothing against it.
    """
    mother, born = claim.member.mother_member_id, claim.member.birth_date
    if mother is None or mother == claim.member.id:
        return None
    first = min(days_of(claim, line)[0] for line in claim.lines)
    if born is not None and not timedelta(0) <= first - born <= NEWBORN:
        return None
    return mother


def ask(
    claim: Claim, requirements: Mapping[int, Requirement], rules: RuleBook
) -> Iterator[LineSearch]:
    """Choose a template for every line and kind, and read the claim's values into it."""
    attached = rules.references.attached
    header = header_values(claim, attached)
    preparations: dict[tuple[str, str], Preparation] = {}
    for line in claim.lines:
        requirement = requirements[line.line]
        values: ClaimValues = {}
        if requirement.looked_for:
            values = line_values(claim, line, header, attached, rules.references.numbers)
        for kind in requirement.looked_for:
            choice = choose_template(claim, line, kind, rules.tables)
            plan = rules.plan(choice.template)
            preparation = preparations.setdefault((choice.template, kind), Preparation(plan=plan))
            yield LineSearch(
                line=line,
                kind=kind,
                plan=plan,
                is_required=kind in requirement.needed,
                template_row=choice.row,
                asked=preparation.line(line.line, values | asked_for(kind)),
            )


def _by_template(searches: Iterable[LineSearch]) -> list[list[LineSearch]]:
    """Group what one search can find: the same template, looking for the same kind."""
    groups: dict[tuple[str, str], list[LineSearch]] = {}
    for each in searches:
        groups.setdefault((each.plan.template.id, each.kind), []).append(each)
    return list(groups.values())


async def find(group: list[LineSearch], finder: Finder, rules: RuleBook) -> None:
    """Find, judge and rank; where too few were found, take the relax steps one after the other."""
    passes = await finder.passes([each.asked for each in group])
    async for search, first in in_turns(zip(group, passes, strict=True)):
        search.passes = [first]
        rank_search(search)
    template = group[0].plan.template
    for steps, step in enumerate(template.relax, start=1):
        short = [each for each in group if len(each.ranked.shown) < template.settings.min_results]
        if not short:
            return
        plan = rules.relaxed(group[0].plan, steps)
        preparation = Preparation(plan=plan)
        asked = [preparation.line(each.asked.line, each.asked.values) for each in short]
        known = [
            frozenset(found.candidate.authorization_id for found in each.ranked.shown)
            for each in short
        ]
        passes = await finder.passes(asked, relaxed=step.id, known=known)
        async for search, wider in in_turns(zip(short, passes, strict=True)):
            # A near miss may be a match by the wider rules: the later pass speaks for it.
            search.passes.append(wider)
            rank_search(search)


def rank_search(search: LineSearch) -> None:
    """Rank what all passes found; near misses are those of the widest pass."""
    judged: dict[str, Judged] = {}
    for each in search.passes:
        kept = [known for known in judged.values() if known.match_class != "none"]
        found = (*each.nearby, *kept, *each.judged)
        judged = {one.candidate.authorization_id: one for one in found}
    search.ranked = rank(
        judged.values(),
        search.plan.template,
        truncated=any(each.truncated for each in search.passes),
        relaxed=tuple(each.relaxed for each in search.passes if each.relaxed is not None),
    )


async def settle_numbers(
    claim: Claim, searches: list[LineSearch], finder: Finder, forms: NumberForms
) -> None:
    """Find which submitted numbers fit; judge a line anew without those of other lines."""
    async for each in in_turns(searches):
        each.submitted = numbers_for(claim, each.line, each.plan, forms)
    fitting = numbers_that_fit(each.ranked for each in searches)
    settled = [settle(each.submitted, each.ranked, fitting) async for each in in_turns(searches)]
    async for search, submitted in in_turns(zip(searches, settled, strict=True)):
        search.submitted = submitted
        if not any(each.fits_another_line for each in submitted):
            continue
        for put in search.passes:
            put.asked = without_numbers(put.asked, submitted) or put.asked
            await finder.judge(put)
        rank_search(search)


async def resolve_all(claim: Claim, searches: list[LineSearch], rules: RuleBook) -> None:
    """Resolve every search, then look at the lines together, and gather the events of each."""
    async for each in in_turns(searches):
        each.resolution = resolve(each.ranked, rules.events(each.plan, claim.type))
    found = _specialised(searches, rules)
    async for search, rows in in_turns(zip(searches, found, strict=True)):
        if not search.is_required:
            continue
        events = rules.events(search.plan, claim.type)
        special = specialised_events(rows, events)
        search.events = (
            *with_specialised(search.resolution.events, special),
            *invalid_number_events(search.submitted, events),
        )


def _specialised(searches: list[LineSearch], rules: RuleBook) -> list[tuple[FoundRow, ...]]:
    """What specialised processing finds for each; of a claim without an open line nothing."""
    if not any(is_open(each.ranked.match_class, each.resolution.chosen) for each in searches):
        return [()] * len(searches)
    lines = [
        looked_up(each.kind, each.asked.values.get("line.procedure"), each.ranked, each.resolution)
        for each in searches
    ]
    return find_specialised(lines, rules.references)


async def write_answer(
    claim: Claim,
    requirements: dict[int, Requirement],
    searches: list[LineSearch],
    rules: RuleBook,
) -> MatchAnswer:
    """The answer of all lines, and which set of rules gave it."""
    results: dict[int, list[ResultAnswer]] = {}
    async for each in in_turns(searches):
        results.setdefault(each.line.line, []).append(write_result(each))
    return {
        "claim_id": claim.claim_id,
        "version": claim.version,
        "lines": [
            {
                "line": line.line,
                "requirement": _requirement_answer(requirements[line.line]),
                "results": results.get(line.line, []),
            }
            for line in claim.lines
        ],
        "rules": {"set": rules.name},
    }


def grant(claim: Claim, searches: Iterable[LineSearch], rules: RuleBook) -> Granting:
    """Gather what every candidate that is shown was granted, for the first day of its line."""
    granting = Granting(week_starts_on=rules.references.accounting.week_starts_on)
    for search in searches:
        first, _ = days_of(claim, search.line)
        for judged in (*search.ranked.shown, *search.ranked.near_misses):
            granting.add(judged.candidate, judged.line["line"], first)
    return granting


def merged_member(person: Person) -> MergedMember:
    """The id with which a claim came that was merged, and the one under which it was matched."""
    return {"id": person.given, "merged_into": person.member}


def write_result(search: LineSearch) -> ResultAnswer:
    """The result of one resolved search."""
    template = search.plan.template
    return {
        "type": search.kind,
        "required": search.is_required,
        "template": template.id,
        "template_version": template.version,
        "template_hash": search.plan.hash[:12],
        "template_row": search.template_row,
        **line_result(search.ranked, search.resolution, search.submitted, search.events),
    }


def _requirement_answer(requirement: Requirement) -> RequirementAnswer:
    return {
        "needed": list(requirement.needed),
        "linked": list(requirement.linked),
        "source": requirement.source,
        "table": requirement.table,
        "row": requirement.row,
        "table_hash": requirement.table_hash,
        "unknown": {"columns": list(requirement.unknown), "rows": list(requirement.possible)}
        if requirement.unknown
        else None,
        "counted": dict(requirement.counted),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
