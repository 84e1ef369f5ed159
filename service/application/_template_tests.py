"""Runs the tests that templates carry: a claim and some authorizations, without any engine.

The claim goes the whole way of `match_claim`; its authorizations come from the fixture instead of a
search. Raw clauses are not judged, for only Elasticsearch can.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from service.domain import codes
from service.domain.answers import MatchAnswer, ResultAnswer
from service.domain.authorization import Authorization
from service.domain.candidate import Candidate, Found
from service.domain.claim import Claim
from service.domain.effective import effective_lines, numbers_of
from service.domain.misfits import misfits
from service.domain.person import Person
from service.domain.reference import References
from service.domain.template import TemplateTest
from service.domain.values import Frozen, LongText
from service.flow.matching.match import match_claim
from service.querying.problem import Problem
from service.querying.search import Search
from service.querying.source import Node, problem_at
from service.rules.book import RuleBook

RED = "T017"
"""A test does not come out as it says."""

NO_FIXTURE = "T018"
"""A fixture is missing, or cannot be read."""

_PAYER = "fixture"


class Fixture(Frozen):
    """A file of ``queries/fixtures``: one claim, and all authorizations of its member."""

    note: LongText | None = None
    claim: Claim
    authorizations: tuple[Authorization, ...] = Field(default=(), max_length=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixtureSource:
    """Gives the authorizations of a fixture to whatever is searched for."""

    candidates: tuple[Candidate, ...]

    async def prepare(self, payer: str, member: str) -> Person:
        """Nothing to wait for."""
        return Person.of(member)

    async def search(self, payer: str, person: Person, search: Search) -> Found:
        """Give them all: the scorer knows what is required of a candidate."""
        return Found(candidates=self.candidates, total=len(self.candidates))


def read_fixture(text: str, file: str) -> Fixture | Problem:
    """Read a fixture from the text of its file."""
    try:
        content = YAML(typ="safe").load(text)
        return Fixture.model_validate(content)
    except ValidationError as error:
        reason, errors = misfits(error)
        return Problem(code=NO_FIXTURE, path=errors[0]["path"], file=file, message=reason)
    except (YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        return Problem(code=NO_FIXTURE, path="", file=file, message=f"not YAML: {reason}")


async def run_tests(
    rules: RuleBook, texts: Mapping[str, Node], fixtures: Mapping[str, Fixture | Problem]
) -> tuple[int, list[Problem]]:
    """Run all tests of all templates; gives how many there were, and those that are red.

    ``texts`` are the resolved templates by id, for the lines on which the tests stand.
    """
    problems = [each for each in fixtures.values() if isinstance(each, Problem)]
    count = 0
    for name, plan in rules.plans.items():
        for place, test in enumerate(plan.template.tests):
            count += 1
            path = ("tests", place)
            fixture = fixtures.get(test.fixture)
            if isinstance(fixture, Problem):
                continue
            if fixture is None:
                reason = f"there is no fixture fixtures/{test.fixture}.yaml"
                problems.append(problem_at(texts[name], NO_FIXTURE, path, reason))
                continue
            source = FixtureSource(candidates=tuple(_candidates(fixture, rules.references)))
            matched = await match_claim(fixture.claim, _PAYER, rules=rules, source=source)
            if difference := disagreement(matched.answer, test, name):
                reason = f"{test.name}: {difference}"
                problems.append(problem_at(texts[name], RED, path, reason))
    return count, problems


def disagreement(answer: MatchAnswer, test: TemplateTest, template: str) -> str | None:
    """Say what came out otherwise than a test expects; None when all is as it says."""
    line = next((each for each in answer["lines"] if each["line"] == test.line), None)
    if line is None:
        return f"the claim of {test.fixture} has no line {test.line}"
    result = next((each for each in line["results"] if each["template"] == template), None)
    if result is None:
        others = ", ".join(each["template"] for each in line["results"]) or "no template"
        return f"line {test.line} of {test.fixture} comes to {others}, not to {template}"
    expected = test.expect
    if result["class"] != expected.class_:
        return f"expected {expected.class_}, came out {result['class']}{_best(result)}"
    if expected.authorization is not None and not _is(result, expected.authorization):
        return f"expected {expected.authorization}, came out {result['class']}{_best(result)}"
    return None


def _best(result: ResultAnswer) -> str:
    shown = [*result["candidates"], *result["near_misses"]]
    if not shown:
        return ", nothing found"
    best = shown[0]
    blockers = ", ".join(best["exact_blockers"])
    name = f" with {best['authorization_id']} at {best['percent']} %"
    return f"{name} (not exact for: {blockers})" if blockers else name


def _is(result: ResultAnswer, authorization: str) -> bool:
    """Whether the best candidate is meant: named by its id, or by its number as written."""
    if not result["candidates"]:
        return False
    best = result["candidates"][0]
    return authorization in (best["authorization_id"], best["number"])


def _candidates(fixture: Fixture, references: References) -> Iterable[Candidate]:
    """Make candidates of the member's authorizations, as a search would give them."""
    for each in fixture.authorizations:
        if each.is_void or each.superseded_by or each.member.id != fixture.claim.member.id:
            continue
        lines = effective_lines(each, references)
        dates = [line["certification_date"] for line in lines if "certification_date" in line]
        starts = [line["effective"]["first"] for line in lines if "first" in line["effective"]]
        yield Candidate(
            authorization_id=each.authorization_id,
            version=each.version,
            number=each.number and codes.authorization_number(each.number),
            shown_number=each.number,
            certification_date=min(dates, default=None),
            starts_on=min(starts, default=None),
            lines=tuple(lines),
            numbers=tuple(numbers_of(each)),
        )
