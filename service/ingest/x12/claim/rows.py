"""What becomes of each segment of an 837 claim (2300) and service line (2400)."""

from service.ingest.x12.claim.elements import (
    Form,
    take_admission,
    take_admission_type,
    take_areas,
    take_claim,
    take_dental_units,
    take_diagnoses,
    take_discharge,
    take_line_number,
    take_original,
    take_service,
    take_service_date,
    take_statement,
    take_submitted,
)
from service.ingest.x12.fields.mapping import Row, Rows
from service.ingest.x12.fields.services import take_tooth

_CLAIM = "2300"
_LINE = "2400"

_PROFESSIONAL = Form(
    name="SV1", procedure=1, charge=2, unit=3, units=4, place=5, pointers=7, emergency=9
)
_INSTITUTIONAL = Form(name="SV2", revenue_code=1, procedure=2, charge=3, unit=4, units=5)
_DENTAL = Form(name="SV3", procedure=1, charge=2, units=6, place=3, place_component=1, pointers=11)

_NUMBERS = (("G1", "authorization"), ("9F", "referral"), ("G3", "predetermination"))
_NUMBER_RULE = "kind {}; of the line it wins. With REF04 2U of another payer it is left out"

CLAIM = Rows(
    (
        Row(
            "CLM",
            (),
            "CLM01",
            "claim_id",
            "the provider's number; what an id cannot hold is written as %20",
            take_claim,
            _CLAIM,
        ),
        Row(
            "CLM",
            (),
            "CLM05-1, CLM05-2",
            "bill_type, place_of_service",
            "837I: bill type 0, code, frequency; 837P and 837D: place of service",
            None,
            _CLAIM,
        ),
        Row("CLM", (), "CLM05-3", "frequency", "1 where it is missing", None, _CLAIM),
        Row(
            "CLM",
            (),
            "CLM19",
            "(beside the claim)",
            "PB is a predetermination: nothing is billed",
            None,
            _CLAIM,
        ),
        *(
            Row(
                "REF",
                (qualifier,),
                "REF02",
                "authorization_numbers",
                _NUMBER_RULE.format(kind),
                take_submitted(kind),
                _CLAIM,
            )
            for qualifier, kind in _NUMBERS
        ),
        Row("REF", ("F8",), "REF02", "original_claim_id", "as CLM01", take_original, _CLAIM),
        Row("DTP", ("434", "472"), "DTP03", "statement", "D8 or RD8", take_statement, _CLAIM),
        Row("DTP", ("435",), "DTP03", "admission.date", "D8 or DT", take_admission, _CLAIM),
        Row(
            "DTP",
            ("096",),
            "DTP03",
            "discharge_date",
            "D8; an hour (TM) says that the end of the statement is the day, but not with CL103 30",
            take_discharge,
            _CLAIM,
        ),
        Row(
            "HI",
            (),
            "HI01 to HI12",
            "diagnoses, drg",
            "BK ABK BF ABF in their order, then BJ ABJ PR APR; DR the group",
            take_diagnoses,
            _CLAIM,
        ),
        Row(
            "CL1",
            (),
            "CL101 to CL103",
            "admission.type, .source, .patient_status, emergency",
            "as they stand; type 1 is an emergency",
            take_admission_type,
            _CLAIM,
        ),
    ),
)

LINE = Rows(
    (
        Row(
            "LX",
            (),
            "LX01",
            "line",
            "the next free number where it is none or stands twice",
            take_line_number,
            _LINE,
        ),
        Row(
            "SV1",
            (),
            "SV101",
            "procedure, code_system, modifiers",
            "qualifier, code, modifiers",
            take_service(_PROFESSIONAL),
            _LINE,
        ),
        Row("SV1", (), "SV102", "charge", "a decimal", None, _LINE),
        Row("SV1", (), "SV103", "unit", "as it stands", None, _LINE),
        Row("SV1", (), "SV104", "units", "a decimal", None, _LINE),
        Row("SV1", (), "SV105", "place_of_service", "else that of the claim", None, _LINE),
        Row("SV1", (), "SV107", "diagnosis_pointers", "into HI", None, _LINE),
        Row("SV1", (), "SV109", "emergency", "Y on any line", None, _LINE),
        Row(
            "SV2",
            (),
            "SV201",
            "revenue_code",
            "as it stands",
            take_service(_INSTITUTIONAL),
            _LINE,
        ),
        Row("SV2", (), "SV202", "procedure, code_system, modifiers", "as SV101", None, _LINE),
        Row("SV2", (), "SV203", "charge", "a decimal", None, _LINE),
        Row("SV2", (), "SV204", "unit", "as it stands", None, _LINE),
        Row("SV2", (), "SV205", "units", "a decimal", None, _LINE),
        Row(
            "SV3",
            (),
            "SV301",
            "procedure, code_system, modifiers",
            "as SV101",
            take_service(_DENTAL),
            _LINE,
        ),
        Row("SV3", (), "SV302", "charge", "a decimal", None, _LINE),
        Row("SV3", (), "SV303", "place_of_service", "else that of the claim", None, _LINE),
        Row("SV3", (), "SV304", "oral_cavity", "up to five areas", take_areas, _LINE),
        Row("SV3", (), "SV306", "units, unit", "1 where missing; UN", take_dental_units, _LINE),
        Row("SV3", (), "SV311", "diagnosis_pointers", "into HI", None, _LINE),
        Row("TOO", (), "TOO02, TOO03", "teeth", "each with its surfaces", take_tooth, _LINE),
        Row("DTP", ("472",), "DTP03", "from, to", "D8 or RD8", take_service_date, _LINE),
        *(
            Row(
                "REF",
                (qualifier,),
                "REF02",
                "authorization_numbers",
                _NUMBER_RULE.format(kind),
                take_submitted(kind),
                _LINE,
            )
            for qualifier, kind in _NUMBERS
        ),
    ),
)
