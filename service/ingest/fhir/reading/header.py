"""The rows that read the header: what holds for all lines."""

from dataclasses import dataclass
from typing import Any

from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.mapping import Row, adding
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import codings, plain
from service.ingest.fhir.reading import _people as people
from service.ingest.fhir.reading import _services as services
from service.ingest.fhir.reading._case import Case, Item, Setting, review_of, type_code
from service.ingest.fhir.reading.identity import OWN_SYSTEM, Identity, Told, is_own
from service.ingest.fhir.reading.lines import admission, reasons

NUMBERS_MAX = 50
TRACES_MAX = 20
MESSAGES_MAX = 500

_REFERRAL, _ADMISSION = "SC", "AR"
_STAT, _URGENT = "stat", "U"
_SETTINGS: dict[str, Setting] = {
    "professional": "professional",
    "oral": "dental",
    "dental": "dental",
    "institutional": "outpatient",
}


@dataclass(frozen=True, slots=True)
class Whole:
    """A response with all that was settled about it before its fields are read."""

    case: Case
    items: list[Item]
    lines: list[dict[str, Any]]
    identity: Identity
    member: dict[str, Any]
    action: str | None


ROWS: list[Row[Whole]] = []
_row = adding(ROWS)


def told(
    case: Case,
    items: list[Item],
    lines: list[dict[str, Any]],
    member: dict[str, Any],
    action: str | None,
) -> Told:
    """Say what is known of a response before its fields are read."""
    certification = primitives.concept_code(case.request.extension("certificationType"))
    of_lines = {line.get("certification_type") for line in lines}
    number = _number_of(case, lines)
    return Told(
        kind=_kind_of(items),
        member=member,
        actions={action} if action == "C" else {action, *(item.action for item in items)},
        certification=certification or (of_lines.pop() if len(of_lines) == 1 else None),
        numbers=(number, *(line.get("number") for line in lines)),
        previous=next(iter(_previous_of(case, number)), None),
    )


_row(
    "authorization_id",
    "adjudication.extension(reviewAction).number",
    "preAuthRef",
    "Claim.identifier",
    rule="see Id and version",
)(lambda whole: whole.identity.authorization_id)
_row("aliases", "Claim.identifier", "identifier", rule="see Id and version")(
    lambda whole: list(whole.identity.aliases)
)
_row("version", "meta.lastUpdated", "created", "Bundle.timestamp", rule="see Id and version")(
    lambda whole: whole.identity.version
)


@_row(
    "kind",
    "Claim.item, addItem: extension(serviceItemRequestType)",
    rule="SC is a referral, all else an authorization",
)
def _kind(whole: Whole) -> str:
    return _kind_of(whole.items)


def _kind_of(items: list[Item]) -> str:
    is_referral = any(_REFERRAL in _request_types(item) for item in items)
    return "referral" if is_referral else "authorization"


_row(
    "setting",
    "type",
    "Claim.type",
    rule="oral is dental; AR, and institutional with admission dates, is inpatient",
)(lambda whole: whole.case.setting)


@_row(
    "number",
    "adjudication.extension(reviewAction).number",
    "preAuthRef",
    rule="else the number that all lines share, else extension(authorizationNumber)",
)
def _number(whole: Whole) -> str | None:
    return _number_of(whole.case, whole.lines)


def _number_of(case: Case, lines: list[dict[str, Any]]) -> str | None:
    review = review_of(case.response).extension("number")
    for node in (review, case.response.get("preAuthRef")):
        if read := primitives.number(node):
            return read
    numbers = {line["number"] for line in lines if "number" in line}
    if len(numbers) == 1:
        return str(numbers.pop())
    if numbers:
        return None
    return primitives.number(case.response.extension("authorizationNumber"))


@_row(
    "previous_numbers",
    "extension(authorizationNumber)",
    "Claim.insurance.preAuthRef",
    rule="those of the Claim too; what is the number itself is left out",
)
def _previous_numbers(whole: Whole) -> list[str]:
    return _previous_of(whole.case, _number(whole))


def _previous_of(case: Case, own: str | None) -> list[str]:
    nodes = [case.response.extension("authorizationNumber")]
    nodes.append(case.request.extension("authorizationNumber"))
    nodes += [
        each
        for insurance in case.request.many("insurance")
        for each in insurance.many("preAuthRef")
    ]
    read = (primitives.number(each) for each in nodes)
    return primitives.capped((each for each in read if each != own), NUMBERS_MAX, case.response)


_row(
    "supersedes",
    "Claim.related.claim",
    rule="the id of the number or of the request that was updated, see Id and version",
)(lambda whole: whole.identity.supersedes)


