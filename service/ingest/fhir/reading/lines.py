"""The rows that read a line."""

from typing import Any

from pydantic import ValidationError

from service.domain import codes
from service.domain.authorization import Procedure
from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.mapping import Row, adding
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.reading import _amounts as amounts
from service.ingest.fhir.reading import _people as people
from service.ingest.fhir.reading import _services as services
from service.ingest.fhir.reading._case import Case, Item, review_of

MODIFIERS_MAX = 8
REASONS_MAX = 20
NUMBERS_MAX = 50
_REVIEW = "adjudication.extension(reviewAction)"
_DETAIL = "item.extension(itemAuthorizedDetail)"
_LOCATION = ("addItem.locationCodeableConcept", "Claim.item.locationCodeableConcept")
_PROVIDERS = (
    "addItem.provider",
    "item.extension(itemAuthorizedProvider).provider",
    "Claim.careTeam of Claim.item.careTeamSequence",
)

ROWS: list[Row[Item]] = []
_row = adding(ROWS)

_row("line", "item.itemSequence", "addItem.itemSequence", rule="see Lines")(lambda item: item.line)
_row(
    "decision.action",
    f"addItem.{_REVIEW}.reviewActionCode",
    f"item.{_REVIEW}.reviewActionCode",
    rule="see Decisions; in guide 1.0 the review stands on the item itself",
)(lambda item: item.action)


_row(
    "decision.reasons",
    f"addItem.{_REVIEW}.reasonCode",
    f"item.{_REVIEW}.reasonCode",
    rule="codes as sent, up to 20",
)(lambda item: reasons(item.case, item.added) or reasons(item.case, item.answer))


def reasons(case: Case, node: Node) -> list[str]:
    """Read the reasons of a review; they are codes of a list that is not public, kept as sent."""
    found = (each.choice("value") for each in review_of(node).extensions("reasonCode"))
    codes = (primitives.concept_code(each) for each in found if not terms.is_action(each))
    return primitives.capped(codes, REASONS_MAX, node)


@_row(
    "number",
    f"addItem.{_REVIEW}.number",
    f"item.{_REVIEW}.number",
    rule="the number says nothing of the decision: a denied line has it too",
)
def _number(item: Item) -> str | None:
    return next(iter(_numbers(item)), None)


@_row(
    "other_numbers",
    "addItem, item, Claim.item: extension(authorizationNumber)",
    rule="earlier numbers; the item's own where the added item has another",
)
def _other_numbers(item: Item) -> list[str]:
    parts = (item.added, item.answer, item.asked)
    earlier = [primitives.number(each.extension("authorizationNumber")) for each in parts]
    own = _number(item)
    others = [each for each in (*_numbers(item)[1:], *earlier) if each != own]
    return primitives.capped(others, NUMBERS_MAX, item.node)


def _numbers(item: Item) -> list[str]:
    """The numbers of the review, that of the added item first."""
    reviews = (review_of(item.added), review_of(item.answer))
    read = [primitives.number(each.extension("number")) for each in reviews]
    return primitives.capped(read, NUMBERS_MAX, item.node)


_row(
    "certification_date",
    "addItem.extension(itemPreAuthIssueDate)",
    "item.extension(itemPreAuthIssueDate)",
    rule="the day of issue",
)(lambda item: primitives.day(item.extension("itemPreAuthIssueDate")))


@_row(
    "effective",
    "addItem.extension(itemPreAuthPeriod)",
    "item.extension(itemPreAuthPeriod)",
    "item.extension(itemAuthorizedDate)",
    rule="no end is an open end; the last path is guide 1.1",
)
def _effective(item: Item) -> dict[str, str] | None:
    node = item.extension("itemPreAuthPeriod") or item.extension("itemAuthorizedDate")
    return primitives.span(node)


@_row(
    "requested_dates",
    "item.extension(itemRequestedServiceDate)",
    "addItem.serviced[x]",
    "Claim.item.serviced[x]",
    rule="one date is one day",
)
def _requested_dates(item: Item) -> dict[str, str] | None:
    node = (
        item.answer.extension("itemRequestedServiceDate")
        or item.added.extension("itemRequestedServiceDate")
        or item.added.choice("serviced")
        or item.asked.choice("serviced")
    )
    return primitives.span(node)


@_row(
    "procedure",
    "addItem.productOrService",
    f"{_DETAIL}.productOrServiceCode",
    "Claim.item.productOrService",
    rule="with extension(productOrServiceCodeEnd) of the same part as `to`; see Codes",
)
def _procedure(item: Item) -> dict[str, Any] | None:
    found = services.named(item)
    if found.service.procedure is None:
        return None
    read: dict[str, Any] = {"from": found.service.procedure}
    if found.service.code_system:
        read["code_system"] = found.service.code_system
    last = terms.service(found.end).procedure
    if last is None:
        return read
    try:
        Procedure.model_validate(read | {"to": last})
    except ValidationError:
        message = "no end of a range that begins with the code of the item: left out"
        found.end.warn("value-invalid", message)
        return read
    return read | {"to": last}


@_row(
    "modifiers",
    "addItem.modifier",
    f"{_DETAIL}.modifier",
    "Claim.item.modifier",
    rule="of the part that names the service, up to 8",
)
def _modifiers(item: Item) -> list[str]:
    found = services.named(item).modifiers
    codes = (primitives.concept_code(each) for each in found)
    return primitives.capped(codes, MODIFIERS_MAX, item.node)


@_row(
    "revenue_code",
    "addItem.extension(revenueCode)",
    f"{_DETAIL}.revenue",
    "Claim.item.revenue",
    rule="of the part that names the service; also one that stands as the service",
)
def _revenue_code(item: Item) -> str | None:
    found = services.named(item)
    return primitives.concept_code(found.revenue) or found.service.revenue_code


