"""The rows that read a line."""

from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.mapping import Row
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.reading import amounts, parties, services, teeth
from service.ingest.fhir.reading.case import Case, Item, review_of

REASONS_MAX = 20
NUMBERS_MAX = 50
_REVIEW = "adjudication.extension(reviewAction)"


def _numbers(item: Item) -> list[str]:
    """Give the numbers of the review, that of the added item first."""
    reviews = (review_of(item.added), review_of(item.answer))
    read = [primitives.number(each.extension("number"), item.case.issues) for each in reviews]
    return item.case.capped(read, NUMBERS_MAX, item.node)


def _number(item: Item) -> str | None:
    return next(iter(_numbers(item)), None)


def _other_numbers(item: Item) -> list[str]:
    parts = (item.added, item.answer, item.asked)
    issues = item.case.issues
    earlier = [primitives.number(each.extension("authorizationNumber"), issues) for each in parts]
    own = _number(item)
    others = [each for each in (*_numbers(item)[1:], *earlier) if each != own]
    return item.case.capped(others, NUMBERS_MAX, item.node)


def reasons(case: Case, node: Node) -> list[str]:
    """Read the reasons of a review; they are codes of a list that is not public, kept as sent."""
    found = review_of(node).extensions("reasonCode")
    codes = (primitives.concept_code(each.choice("value"), case.issues) for each in found)
    return case.capped(codes, REASONS_MAX, node)


def _reasons(item: Item) -> list[str]:
    return reasons(item.case, item.added) or reasons(item.case, item.answer)


def _certified_on(item: Item) -> str | None:
    return primitives.day(item.extension("itemPreAuthIssueDate"), item.case.issues)


def _effective(item: Item) -> dict[str, str] | None:
    node = item.extension("itemPreAuthPeriod") or item.extension("itemAuthorizedDate")
    return primitives.span(node, item.case.issues)


def _requested_dates(item: Item) -> dict[str, str] | None:
    node = (
        item.answer.extension("itemRequestedServiceDate")
        or item.added.extension("itemRequestedServiceDate")
        or item.added.choice("serviced")
        or item.asked.choice("serviced")
    )
    return primitives.span(node, item.case.issues)


def _admission(item: Item) -> dict[str, str]:
    admitted = primitives.span(item.extension("admissionDates"), item.case.issues) or {}
    discharged = primitives.day(item.extension("dischargeDate"), item.case.issues)
    return admission(item.case, admitted.get("from"), discharged)


def admission(case: Case, first: str | None, last: str | None) -> dict[str, str]:
    """Write a stay; a discharge before the admission is left out."""
    if first and last and last < first:
        case.issues.warn(case.response, "value-invalid", "discharged before admitted: left out")
        last = None
    days = {"date": first, "discharge_date": last}
    return {name: each for name, each in days.items() if each}


def _certification_type(item: Item) -> str | None:
    node = item.extension("certificationType") or item.asked.extension("certificationType")
    return primitives.concept_code(node, item.case.issues)


def _level_of_care(item: Item) -> str | None:
    node = (
        item.added.extension("nursingHomeLevelOfCare")
        or item.detail.extension("nursingHomeLevelOfCare")
        or item.asked.extension("nursingHomeLevelOfCare")
    )
    return primitives.concept_code(node, item.case.issues)


