"""How the elements of a 278 are read that need more than being taken as they are."""

from typing import get_args

from service.domain.authorization import Action
from service.ingest.x12.fields.mapping import Draft, Take, dated, raw
from service.ingest.x12.fields.quantities import take_service_quantity
from service.ingest.x12.fields.services import read_service
from service.ingest.x12.wire.elements import Span, is_number
from service.ingest.x12.wire.segment import Segment

ACTIONS: frozenset[str] = frozenset(get_args(Action))
_REASONS_MAX = 20
_FACILITY_FIELDS = {"A": "bill_type", "B": "place_of_service"}
_MESSAGES_MAX = 100
_REASONS = 3


def take_decision(draft: Draft, segment: Segment) -> None:
    """Read HCR; an unknown action stays unknown, with its raw value; there may be no reasons."""
    draft.notes["is_decided"] = True
    action = draft.code(segment, 1)
    if action in ACTIONS:
        draft.put("decision", "action", action, segment)
    else:
        draft.notes["is_action_unknown"] = True
        draft.note("code-unknown" if action else "element-missing", segment, 1)
        draft.put("attached", "review_action", action, segment)
    take_certification_number(draft, segment)
    if len(segment.elements) > _REASONS:
        draft.put("decision", "reasons", draft.codes(segment, _REASONS)[:_REASONS_MAX], segment)
        draft.put("attached", "second_opinion", draft.code(segment, 4), segment)


def take_certification(above: str) -> Take:
    """Take UM: its kinds and urgency as they stand, its category into the object ``above``."""

    def take(draft: Draft, segment: Segment) -> None:
        _, kind, service, place, _, urgency = texts = segment.texts(6)
        draft.put("", "certification_type", draft.as_code(kind, segment, 2), segment)
        draft.put("", "service_type", draft.as_code(service, segment, 3), segment)
        if place:
            take_facility(draft, segment)
        draft.put("", "urgency", draft.as_code(urgency, segment, 6), segment)
        draft.put(above, "category", draft.as_code(texts[0], segment, 1), segment)

    return take


def take_number(element: int, field: str) -> Take:
    """Take a number under which an authorization is known: with a letter or digit at least."""

    def take(draft: Draft, segment: Segment) -> None:
        number = draft.text(segment, element)
        if number and not is_number(number):
            draft.note("code-invalid", segment, element)
        else:
            draft.put("", field, number, segment)

    return take


take_certification_number = take_number(2, "number")


def take_further_number(field: str) -> Take:
    """Put the number of a REF segment into a list."""

    def take(draft: Draft, segment: Segment) -> None:
        number = draft.text(segment, 2)
        if is_number(number):
            draft.add(field, number)
        elif number:
            draft.note("code-invalid", segment, 2)

    return take


def take_facility(draft: Draft, segment: Segment) -> None:
    """Read UM04: a bill type (A) or a place of service (B)."""
    code = draft.code(segment, 4, 1)
    if code is None:
        return
    field = _FACILITY_FIELDS.get(segment.part(4, 2).upper())
    if field is None:
        draft.note("facility-code", segment, 4, 2)
        draft.add("attached.facility_code", raw(segment)[3])
        return
    draft.set(field, code, segment)


@dated
def take_validity(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*007: a period, or the day from which it is valid."""
    draft.put("effective", "from", span.first, segment)
    if span.is_range:
        draft.put("effective", "to", span.last, segment)


@dated
def take_expiry(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*036: the last day of validity, the earlier of two."""
    until = draft.fields.get("effective", {}).get("to")
    if until is None:
        draft.put("effective", "to", span.last, segment)
    else:
        draft.fields["effective"]["to"] = min(until, span.last)


@dated
def take_requested_dates(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*472 or AAH: a period, or one day (never open-ended)."""
    draft.put("", "requested_dates", {"from": span.first, "to": span.last}, segment)


@dated
def take_admission(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*435: the day of admission; the end of a period is the discharge."""
    draft.put("admission", "date", span.first, segment)
    if span.is_range:
        draft.put("admission", "discharge_date", span.last, segment)


def take_service(procedure: int, unit: int | None, quantity: int) -> Take:
    """Take procedure and quantity of SV1, SV2 or SV3."""

    def take(draft: Draft, segment: Segment) -> None:
        if "service" in draft.notes:
            draft.unsure("repeated", segment)
            return
        service = read_service(draft, segment, procedure)
        if not service and segment.get(procedure):
            # A service that cannot be read must not become one without restriction.
            draft.unsure("element-missing", segment, procedure)
        draft.notes["service"] = service
        draft.notes["form"] = segment.elements[0]
        if len(segment.elements) > quantity:
            take_service_quantity(draft, segment, unit, quantity)

    return take


def take_message(draft: Draft, segment: Segment) -> None:
    """Read a free text (MSG01)."""
    messages: list[str] = draft.notes.setdefault("messages", [])
    text = segment.get(1)
    if text and len(messages) < _MESSAGES_MAX:
        messages.append(text[:20_000])


def take_trace(draft: Draft, segment: Segment) -> None:
    """Read a trace number (TRN02) and who gave it (TRN03)."""
    number = draft.text(segment, 2)
    if not number:
        draft.note("element-missing", segment, 2)
        return
    trace = (segment.get(1), number, segment.get(3)[:50])
    traces: list[tuple[str, str, str]] = draft.notes.setdefault("traces", [])
    if trace not in traces:
        traces.append(trace)


def take_refusal(draft: Draft, segment: Segment) -> None:
    """Note an AAA segment: a refusal to look, not a denial."""
    draft.notes.setdefault("refusals", []).append(segment)
