"""What becomes of each segment of a 278 event (2000E) and of its services (2000F)."""

from typing import get_args

from service.domain.authorization import Action
from service.ingest.x12.fields.mapping import (
    Draft,
    Left,
    Row,
    Rows,
    Take,
    Told,
    dated,
    days,
    element,
    first_day,
    keep,
    period,
    raw,
)
from service.ingest.x12.fields.quantities import take_hsd, take_service_quantity
from service.ingest.x12.fields.services import (
    read_service,
    take_areas,
    take_diagnoses,
    take_tooth,
)
from service.ingest.x12.wire.elements import Span, is_number
from service.ingest.x12.wire.segment import Segment

ACTIONS: frozenset[str] = frozenset(get_args(Action))
_REASONS_MAX = 20
_FACILITY_FIELDS = {"A": "bill_type", "B": "place_of_service"}
_MESSAGES_MAX = 100
_REASONS = 3
_PENDED = "A4"


def take_decision(draft: Draft, segment: Segment) -> None:
    """Read HCR; an unknown action stays unknown, with its raw value; there may be no reasons."""
    draft.notes["is_decided"] = True
    action = draft.code(segment, 1)
    if action in ACTIONS:
        _take_action(draft, action, segment)
    else:
        draft.notes["is_action_unknown"] = True
        draft.note("code-unknown" if action else "element-missing", segment, 1)
        draft.put("attached", "review_action", action, segment)
    _take_certification_number(draft, segment)
    if len(segment.elements) > _REASONS:
        draft.put("decision", "reasons", draft.codes(segment, _REASONS)[:_REASONS_MAX], segment)
        draft.put("attached", "second_opinion", draft.code(segment, 4), segment)


def _take_action(draft: Draft, action: str, segment: Segment) -> None:
    """Take an action; where an earlier one of the same level says otherwise, neither is sure."""
    known = draft.fields.get("decision", {}).get("action", action)
    draft.fields.setdefault("decision", {})["action"] = action if action == known else _PENDED
    if action != known:
        draft.note("decisions-differ", segment, 1)


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


def take_number(element: int, field: str, *, is_list: bool = False) -> Take:
    """Take a number, into a list or alone: it has a letter or digit at least."""

    def take(draft: Draft, segment: Segment) -> None:
        number = draft.text(segment, element)
        if number and not is_number(number):
            draft.note("code-invalid", segment, element)
        elif number and is_list:
            draft.add(field, number)
        else:
            draft.put("", field, number, segment)

    return take