@_row(
    "service_type",
    "addItem.extension(itemCategory)",
    "Claim.item.category",
    rule="element 1365; one that stands as the service comes first",
)
def _service_type(item: Item) -> str | None:
    category = item.added.extension("itemCategory") or item.asked.get("category")
    return services.named(item).service.service_type or primitives.concept_code(category)


@_row(
    "certification_type",
    "addItem.extension(certificationType)",
    "Claim.item.extension(certificationType)",
    rule="element 1322",
)
def _certification_type(item: Item) -> str | None:
    node = item.extension("certificationType") or item.asked.extension("certificationType")
    return primitives.concept_code(node)


@_row(
    "level_of_care",
    "addItem.extension(nursingHomeLevelOfCare)",
    f"{_DETAIL}.nursingHomeLevelOfCare",
    "Claim.item.extension(nursingHomeLevelOfCare)",
    rule="element 1337, the code as sent",
)
def _level_of_care(item: Item) -> str | None:
    node = (
        item.added.extension("nursingHomeLevelOfCare")
        or item.detail.extension("nursingHomeLevelOfCare")
        or item.asked.extension("nursingHomeLevelOfCare")
    )
    return primitives.concept_code(node)


def _place(item: Item) -> dict[str, str]:
    for part in (item.added, item.asked):
        found = terms.place(
            part.choice("location"),
            is_institutional=item.case.is_institutional,
        )
        if found:
            return found
    return {}


_row(
    "place_of_service",
    *_LOCATION,
    rule="by its system, else two characters of a claim that is not institutional",
)(lambda item: _place(item).get("place_of_service"))
_row("bill_type", *_LOCATION, rule="by its system, else of an institutional claim")(
    lambda item: _place(item).get("bill_type")
)


@_row(
    "other_settings",
    "Claim.facility and roles FA, 77",
    "item.extension(itemAuthorizedProvider).provider",
    rule="a facility, of a professional one; a procedure of a stay or by a person, of others",
)
def _other_settings(item: Item) -> list[str]:
    named = people.of_header(item.case) | people.of_line(item)
    if item.case.setting == "professional" and "facility" in named:
        is_stay = _place(item).get("place_of_service") in codes.STAY_PLACES
        return ["inpatient" if is_stay else "outpatient"]
    if not item.case.is_institutional or services.named(item).service.procedure is None:
        return []
    served = named.get("servicing_provider")
    is_by_person = served is not None and "organization" not in served
    return ["professional"] if is_by_person or item.case.setting == "inpatient" else []


_row(
    "drg",
    "addItem.productOrService",
    "Claim.item.productOrService",
    rule="where the system of the code is one of DRG",
)(lambda item: services.named(item).service.drg)
_row(
    "tooth",
    "addItem.bodySite",
    "Claim.item.bodySite",
    rule="Universal numbering; one of ISO 3950 is translated",
)(services.tooth)
_row("surfaces", "addItem.subSite", "Claim.item.subSite", rule="each letter")(services.surfaces)
_row(
    "diagnoses",
    "Claim.item.diagnosisSequence",
    "item.extension(communicatedDiagnosis)",
    rule="both; none leaves those of the header",
)(services.diagnoses)


@_row(
    "admission",
    "addItem, item: extension(admissionDates)",
    "addItem, item: extension(dischargeDate)",
    rule="the first day of admission; guide 2.2",
)
def _admission(item: Item) -> dict[str, str]:
    admitted = primitives.span(item.extension("admissionDates")) or {}
    discharged = primitives.day(item.extension("dischargeDate"))
    return admission(item.case, admitted.get("from"), discharged)


def admission(case: Case, first: str | None, last: str | None) -> dict[str, str]:
    """Write a stay; a discharge before the admission is left out."""
    if first and last and last < first:
        case.response.warn("value-invalid", "discharged before admitted: left out")
        last = None
    days = {"date": first, "discharge_date": last}
    return {name: each for name, each in days.items() if each}


def _provider_row(field: str) -> None:
    _row(field, *_PROVIDERS, rule="see Providers")(lambda item: people.of_line(item).get(field))


for each in people.FIELDS:
    _provider_row(each)
_PATTERN = "extension(timing{}pattern)"
_TIMING = "Claim.item.extension(requestedService).occurrenceTiming"
_row(
    "days_of_week",
    f"{_TIMING}.{_PATTERN.format('calendar')}",
    f"{_TIMING}.repeat.dayOfWeek",
    rule="of the order that was authorized first; another pattern is `other`, and told",
)(amounts.days_of_week)
_row(
    "attached",
    f"{_TIMING}.{_PATTERN.format('calendar')}",
    f"{_TIMING}.{_PATTERN.format('delivery')}",
    rule="`calendar_pattern`, `delivery_pattern` as sent; a time of the day is told",
)(amounts.patterns)
_row(
    "unit_price",
    "addItem.unitPrice",
    f"{_DETAIL}.unitPrice",
    "Claim.item.unitPrice",
    rule="price of one unit",
)(amounts.unit_price)
_row(
    "limits",
    "addItem.quantity",
    f"{_DETAIL}.quantity",
    "Claim.item.quantity",
    rule="see Quantities; only of a line that was certified",
)(amounts.limits)
_row(
    "limits",
    "addItem.net",
    "addItem, item: adjudication(eligible or benefit).amount",
    rule="`amount`; only of a line that was certified",
)(amounts.granted_amount)
_row(
    "requested",
    "Claim.item.quantity",
    f"{_DETAIL}.quantity",
    rule="the detail where it repeats the request, see Quantities",
)(amounts.asked)
_row("requested", "Claim.item.net", rule="`amount`")(amounts.asked_amount)
