"""What becomes of each segment of an 837 claim (2300) and service line (2400)."""

from service.ingest.x12.claim.elements import (
    Form,
    take_admission,
    take_admission_type,
    take_claim,
    take_dental_units,
    take_discharge,
    take_line_number,
    take_original,
    take_service,
    take_statement,
    take_submitted,
)
from service.ingest.x12.fields.mapping import Row, Rows, Told, days
from service.ingest.x12.fields.services import take_areas, take_diagnoses, take_tooth

_PROFESSIONAL = Form(
    name="SV1", procedure=1, charge=2, unit=3, units=4, place=5, pointers=7, emergency=9
)
_INSTITUTIONAL = Form(name="SV2", revenue_code=1, procedure=2, charge=3, unit=4, units=5)
_DENTAL = Form(name="SV3", procedure=1, charge=2, units=6, place=3, place_component=1, pointers=11)

_NUMBERS = tuple(
    Row(
        "REF02",
        "authorization_numbers",
        f"kind {kind}; of the line it wins. With REF04 2U of another payer it is left out",
        on=(qualifier,),
        take=take_submitted(kind),
    )
    for qualifier, kind in (("G1", "authorization"), ("9F", "referral"), ("G3", "predetermination"))
)
_PROCEDURE = "procedure, code_system, modifiers"

CLAIM = Rows(
    Row(
        "CLM01",
        "claim_id",
        "the provider's number; what an id cannot hold is written as %20",
        take=take_claim,
    ),
    Told(
        "CLM05-1, CLM05-2",
        "bill_type, place_of_service",
        "837I: bill type 0, code, frequency; 837P and 837D: place of service",
    ),
    Told("CLM05-3", "frequency", "1 where it is missing"),
    Told("CLM19", "(beside the claim)", "PB is a predetermination: nothing is billed"),
    *_NUMBERS,
    Row("REF02", "original_claim_id", "as CLM01", on=("F8",), take=take_original),
    Row("DTP03", "statement", "D8 or RD8", on=("434", "472"), take=take_statement),
    Row("DTP03", "admission.date", "D8 or DT", on=("435",), take=take_admission),
    Row(
        "DTP03",
        "discharge_date",
        "D8; an hour (TM) says that the end of the statement is the day, but not with CL103 30",
        on=("096",),
        take=take_discharge,
    ),
    Row(
        "HI01 to HI12",
        "diagnoses, drg",
        "BK ABK BF ABF in their order, then BJ ABJ PR APR; DR the group",
        take=take_diagnoses,
    ),
    Row(
        "CL101 to CL103",
        "admission.type, .source, .patient_status, emergency",
        "as they stand; type 1 is an emergency",
        take=take_admission_type,
    ),
)

LINE = Rows(
    Row(
        "LX01",
        "line",
        "the next free number where it is none or stands twice",
        take=take_line_number,
    ),
    Row("SV101", _PROCEDURE, "qualifier, code, modifiers", take=take_service(_PROFESSIONAL)),
    Told("SV102", "charge", "a decimal"),
    Told("SV103", "unit"),
    Told("SV104", "units", "a decimal"),
    Told("SV105", "place_of_service", "else that of the claim"),
    Told("SV107", "diagnosis_pointers", "into HI"),
    Told("SV109", "emergency", "Y on any line"),
    Row("SV201", "revenue_code", take=take_service(_INSTITUTIONAL)),
    Told("SV202", _PROCEDURE, "as SV101"),
    Told("SV203", "charge", "a decimal"),
    Told("SV204", "unit"),
    Told("SV205", "units", "a decimal"),
    Row("SV301", _PROCEDURE, "as SV101", take=take_service(_DENTAL)),
    Told("SV302", "charge", "a decimal"),
    Told("SV303", "place_of_service", "else that of the claim"),
    Row("SV304", "oral_cavity", "up to five areas", take=take_areas),
    Row("SV306", "units, unit", "1 where missing; UN", take=take_dental_units),
    Told("SV311", "diagnosis_pointers", "into HI"),
    Row("TOO02, TOO03", "teeth", "each with its surfaces", take=take_tooth),
    Row("DTP03", "from, to", "D8 or RD8", on=("472",), take=days("from", "to")),
    *_NUMBERS,
)
