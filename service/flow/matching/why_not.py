"""Says why an authorization does not cover a claim line.

The first requirement that fails, then the criteria that were missed, with both values.
"""

from dataclasses import replace
from typing import Any

from pydantic import Field

from service.comparison.prepared import AskedLine, AskedTest, Preparation, render
from service.domain import codes
from service.domain.candidate import Candidate
from service.domain.claim import AuthorizationKind, Claim
from service.domain.claim_values import asked_for, header_values, line_values
from service.domain.effective import LineValues
from service.domain.misfits import Misfit
from service.domain.person import Person
from service.domain.values import Frozen, LineNumber, Text
from service.flow.matching.finding import CandidateSource
from service.flow.matching.match import merged_member
from service.matching.answer import candidate_answer
from service.matching.scorer import Scorer
from service.querying.search import Search
from service.requirement.decision import choose_template, decide_requirement
from service.rules.book import RuleBook

FOUND_MAX = 20


class NoSuchLine(Misfit):
    """The claim has no line of that number."""


class WhyNotQuestion(Frozen):
    """A claim, one of its lines, and the number of an authorization expected to cover it."""

    claim: Claim
    line: LineNumber
    number: Text = Field(pattern=r"[0-9A-Za-z]")
    type: AuthorizationKind | None = None


async def why_not(
    question: WhyNotQuestion, payer: str, *, rules: RuleBook, source: CandidateSource
) -> dict[str, Any]:
    """Explain; a number of another member or payer is answered like one that does not exist."""
    claim = question.claim
    line = next((each for each in claim.lines if each.line == question.line), None)
    if line is None:
        raise NoSuchLine(f"the claim has no line {question.line}", "line")
    requirement = decide_requirement(claim, line, rules.tables)
    kinds = (question.type,) if question.type else requirement.looked_for or ("authorization",)
    person = await source.prepare(payer, claim.member.id)
    number = codes.authorization_number(question.number)
    search = Search(filter=({"term": {"numbers_all": number}},), size=FOUND_MAX)
    found = await source.search(payer, person, search)
    header = header_values(claim, rules.references.attached)
    references = rules.references
    values = line_values(claim, line, header, references.attached, references.numbers)
    findings = []
    for kind in kinds:
        plan = rules.plan(choose_template(claim, line, kind, rules.tables).template)
        asked = Preparation(plan=plan).line(line.line, values | asked_for(kind))
        for candidate in found.candidates:
            raw = await _failed_raw(asked, candidate, person, payer, source)
            findings.append({"type": kind, **explain(asked, candidate, raw)})
    reason = "no current authorization of this member carries this number"
    answer = {
        "claim_id": claim.claim_id,
        "line": line.line,
        "number": question.number,
        "needed": list(requirement.needed),
        "found": bool(found.candidates),
        "findings": findings,
        "reason": None if found.candidates else reason,
        "rules": {"set": rules.name},
    }
    return answer | ({"member": merged_member(person)} if person.is_merged else {})


def explain(
    asked: AskedLine, candidate: Candidate, failed_raw: dict[str, Any] | None
) -> dict[str, Any]:
    """Explain one authorization: the line that comes nearest, and what it fails."""
    template = asked.plan.template
    named = {
        "authorization_id": candidate.authorization_id,
        "number": candidate.shown_number,
        "template": template.id,
    }
    if not candidate.lines:
        failure = {"id": "in_force", "why": "every line was cancelled or removed"}
        return {**named, "is_candidate": False, "failed_requirement": failure, "class": "none"}
    judged = Scorer([candidate]).judge(asked)
    first = None
    if not judged:
        first = _first_failure(asked, candidate)
        judged = Scorer([candidate]).judge(replace(asked, require=(), exclude=()))
    answer = candidate_answer(judged[0])
    fits = first is None and failed_raw is None
    return {
        **named,
        "is_candidate": fits,
        "failed_requirement": first or failed_raw,
        "class": answer["class"] if fits else "none",
        "score": answer["score"],
        "attainable": answer["attainable"],
        "percent": answer["percent"],
        "needed_percent": template.non_exact.min,
        "needed_criteria": list(template.non_exact.needs),
        "tolerance": answer["tolerance"] if fits else False,
        "missed": [each for each in answer["evidence"] if each["grade"] in ("missed", "partial")],
        "evidence": answer["evidence"],
    }


def _first_failure(asked: AskedLine, candidate: Candidate) -> dict[str, Any]:
    """What the line fails first that gets furthest through the requirements."""
    failures = [_failure_of(asked, line) for line in candidate.lines]
    return max(failures, key=lambda failure: failure[0])[1]


def _failure_of(asked: AskedLine, line: LineValues) -> tuple[int, dict[str, Any]]:
    """How many requirements a line meets before it fails one, or an exclusion, and which."""
    for place, test in enumerate(asked.require):
        if not test.fits(line):
            return place, _failure(test, line, "require")
    excluded = next(test for test in asked.exclude if test.fits(line))
    return len(asked.require), _failure(excluded, line, "exclude")


def _failure(test: AskedTest, line: LineValues, kind: str) -> dict[str, Any]:
    use = test.plan.use
    return {
        "id": test.plan.id,
        "kind": kind,
        "field": use.field,
        "claim": list(test.value) if isinstance(test.value, tuple) else test.value,
        "authorization": line.get(use.field),
        "why": use.why(line, test.value),
    }


async def _failed_raw(
    asked: AskedLine, candidate: Candidate, person: Person, payer: str, source: CandidateSource
) -> dict[str, Any] | None:
    """Ask Elasticsearch for the raw requirements one by one: only it can judge them."""
    template = asked.plan.template
    for kind, tests in (("require", template.require), ("exclude", template.exclude)):
        for test in tests:
            rendered = render(test.raw, asked.values) if test.raw is not None else None
            if rendered is None:
                continue
            this = {"term": {"authorization_id": candidate.authorization_id}}
            found = await source.search(payer, person, Search(filter=(this, rendered), size=1))
            if bool(found.candidates) != (kind == "require"):
                return {"id": test.id, "kind": kind, "raw": rendered, "why": "the raw clause"}
    return None