@_row(
    "administrative_reference",
    "response, items, Claim: extension(administrationReferenceNumber)",
    rule="the first one; a pend is tracked by it, it is no number",
)
def _administrative_reference(whole: Whole) -> str | None:
    parts = [whole.case.response]
    parts += [part for item in whole.items for part in (item.added, item.answer)]
    parts += [whole.case.request, *(item.asked for item in whole.items)]
    nodes = (each.extension("administrationReferenceNumber") for each in parts)
    read = (primitives.text(each) for each in nodes)
    return next(filter(None, read), None)


@_row(
    "requester_reference",
    "Claim.identifier",
    "request.identifier",
    rule="the requester's own number",
)
def _requester_reference(whole: Whole) -> str | None:
    identifier = whole.case.request.get("identifier") or whole.case.response.at(
        "request", "identifier"
    )
    return primitives.text(identifier.get("value"))


@_row(
    "trace_numbers", "identifier", "items: extension(itemTraceNumber)", rule="each once, up to 20"
)
def _traces(whole: Whole) -> list[str]:
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
    read = (primitives.text(each) for each in nodes)
    return primitives.capped(read, TRACES_MAX, case.response)


_row("member", "patient", "insurance.coverage", rule="see Member")(lambda whole: whole.member)


@_row("status", "disposition", "outcome", rule="text, shown only")
def _status(whole: Whole) -> str | None:
    response = whole.case.response
    written = plain(response.get("disposition").value) or plain(response.get("outcome").value)
    return written[: primitives.TEXT_MAX].strip() or None


@_row(
    "decision",
    "adjudication.extension(reviewAction)",
    "status",
    "disposition",
    "extension(claimResponseReviewer)",
    rule="see Decisions; `decided_at` is `created`",
)
def _decision(whole: Whole) -> dict[str, Any]:
    case = whole.case
    reviewer = case.response.extension("claimResponseReviewer")
    npi = reviewer.extension("reviewerNPI")
    was_human = reviewer.extension("wasHumanReviewedFlag").value
    read = {
        "action": whole.action,
        "reasons": reasons(case, case.response),
        "reviewer": primitives.text(npi.get("value") if npi.has("value") else npi),
        "human_reviewed": was_human if isinstance(was_human, bool) else None,
    }
    if whole.action or any(item.action for item in whole.items):
        decided_at = primitives.instant(case.response.get("created"))
        read["decided_at"] = decided_at.isoformat() if decided_at else None
    return {name: value for name, value in read.items() if value not in (None, [])}


_row("effective", "preAuthPeriod", rule="no end is an open end")(
    lambda whole: primitives.span(whole.case.response.get("preAuthPeriod"))
)


@_row(
    "requested_dates",
    "Claim.supportingInfo(patientEvent).timing[x]",
    "Claim.billablePeriod",
    rule="stand in where no validity was sent",
)
def _requested_dates(whole: Whole) -> dict[str, str] | None:
    node = _dated(whole.case, "patientevent") or whole.case.request.get("billablePeriod")
    return primitives.span(node)


@_row(
    "admission",
    "Claim.supportingInfo(admissionDates, dischargeDates).timing[x]",
    "Claim.extension(encounter)",
    rule="first admission day, last discharge day; type, source and status of the Encounter",
)
def _admission(whole: Whole) -> dict[str, str]:
    case = whole.case
    admitted = primitives.span(_dated(case, "admissiondates", "admissionreviewstart"))
    left = primitives.span(_dated(case, "dischargedates", "admissionreviewend"))
    read = admission(case, (admitted or {}).get("from"), (left or {}).get("to"))
    encounter = _encounter(case)
    codes = {
        "type": encounter.get("type"),
        "source": encounter.at("hospitalization", "admitSource"),
        "patient_status": encounter.extension("patientStatus"),
    }
    for name, node in codes.items():
        if found := primitives.concept_code(node):
            read[name] = found
    return read


def _encounter(case: Case) -> Node:
    references = [case.request.extension("Claim.encounter"), case.request.extension("encounter")]
    for each in case.request.many("supportingInfo"):
        if any(one.code == "institutionalEncounter" for one in codings(each.get("category"))):
            references.append(each.choice("value"))
    references += [each for item in case.request.many("item") for each in item.many("encounter")]
    return next(filter(None, map(case.documents.resolve, references)), NOTHING)


_row("diagnoses", "Claim.diagnosis", rule="by sequence; principal is ABK, of ICD-9 BK")(
    lambda whole: services.all_diagnoses(whole.case)
)
_row(
    "drg",
    "Claim.diagnosis.packageCode",
    "Claim.diagnosis.diagnosisCodeableConcept",
    rule="the second where its system is one of DRG",
)(lambda whole: services.drg(whole.case))


@_row(
    "urgency",
    "Claim.extension(levelOfServiceCode)",
    "Claim.priority",
    rule="element 1338, else U for stat; normal and deferred are standard",
)
def _urgency(whole: Whole) -> str | None:
    request = whole.case.request
    level = primitives.concept_code(request.extension("levelOfServiceCode"))
    stated = (each.code.lower() for each in codings(request.get("priority")))
    return level or (_URGENT if _STAT in stated else None)


