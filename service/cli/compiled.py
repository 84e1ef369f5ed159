"""What a template asks of Elasticsearch for a claim line, whole, as it is sent."""

from typing import Any

from service.comparison.plan import Plan
from service.comparison.prepared import AskedLine, Preparation
from service.domain.claim import Claim
from service.domain.claim_values import header_values, line_values
from service.domain.reference import References
from service.flow.matching.why_not import NoSuchLine
from service.querying.search import candidate_search, scored_search
from service.stores.authorizations.search import search_body


def asked_line(plan: Plan, claim: Claim, number: int, references: References) -> AskedLine:
    """Put a claim line to a template, whatever the decision table would choose for it."""
    line = next((each for each in claim.lines if each.line == number), None)
    if line is None:
        raise NoSuchLine(f"the claim has no line {number}")
    values = line_values(
        claim, line, header_values(claim, references.attached), references.attached
    )
    kind = "referral" if plan.template.id == "referral" else "authorization"
    return Preparation(plan=plan).line(number, values | {"requested_type": kind})


def compiled_searches(
    plan: Plan, claim: Claim, number: int, references: References, payer: str
) -> dict[str, Any]:
    """Give the search for all candidates, and the one that scores this line."""
    asked = asked_line(plan, claim, number, references)
    member = claim.member.id
    return {
        "template": plan.template.id,
        "line": number,
        "candidate_search": search_body(payer, [member], candidate_search([asked])),
        "scored_search": search_body(payer, [member], scored_search(asked)),
    }
