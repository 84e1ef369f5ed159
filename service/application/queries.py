"""What is asked of templates and tables themselves: are they sound, and what do they search for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from service.application._rule_check import Report as Report
from service.application._rule_check import check_texts as check_texts
from service.application._template_tests import read_fixture
from service.application.parts import Application
from service.comparison.plan import Plan
from service.comparison.prepared import AskedLine, Preparation
from service.domain.claim import AuthorizationKind, Claim
from service.domain.claim_values import asked_for, header_values, line_values
from service.domain.reference import References
from service.flow.matching.live_check import check_scores
from service.flow.matching.match import match_claim
from service.flow.matching.why_not import NoSuchLine
from service.querying.problem import Problem
from service.querying.search import candidate_search, scored_search
from service.rules.book import RuleBook
from service.rules.texts import fixtures_of
from service.stores.authorizations.search import search_body

CLAIMS_VALIDATED_MAX = 5
"""For each template."""
CLAIMS_SCORED_MAX = 150

_MISSING = "T003"
_REFUSED = "T015"
_DISAGREE = "T019"
"""Elasticsearch and the scorer come to different totals."""


class ExpectedLine(Protocol):
    """What must come out for a line of a sample claim."""

    @property
    def line(self) -> int:
        """Its number."""

    @property
    def template(self) -> str | None:
        """The template that is to be chosen for it."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """A line of a fixture that a test puts to a template."""

    line: int
    template: str


SampleClaims = Callable[[], Iterable[tuple[Any, Sequence[ExpectedLine]]]]
"""Gives claims, and what must come out for their lines."""


async def check_live(
    parts: Application, book: RuleBook, report: Report, sample: SampleClaims | None
) -> None:
    """Add what the live index says to a report; raises EngineFault where an engine fails."""
    if not await parts.stores.inspection.is_installed():
        report.notes.append("live checks: left out, the indices are not installed")
        return
    await _check_mapping(parts, report)
    if sample is None:
        told = "compiled searches: left out, sample claims come with authmatch[local]"
        report.notes.append(told)
        return
    await _validate(parts, book, report, sample)
    await _compare(parts, book, report, sample)


async def check_searches(
    parts: Application, book: RuleBook, texts: Mapping[str, str], report: Report
) -> None:
    """Add what the live index says to a report, asked with the claims of the templates' tests.

    A template without tests is asked with those of another. Raises EngineFault.
    """
    if not await parts.stores.inspection.is_installed():
        report.notes.append("live checks: left out, the indices are not installed")
        return
    await _check_mapping(parts, report)
    claims = {
        name: fixture.claim
        for name, text in fixtures_of(texts).items()
        if not isinstance(fixture := read_fixture(text, name), Problem)
    }
    any_of_them = [(each, each.lines[0].line) for each in claims.values()]
    tested = [
        (claims[test.fixture], _Tested(test.line, name))
        for name, plan in book.plans.items()
        for test in plan.template.tests
        if test.fixture in claims
    ]
    known = {each.template for _, each in tested}
    tested += [
        (claim, _Tested(line, name))
        for name in book.plans
        if name not in known
        for claim, line in any_of_them
    ]
    await _validate(parts, book, report, lambda: ((claim, [each]) for claim, each in tested))


async def _check_mapping(parts: Application, report: Report) -> None:
    for name in await parts.stores.installation.missing_fields():
        message = f"{name} is not in the live mapping: it would match nothing, silently"
        index, hint = await parts.stores.migration.live_index(), "run `authmatch index migrate`"
        report.add(_MISSING, message, index, path=f"/{name}", hint=hint)


async def _validate(
    parts: Application, book: RuleBook, report: Report, sample: SampleClaims
) -> None:
    """Have Elasticsearch read what each template compiles to."""
    payer, count = parts.settings.default_payer, 0
    for name, plan in book.plans.items():
        for claim, line in islice(_lines_for(name, sample), CLAIMS_VALIDATED_MAX):
            asked = asked_line(plan, claim, line, book.references)
            reason = None
            for search in (candidate_search([asked], nearby=True), scored_search(asked)):
                count += 1
                reason = await parts.stores.search.refusal(payer, claim.member.id, search)
                if reason is not None:
                    message = f"Elasticsearch refuses the compiled search: {reason}"
                    report.add(_REFUSED, message, report.files[name])
                    break
            if reason is not None:
                break
    report.notes.append(f"compiled searches validated: {count}")


async def _compare(
    parts: Application, book: RuleBook, report: Report, sample: SampleClaims
) -> None:
    """Score sample claims on both paths; members that are not in the index have no candidates."""
    payer = parts.settings.default_payer
    lines = candidates = 0
    for given, _ in islice(sample(), CLAIMS_SCORED_MAX):
        claim = Claim.model_validate(given)
        matched = await match_claim(claim, payer, rules=book, source=parts.stores.search)
        for search in matched.searches:
            first = search.passes[0]
            differing = await check_scores(matched.finder, list(first.judged), first.asked)
            lines += 1
            candidates += len(first.judged)
            if differing:
                where = f"sample claim {claim.claim_id}, line {search.line.line}"
                message = f"Elasticsearch and the scorer differ {differing} times: {where}"
                report.add(_DISAGREE, message, report.files[search.plan.template.id])
    report.notes.append(f"both paths to a score compared: {lines} lines, {candidates} candidates")
    if not candidates:
        report.notes.append(
            "there is no sample data to score: `authmatch sample | authmatch load -`"
        )


def _lines_for(template: str, sample: SampleClaims) -> Iterator[tuple[Claim, int]]:
    """Find sample claims that are meant for a template."""
    for given, expected in sample():
        line = next((each.line for each in expected if each.template == template), None)
        if line is not None:
            yield Claim.model_validate(given), line


def asked_line(plan: Plan, claim: Claim, number: int, references: References) -> AskedLine:
    """Put a claim line to a template, whatever the decision table would choose; NoSuchLine."""
    line = next((each for each in claim.lines if each.line == number), None)
    if line is None:
        raise NoSuchLine(f"the claim has no line {number}", "line")
    attached = references.attached
    values = line_values(claim, line, header_values(claim, attached), attached, references.numbers)
    kind: AuthorizationKind = "referral" if plan.template.id == "referral" else "authorization"
    return Preparation(plan=plan).line(number, values | asked_for(kind))


def compiled_searches(
    plan: Plan, claim: Claim, number: int, references: References, payer: str
) -> dict[str, Any]:
    """The search for all candidates, and the one that scores this line; raises NoSuchLine."""
    asked = asked_line(plan, claim, number, references)
    member = claim.member.id
    return {
        "template": plan.template.id,
        "line": number,
        "candidate_search": search_body(payer, [member], candidate_search([asked], nearby=True)),
        "scored_search": search_body(payer, [member], scored_search(asked)),
    }