ROWS: tuple[Row[Item], ...] = (
    Row("line", ("item.itemSequence", "addItem.itemSequence"), "see Lines", lambda item: item.line),
    Row(
        "decision.action",
        (f"addItem.{_REVIEW}.reviewActionCode", f"item.{_REVIEW}.reviewActionCode"),
        "see Decisions; in guide 1.0 the review stands on the item itself",
        lambda item: item.action,
    ),
    Row(
        "decision.reasons",
        (f"addItem.{_REVIEW}.reasonCode", f"item.{_REVIEW}.reasonCode"),
        "codes as sent, up to 20",
        _reasons,
    ),
    Row(
        "number",
        (f"addItem.{_REVIEW}.number", f"item.{_REVIEW}.number"),
        "the number says nothing of the decision: a denied line has it too",
        _number,
    ),
    Row(
        "other_numbers",
        ("addItem, item, Claim.item: extension(authorizationNumber)",),
        "earlier numbers; the item's own where the added item has another",
        _other_numbers,
    ),
    Row(
        "certification_date",
        ("addItem.extension(itemPreAuthIssueDate)", "item.extension(itemPreAuthIssueDate)"),
        "the day of issue",
        _certified_on,
    ),
    Row(
        "effective",
        (
            "addItem.extension(itemPreAuthPeriod)",
            "item.extension(itemPreAuthPeriod)",
            "item.extension(itemAuthorizedDate)",
        ),
        "no end is an open end; the last path is guide 1.1",
        _effective,
    ),
    Row(
        "requested_dates",
        (
            "item.extension(itemRequestedServiceDate)",
            "addItem.serviced[x]",
            "Claim.item.serviced[x]",
        ),
        "one date is one day",
        _requested_dates,
    ),
    Row(
        "procedure",
        (
            "addItem.productOrService",
            "item.extension(itemAuthorizedDetail).productOrServiceCode",
            "Claim.item.productOrService",
        ),
        "with extension(productOrServiceCodeEnd) of the same part as `to`; see Codes",
        services.procedure,
    ),
    Row(
        "modifiers",
        (
            "addItem.modifier",
            "item.extension(itemAuthorizedDetail).modifier",
            "Claim.item.modifier",
        ),
        "of the part that names the service, up to 8",
        services.modifiers,
    ),
    Row(
        "revenue_code",
        (
            "addItem.extension(revenueCode)",
            "item.extension(itemAuthorizedDetail).revenue",
            "Claim.item.revenue",
        ),
        "of the part that names the service; also one that stands as the service",
        services.revenue_code,
    ),
    Row(
        "service_type",
        ("addItem.extension(itemCategory)", "Claim.item.category"),
        "element 1365; one that stands as the service comes first",
        services.service_type,
    ),
    Row(
        "certification_type",
        (
            "addItem.extension(certificationType)",
            "Claim.item.extension(certificationType)",
        ),
        "element 1322",
        _certification_type,
    ),
    Row(
        "level_of_care",
        (
            "addItem.extension(nursingHomeLevelOfCare)",
            "item.extension(itemAuthorizedDetail).nursingHomeLevelOfCare",
            "Claim.item.extension(nursingHomeLevelOfCare)",
        ),
        "element 1337, the code as sent",
        _level_of_care,
    ),
    Row(
        "place_of_service",
        ("addItem.locationCodeableConcept", "Claim.item.locationCodeableConcept"),
        "by its system, else two characters of a claim that is not institutional",
        lambda item: services.place(item).get("place_of_service"),
    ),
    Row(
        "bill_type",
        ("addItem.locationCodeableConcept", "Claim.item.locationCodeableConcept"),
        "by its system, else of an institutional claim",
        lambda item: services.place(item).get("bill_type"),
    ),
    Row(
        "drg",
        ("addItem.productOrService", "Claim.item.productOrService"),
        "where the system of the code is one of DRG",
        lambda item: services.named(item).service.drg,
    ),
    Row(
        "tooth",
        ("addItem.bodySite", "Claim.item.bodySite"),
        "Universal numbering; one of ISO 3950 is translated",
        teeth.tooth,
    ),
    Row("surfaces", ("addItem.subSite", "Claim.item.subSite"), "each letter", teeth.surfaces),
    Row(
        "diagnoses",
        ("Claim.item.diagnosisSequence", "item.extension(communicatedDiagnosis)"),
        "both; none leaves those of the header",
        services.diagnoses,
    ),
    Row(
        "admission",
        (
            "addItem, item: extension(admissionDates)",
            "addItem, item: extension(dischargeDate)",
        ),
        "the first day of admission; guide 2.2",
        _admission,
    ),
    Row(
        "servicing_provider",
        (
            "addItem.provider",
            "item.extension(itemAuthorizedProvider).provider",
            "Claim.careTeam of Claim.item.careTeamSequence",
        ),
        "see Providers",
        lambda item: parties.of_line(item).get("servicing_provider"),
    ),
    Row(
        "facility",
        (
            "addItem.provider",
            "item.extension(itemAuthorizedProvider).provider",
            "Claim.careTeam of Claim.item.careTeamSequence",
        ),
        "see Providers",
        lambda item: parties.of_line(item).get("facility"),
    ),
    Row(
        "unit_price",
        (
            "addItem.unitPrice",
            "item.extension(itemAuthorizedDetail).unitPrice",
            "Claim.item.unitPrice",
        ),
        "price of one unit",
        amounts.unit_price,
    ),
    Row(
        "limits",
        (
            "addItem.quantity",
            "item.extension(itemAuthorizedDetail).quantity",
            "Claim.item.quantity",
        ),
        "see Quantities; only of a line that was certified",
        amounts.limits,
    ),
    Row(
        "limits",
        ("addItem.net", "addItem, item: adjudication(eligible or benefit).amount"),
        "`amount`; only of a line that was certified",
        amounts.granted_amount,
    ),
    Row(
        "requested",
        ("Claim.item.quantity", "item.extension(itemAuthorizedDetail).quantity"),
        "the detail where it repeats the request, see Quantities",
        amounts.asked,
    ),
    Row("requested", ("Claim.item.net",), "`amount`", amounts.asked_amount),
)