_row("certification_type", "Claim.extension(certificationType)", rule="element 1322")(
    lambda whole: primitives.concept_code(whole.case.request.extension("certificationType"))
)


_row("requesting_provider", "requestor", "Claim.provider", rule="see Providers")(
    lambda whole: people.requesting(whole.case)
)


def _provider_row(field: str, source: str) -> None:
    paths = "extension(itemAuthorizedProvider).provider", source
    _row(field, *paths, rule="see Providers")(lambda whole: people.of_header(whole.case).get(field))


for each, source in zip(
    people.FIELDS,
    (*["Claim.careTeam of all items"] * 2, "Claim.facility", "Claim.careTeam of all items"),
    strict=True,
):
    _provider_row(each, source)


@_row(
    "limits",
    "total(eligible or benefit).amount",
    rule="`amount`, where the header itself certifies",
)
def _limits(whole: Whole) -> dict[str, Any]:
    case = whole.case
    if whole.action not in terms.GRANTING:
        return {}
    for each in case.response.many("total"):
        kinds = {one.code.lower() for one in codings(each.get("category"))}
        if not kinds & {"eligible", "benefit"}:
            continue
        found: dict[str, Any] = {}
        if each.get("amount").has("value"):
            found |= terms.money(each.get("amount"))
        if is_own(case.response, whole.identity.authorization_id):
            # PDex means by this quantity what was used; we mean, of what is eligible, the limit.
            units = each.extension("PriorAuthorizationUtilization")
            found |= terms.units(units)
        if found:
            return found
    return {}


@_row("messages", "disposition", "processNote", "error", rule="texts, with what they are as code")
def _messages(whole: Whole) -> list[dict[str, str]]:
    response = whole.case.response
    found = [("disposition", plain(response.get("disposition").value))]
    for number, each in primitives.numbered(response.many("processNote"), "number"):
        found.append((f"note {number}", plain(each.get("text").value)))
    for each in response.many("error"):
        for one in codings(each.get("code"))[:1]:
            written = one.display or plain(each.at("code", "text").value)
            found.append((f"901 {one.code}"[:20], written or one.code))
    messages = [
        {"code": code, "text": text[: primitives.LONG_TEXT_MAX]} for code, text in found if text
    ]
    return messages[:MESSAGES_MAX]


@_row("received_at", "Claim.created", rule="when the request was made")
def _received_at(whole: Whole) -> str | None:
    found = primitives.instant(whole.case.request.get("created"))
    return found.isoformat() if found else None


@_row(
    "source",
    "meta.source",
    "identifier",
    "meta.lastUpdated",
    rule="`system`, `reference`, `event_time`",
)
def _source(whole: Whole) -> dict[str, str]:
    case, identity = whole.case, whole.identity
    system = plain(case.response.at("meta", "source").value) or "fhir-pas"
    read = {"system": system[: primitives.TEXT_MAX].strip()}
    if identity.made_at:
        read["event_time"] = identity.made_at.isoformat()
    if identity.reference:
        read["reference"] = identity.reference
    return read


_row(
    "attached",
    "meta.profile",
    "id",
    "CommunicationRequest, Task",
    rule="`pas_version`, `fhir_id`, `review_actions_unknown`, `information_wanted` (LOINC)",
)(lambda whole: whole.case.attached)


def setting_of(case: Case, items: list[Item]) -> Setting:
    """Say which claims it is for: by the type of the claim; an admission makes it inpatient."""
    type_ = type_code(case.response) or type_code(case.request)
    found = _SETTINGS.get(type_)
    if found is None:
        message = "a type other than professional, institutional or oral: read as professional"
        case.response.get("type").warn("setting-assumed", message)
        found = "professional"
    if found == "dental":
        return found
    is_stay = any(_ADMISSION in _request_types(item) for item in items)
    if found == "outpatient" and not is_stay:
        is_stay = any(item.extension("admissionDates") for item in items) or bool(
            _dated(case, "admissiondates", "admissionreviewstart")
        )
        subtype = [each.code.lower() for each in codings(case.response.get("subType"))]
        is_stay = is_stay or "inpatient" in subtype
    return "inpatient" if is_stay else found


def _request_types(item: Item) -> list[str]:
    """The types of request of a line (UM01): AR, HS, SC, IN."""
    parts = (item.added, item.asked)
    found = [each.extension("serviceItemRequestType") for each in parts]
    return [each.code.upper() for node in found for each in codings(node)]


def _dated(case: Case, *categories: str) -> Node:
    """The date or period of a supporting information of one of these categories."""
    for each in case.request.many("supportingInfo"):
        found = {one.code.lower() for one in codings(each.get("category"))}
        if found & set(categories) and each.extension("infoCancelled").value is not True:
            return each.choice("timing")
    return NOTHING
