"""What becomes of each segment of a 278 event (2000E) and of its services (2000F)."""

from service.ingest.x12.fields.mapping import Row, Rows, Told, code, days, first_day, keep, number
from service.ingest.x12.fields.quantities import take_hsd
from service.ingest.x12.fields.services import take_areas, take_diagnoses, take_tooth
from service.ingest.x12.review.elements import (
    take_admission,
    take_certification,
    take_decision,
    take_expiry,
    take_further_number,
    take_message,
    take_number,
    take_refusal,
    take_requested_dates,
    take_service,
    take_trace,
    take_validity,
)

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
        take=take_further_number("previous_numbers"),
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
        take=take_further_number("other_numbers"),
    ),
    Row("REF", "attached.references", "any other, as it stands", take=keep("references")),
    Row(
        "DTP03",
        "effective",
        "RD8 is both ends; D8 the first day, open until 036 ends it",
        on=("007",),
        take=take_validity,
    ),
    Row("DTP03", "effective.to", "the last day", on=("036",), take=take_expiry),
    Row(
        "DTP03",
        "requested_dates",
        "D8 is one day, never open-ended; stands in for a validity that was not sent",
        on=("472", "AAH"),
        take=take_requested_dates,
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
        take=take_admission,
    ),
    Row(
        "DTP03",
        "admission.discharge_date",
        "D8 or DT",
        on=("096",),
        take=days("admission.discharge_date"),
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
        "HSD01 to HSD06",
        "limits",
        "01-02 a total; with 03 a rate and its span (05-06); 04 above 1 renews every so many "
        "periods; what cannot be counted is kept in attached.hsd",
        take=take_hsd,
    ),
    Row("CL101", "admission.type", take=code(1, "admission.type")),
    Row("CL102", "admission.source", take=code(2, "admission.source")),
    Row("CL103", "admission.patient_status", take=code(3, "admission.patient_status")),
    Row("PWK", "attached.paperwork", take=keep("paperwork")),
    Row("CRC", "attached.conditions", take=keep("conditions")),
    *(
        Row(name, f"attached.{name.lower()}", take=keep(name.lower()))
        for name in ("CR1", "CR2", "CR4", "CR5", "CR6", "CR7", "CR8")
    ),
    Row("MSG01", "messages", "of the header, with the loop as code", take=take_message),
    Row(
        "AAA03, AAA04",
        "(a refusal)",
        "not a denial: of an event no authorization is made, a service is left out",
        take=take_refusal,
    ),
)

EVENT = Rows(
    *_SHARED,
    Row(
        "UM01",
        "kind",
        "SC referral, else authorization; AR sets the setting inpatient",
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
    Row("SV102", "unit_price", take=number(2, "unit_price")),
    Row(
        "SV120",
        _LEVEL_OF_CARE,
        "a code of nursing homes, as it stands",
        take=code(20, _LEVEL_OF_CARE),
    ),
    Row("SV201", "revenue_code", take=code(1, "revenue_code")),
    Row("SV202, SV204, SV205", _SERVICE_FIELDS, "as for SV1", take=take_service(2, 4, 5)),
    Row("SV203", "unit_price", take=number(3, "unit_price")),
    Row("SV210", _LEVEL_OF_CARE, "as for SV120", take=code(10, _LEVEL_OF_CARE)),
    Row(
        "SV301, SV306", _SERVICE_FIELDS, "as for SV1, in units (UN)", take=take_service(1, None, 6)
    ),
    Row("SV302", "unit_price", take=number(2, "unit_price")),
    Row("SV304", "oral_cavity", "up to five areas", take=take_areas),
    Row(
        "TOO02, TOO03",
        "tooth, surfaces",
        "each tooth makes a line; its units are shared out where they can be",
        take=take_tooth,
    ),
)
