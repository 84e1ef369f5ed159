"""What holds for all lines: the readers of the header."""

from dataclasses import dataclass
from typing import Any

from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.primitives import codings, plain
from service.ingest.fhir.reading.case import Case, Item, review_of
from service.ingest.fhir.reading.identity import OWN_SYSTEM, Identity, is_own
from service.ingest.fhir.reading.lines import reasons
from service.ingest.fhir.reading.stays import dated, request_types

NUMBERS_MAX = 50
TRACES_MAX = 20
MESSAGES_MAX = 500

_REFERRAL = "SC"


@dataclass(frozen=True, slots=True)
class Whole:
    """A response with all that was settled about it before its fields are read."""

    case: Case
    items: list[Item]
    lines: list[dict[str, Any]]
    identity: Identity
    member: dict[str, Any]
    action: str | None


def kind(whole: Whole) -> str:
    """Read what kind of paper it is: specialty care is a referral."""
    is_referral = any(_REFERRAL in request_types(item) for item in whole.items)
    return "referral" if is_referral else "authorization"


def number(whole: Whole) -> str | None:
    """Read the number under which providers know it."""
    case = whole.case
    review = review_of(case.response).extension("number")
    for node in (review, case.response.get("preAuthRef")):
        if read := primitives.number(node, case.issues):
            return read
    numbers = {line["number"] for line in whole.lines if "number" in line}
    if len(numbers) == 1:
        return str(numbers.pop())
    return None if numbers else _named_in_header(case)


def _named_in_header(case: Case) -> str | None:
    return primitives.number(case.response.extension("authorizationNumber"), case.issues)


def previous_numbers(whole: Whole) -> list[str]:
    """Read earlier numbers, without the one in force."""
    case, own = whole.case, number(whole)
    nodes = [case.response.extension("authorizationNumber")]
    nodes.append(case.request.extension("authorizationNumber"))
    nodes += [
        each
        for insurance in case.request.many("insurance")
        for each in insurance.many("preAuthRef")
    ]
    read = (primitives.number(each, case.issues) for each in nodes)
    return case.capped((each for each in read if each != own), NUMBERS_MAX, case.response)


def administrative_reference(whole: Whole) -> str | None:
    """Read the number of a pend: the first one that is there."""
    parts = [whole.case.response]
    parts += [part for item in whole.items for part in (item.added, item.answer)]
    parts += [whole.case.request, *(item.asked for item in whole.items)]
    nodes = (each.extension("administrationReferenceNumber") for each in parts)
    read = (primitives.text(each, whole.case.issues) for each in nodes)
    return next(filter(None, read), None)


def traces(whole: Whole) -> list[str]:
    """Read the trace numbers of the request and its items."""
    case = whole.case
    nodes = [
        each.get("value")
        for each in case.response.many("identifier")
        if each.get("system").value != OWN_SYSTEM
    ]
    for item in whole.items:
        for part in (item.added, item.answer, item.asked):
            found = (each.choice("value") for each in part.extensions("itemTraceNumber"))
            nodes += [each.get("value") if each.has("value") else each for each in found]
    read = (primitives.text(each, case.issues) for each in nodes)
    return case.capped(read, TRACES_MAX, case.response)


def decision(whole: Whole) -> dict[str, Any]:
    """Write the decision, with who made it and when."""
    case = whole.case
    reviewer = case.response.extension("claimResponseReviewer")
    npi = reviewer.extension("reviewerNPI")
    was_human = reviewer.extension("wasHumanReviewedFlag").value
    read = {
        "action": whole.action,
        "reasons": reasons(case, case.response),
        "reviewer": primitives.text(npi.get("value") if npi.has("value") else npi, case.issues),
        "human_reviewed": was_human if isinstance(was_human, bool) else None,
    }
    if whole.action or any(item.action for item in whole.items):
        decided_at = primitives.instant(case.response.get("created"), case.issues)
        read["decided_at"] = decided_at.isoformat() if decided_at else None
    return {name: value for name, value in read.items() if value not in (None, [])}


def effective(whole: Whole) -> dict[str, str] | None:
    """Read the days of validity that hold for all lines."""
    return primitives.span(whole.case.response.get("preAuthPeriod"), whole.case.issues)


def requested_dates(whole: Whole) -> dict[str, str] | None:
    """Read the days that were asked for."""
    node = dated(whole.case, "patientevent") or whole.case.request.get("billablePeriod")
    return primitives.span(node, whole.case.issues)


def urgency(whole: Whole) -> str | None:
    """Read the level of service (UM06)."""
    request = whole.case.request
    return primitives.concept_code(request.extension("levelOfServiceCode"), whole.case.issues)


def certification_type(whole: Whole) -> str | None:
    """Read the type of certification of the whole (UM02)."""
    request = whole.case.request
    return primitives.concept_code(request.extension("certificationType"), whole.case.issues)


def limits(whole: Whole) -> dict[str, Any]:
    """Read the money, and in what was given out here the units, granted for all lines together."""
    case = whole.case
    if whole.action not in terms.GRANTING:
        return {}
    for each in case.response.many("total"):
        kinds = {one.code.lower() for one in codings(each.get("category"))}
        if not kinds & {"eligible", "benefit"}:
            continue
        found: dict[str, Any] = {}
        if each.get("amount").has("value"):
            found |= terms.money(each.get("amount"), case.issues)
        if is_own(case.response, whole.identity.authorization_id):
            # PDex means by this quantity what was used; we mean, of what is eligible, the limit.
            units = each.extension("PriorAuthorizationUtilization")
            found |= terms.units(units, case.issues)
        if found:
            return found
    return {}


def messages(whole: Whole) -> list[dict[str, str]]:
    """Read what the payer wrote to people."""
    response = whole.case.response
    found = [("disposition", plain(response.get("disposition").value))]
    for at, each in enumerate(response.many("processNote"), start=1):
        number = primitives.sequence(each.get("number")) or at
        found.append((f"note {number}", plain(each.get("text").value)))
    for each in response.many("error"):
        for one in codings(each.get("code"))[:1]:
            written = one.display or plain(each.at("code", "text").value)
            found.append((f"901 {one.code}"[:20], written or one.code))
    messages = [
        {"code": code, "text": text[: primitives.LONG_TEXT_MAX]} for code, text in found if text
    ]
    return messages[:MESSAGES_MAX]


def status(whole: Whole) -> str | None:
    """Read the sender's own words for where it stands."""
    response = whole.case.response
    written = plain(response.get("disposition").value) or plain(response.get("outcome").value)
    return written[: primitives.TEXT_MAX].strip() or None


def requester_reference(whole: Whole) -> str | None:
    """Read the requester's own number."""
    identifier = whole.case.request.get("identifier") or whole.case.response.at(
        "request", "identifier"
    )
    return primitives.text(identifier.get("value"), whole.case.issues)


def received_at(whole: Whole) -> str | None:
    """Read when the request was made."""
    found = primitives.instant(whole.case.request.get("created"), whole.case.issues)
    return found.isoformat() if found else None


def source(whole: Whole) -> dict[str, str]:
    """Say where it came from, and when it was made."""
    case, identity = whole.case, whole.identity
    system = plain(case.response.at("meta", "source").value) or "fhir-pas"
    read = {"system": system[: primitives.TEXT_MAX].strip()}
    if identity.made_at:
        read["event_time"] = identity.made_at.isoformat()
    if identity.reference:
        read["reference"] = identity.reference
    return read