_take_certification_number = take_number(2, "number")


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
def take_expiry(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*036: the last day of validity, the earlier of two."""
    until = draft.fields.get("effective", {}).get("to")
    if until is None:
        draft.put("effective", "to", span.last, segment)
    else:
        draft.fields["effective"]["to"] = min(until, span.last)


def take_service(procedure: int, unit: int | None, quantity: int) -> Take:
    """Take procedure and quantity of SV1, SV2 or SV3."""

    def take(draft: Draft, segment: Segment) -> None:
        if "service" in draft.notes:
            draft.unsure("repeated", segment)
            return
        draft.notes["service"] = read_service(draft, segment, procedure)
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


_SHARED = (
    Told(
        "UM02",
        "certification_type",
        "as it stands; 3 asks for a cancellation: confirmed "
        "with A1 or C it makes the authorization void (action C)",
    ),
    Told("UM03", "service_type"),
    Told(
        "UM04",
        "place_of_service, bill_type",
        "component 2 says which: A bill type, B place of service",
    ),
    Told("UM06", "urgency"),
    Row(
        "HCR01",
        "decision.action",
        "A1 A2 A3 A4 A6 CT NA C; another code stays unknown and is kept in attached.review_action",
        take=take_decision,
    ),
    Told("HCR02", "number", "the certification number, also of a denial"),
    Told("HCR03", "decision.reasons", "repetitions, raw; there may be none"),
    Told("HCR04", "attached.second_opinion"),
    Row(
        "REF02",
        "previous_numbers",
        "of the header, also where a service has it",
        on=("BB",),
        take=take_number(2, "previous_numbers", is_list=True),
    ),
    Row(
        "REF02",
        "administrative_reference",
        "tracks a pend or denial; never a number of the authorization. A service's is attached",
        on=("NT",),
        take=take_number(2, "administrative_reference"),
    ),
    Row(
        "REF02",
        "other_numbers",
        "further numbers",
        on=("9F", "G1"),
        take=take_number(2, "other_numbers", is_list=True),
    ),
    Row("REF", "attached.references", "any other, as it stands", take=keep("references")),
    Row(
        "DTP03",
        "effective",
        "RD8 is both ends; D8 the first day, open until 036 ends it",
        on=("007",),
        take=days(first="effective.from", end="effective.to"),
    ),
    Row("DTP03", "effective.to", "the last day", on=("036",), take=take_expiry),
    Row(
        "DTP03",
        "requested_dates",
        "D8 is one day, never open-ended; stands in for a validity that was not sent",
        on=("472", "AAH"),
        take=period("requested_dates"),
    ),
    Row(
        "DTP03",
        "certification_date",
        "the day of issue",
        on=("102",),
        take=first_day("certification_date"),
    ),
    Row(
        "DTP03",
        "admission.date",
        "D8 or DT; of RD8 the end is the discharge",
        on=("435",),
        take=days(first="admission.date", end="admission.discharge_date"),
    ),
    Row(
        "DTP03",
        "admission.discharge_date",
        "D8 or DT",
        on=("096",),
        take=days(last="admission.discharge_date"),
    ),
    Row("DTP", "attached.dates", "any other, as it stands", take=keep("dates")),
    Row(
        "HI01 to HI12",
        "diagnoses, drg",
        "BK ABK BF ABF, then BJ ABJ PR APR: code and type; DR the group. LOI asks for information "
        "and is no diagnosis; others are kept in attached.health_codes. Of a service none is one",
        take=take_diagnoses,
    ),
    Row(
        "HSD01 to HSD08",
        "limits, days_of_week",
        "01-02 a total; with 03 a rate and its span (05-06); 04 above 1 renews every so many "
        "periods; 07 the days of the week; what cannot be counted, another pattern and a time (08) "
        "are told and kept in attached.hsd",
        take=take_hsd,
    ),
    Row("CL101", "admission.type", take=element(1, "admission.type")),
    Row("CL102", "admission.source", take=element(2, "admission.source")),
    Row("CL103", "admission.patient_status", take=element(3, "admission.patient_status")),
    Row("PWK", "attached.paperwork", take=keep("paperwork")),
    Row("CRC", "attached.conditions", take=keep("conditions")),
    *(
        Row(name, f"attached.{name.lower()}", take=keep(name.lower()))
        for name in ("CR1", "CR2", "CR4", "CR5", "CR6", "CR7", "CR8")
    ),
    Row("MSG01", "messages", "of the header, with the loop as code", take=take_message),
    Told(
        "AAA03, AAA04",
        "(a refusal)",
        "not a denial: of an event no authorization is made, a service is left out",
    ),
)

EVENT = Rows(
    *_SHARED,
    Row(
        "UM01",
        "kind",
        "SC referral, else authorization; AR sets the setting inpatient, SC with DTP*435 too",
        take=take_certification(""),
    ),
    Row(
        "TRN02",
        "trace_numbers, requester_reference",
        "all; that of TRN01 2 is the requester's own",
        take=take_trace,
    ),
)

_SERVICE_FIELDS = "procedure, modifiers, limits"
_LEVEL_OF_CARE = "attached.level_of_care"

SERVICE = Rows(
    *_SHARED,
    Row("UM01", "attached.category", take=take_certification("attached")),
    Row("TRN02", "code", "the first", take=take_trace),
    Row(
        "SV101, SV103, SV104",
        _SERVICE_FIELDS,
        "component 8 of the code ends a range; the quantity counts where there is no HSD",
        take=take_service(1, 3, 4),
    ),
    Row("SV102", "unit_price", take=element(2, "unit_price", Draft.number)),
    Row(
        "SV120",
        _LEVEL_OF_CARE,
        "a code of nursing homes, as it stands",
        take=element(20, _LEVEL_OF_CARE),
    ),
    Row("SV201", "revenue_code", take=element(1, "revenue_code")),
    Row("SV202, SV204, SV205", _SERVICE_FIELDS, "as for SV1", take=take_service(2, 4, 5)),
    Row("SV203", "unit_price", take=element(3, "unit_price", Draft.number)),
    Row("SV210", _LEVEL_OF_CARE, "as for SV120", take=element(10, _LEVEL_OF_CARE)),
    Row(
        "SV301, SV306", _SERVICE_FIELDS, "as for SV1, in units (UN)", take=take_service(1, None, 6)
    ),
    Row("SV302", "unit_price", take=element(2, "unit_price", Draft.number)),
    Row("SV304", "oral_cavity", "up to five areas", take=take_areas),
    Row(
        "TOO02, TOO03",
        "tooth, surfaces",
        "each tooth makes a line; its units are shared out where they can be",
        take=take_tooth,
    ),
)

_PEOPLE = "2010A 2010B 2010C 2010D 2010EA 2010EC 2010FA"

LEFT = (
    Left("2000A 2000B 2000C 2000D 2000E 2000F", "HL01 to HL02, HL04", "order alone"),
    Left("header", "BHT01", "the same in all"),
    Left("2000E 2000F", "UM04-3, UM05, UM07 to UM10", "causes, condition, release, delay"),
    Left("2000E 2000F", "TRN03 to TRN04", "a trace is known by its number"),
    Left("2000F", "TRN01", "the code of a line is its first trace, whoever gave it"),
    Left("2000E 2000F", "HI01-3 to HI12-9", "dates and amounts of a health code"),
    Left("2000E 2000F", "CL104, MSG02 to MSG03", "of nursing homes; the form of a text"),
    Left("2000F", "SV101-7, SV105 to SV119", "the text of a service, and what a claim says of it"),
    Left("2000F", "SV206 to SV209", "the same"),
    Left("2000F", "SV303, SV305, SV307 to SV311, TOO01", "the same"),
    Left(_PEOPLE, "N2, N3, N4, PER", "addresses and telephones"),
    Left(_PEOPLE, "NM105 to NM107, NM110 to NM112", "names and ids beyond those that are read"),
    Left("2010A 2010C 2010D 2010EC", "NM104", "of a payer; names of persons are never kept"),
    Left("2010C 2010D 2010EC", "NM103", "names of persons are never kept"),
    Left("2010A 2010B 2010C 2010D 2010EC", "NM101 to NM102", "told by the level"),
    Left("2010A 2010C 2010D 2010EC", "NM108", "the number alone tells"),
    Left("2010EC", "NM109", "who moves the patient"),
    Left(_PEOPLE, "PRV01 to PRV02, PRV04 to PRV06, REF03 to REF04", "beside the taxonomy and id"),
    Left("2010A 2010C 2010D 2010EC", "PRV03, REF01 to REF02", "no provider"),
    Left("2010C 2010D", "DMG01, DMG04 to DMG11", "beyond birth date and gender"),
    Left("2010C 2010D", "INS01, INS03 to INS17", "beyond the relationship"),
    Left("2010C", "INS02", "the relationship of a dependent"),
)
"""What a 278 has beyond the rows, and is not kept."""
