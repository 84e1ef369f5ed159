"""What becomes of each segment of an 837 claim (2300) and service line (2400)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from service.ingest.x12.fields.mapping import Draft, Left, Row, Rows, Take, Told, days, period
from service.ingest.x12.fields.services import (
    read_service,
    take_areas,
    take_diagnoses,
    take_tooth,
)
from service.ingest.x12.wire.elements import as_number, is_number
from service.ingest.x12.wire.segment import Delimiters, Segment, components

_PAYER, _OTHER_PAYER = 4, "2U"
_PREDETERMINATION = "PB"
_STILL_PATIENT = "30"
_FACILITY = tuple(map(re.compile, ("[0-9A-Za-z]{1,2}", "[ABab]", "[0-9A-Za-z]")))
_NUMBERS_MAX = 20
_EMERGENCY_ADMISSION = "1"
_SERVICE_ELEMENTS = 11
_REMEMBERED = 1024


def take_claim(draft: Draft, segment: Segment) -> None:
    """Read CLM: CLM01 may hold blanks, which an id of ours may not (see ``written_id``).

    CLM05 is a code, which kind of code it is, and the frequency, all of them required: 7 and 8 take
    an earlier claim back, so that one that is not there, or stands elsewhere, is no original. CLM19
    PB asks what would be paid, and bills nothing.
    """
    notes = draft.notes
    notes["claim_number"] = segment.get(1)
    notes["is_predetermination"] = segment.get(19).upper() == _PREDETERMINATION
    notes["facility_segment"] = segment
    place = [*segment.parts(5), "", ""]
    for component, (text, shape) in enumerate(zip(place, _FACILITY, strict=False), start=1):
        if not shape.fullmatch(text):
            draft.unsure("code-invalid" if text else "element-missing", segment, 5, component)
    notes["facility_code"], notes["facility_kind"], frequency, *_ = map(str.upper, place)
    draft.set("frequency", frequency, segment)


def take_submitted(kind: str) -> Take:
    """Take a number that the provider put on the claim or the line, if it is of this payer."""

    def take(draft: Draft, segment: Segment) -> None:
        value = draft.text(segment, 2)
        if not is_number(value):
            draft.note("code-invalid" if value else "element-missing", segment, 2)
            return
        if len(segment.elements) > _PAYER and is_of_another(draft.notes.get("payer_id"), segment):
            draft.note("other-payer", segment, _PAYER)
            return
        numbers = draft.fields.setdefault("authorization_numbers", [])
        number = {"kind": kind, "value": value}
        if number not in numbers and len(numbers) < _NUMBERS_MAX:
            numbers.append(number)

    return take


def is_of_another(payer: str | None, segment: Segment) -> bool:
    """Whether a number is another payer's (REF04 2U)."""
    parts = [*segment.parts(_PAYER), ""]
    return bool(parts[0].upper() == _OTHER_PAYER and payer and parts[1] and parts[1] != payer)


def take_control_number(draft: Draft, segment: Segment) -> None:
    """Keep REF*6R, the control number of a line, which may be the charge that it bills."""
    draft.notes["control_number"] = segment


def take_original(draft: Draft, segment: Segment) -> None:
    """Read REF*F8, the number of the claim that this one replaces or takes back."""
    draft.notes.setdefault("original_number", segment.get(2))


def take_discharge(draft: Draft, segment: Segment) -> None:
    """Read DTP*096: of an 837I the hour (the day is the end of the statement), else the day."""
    if segment.get(2).upper() == "TM":
        draft.notes["is_discharged"] = True
        return
    span = draft.span(segment, 3, form=2)
    if span:
        draft.set("discharge_date", span.last, segment)


def take_admission_type(draft: Draft, segment: Segment) -> None:
    """Read CL1; type 1 is an emergency, patient status 30 is not discharged."""
    for element, field in ((1, "type"), (2, "source"), (3, "patient_status")):
        draft.set(f"admission.{field}", draft.code(segment, element), segment)
    if segment.get(1) == _EMERGENCY_ADMISSION:
        draft.set("emergency", True, segment)
    if segment.get(3) == _STILL_PATIENT:
        draft.notes["is_still_patient"] = True


def take_line_number(draft: Draft, segment: Segment) -> None:
    """Read LX01."""
    text = segment.get(1)
    if text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0:
        draft.notes["line"] = int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Where the elements of a service line stand (SV1, SV2, SV3); 0 is nowhere."""

    name: str
    procedure: int
    charge: int
    units: int
    unit: int = 0
    revenue_code: int = 0
    place: int = 0
    place_component: int | None = None
    pointers: int = 0
    emergency: int = 0


def take_service(form: Form) -> Take:
    """Take all of a service line but the areas of the oral cavity.

    Units or a charge that cannot be read must not be paid as if they were nothing.
    """

    def take(draft: Draft, segment: Segment) -> None:
        notes = draft.notes
        is_first = "form" not in notes
        found = draft.fields if is_first else {}
        notes["form"] = form.name
        texts = segment.texts(_SERVICE_ELEMENTS)
        if form.revenue_code and texts[form.revenue_code - 1]:
            found["revenue_code"] = draft.as_code(
                texts[form.revenue_code - 1], segment, form.revenue_code
            )
        found |= read_service(draft, segment, form.procedure)
        found.pop("to", None)
        found["charge"] = _counted(draft, texts[form.charge - 1], segment, form.charge)
        if form.unit:
            found["unit"] = draft.as_code(texts[form.unit - 1], segment, form.unit)
            found["units"] = _counted(draft, texts[form.units - 1], segment, form.units)
        if form.place and texts[form.place - 1]:
            code = draft.code(segment, form.place, form.place_component)
            found["place_of_service"] = code
        if form.pointers:
            _take_pointers(draft, texts[form.pointers - 1], segment, form.pointers)
        if form.emergency and texts[form.emergency - 1].upper() == "Y":
            notes["is_emergency"] = True
        for field in [field for field, value in found.items() if not value]:
            del found[field]
        if not is_first:
            for field, value in found.items():
                draft.put("", field, value, segment)

    return take


def _take_pointers(draft: Draft, text: str, segment: Segment, element: int) -> None:
    draft.notes["pointers"], is_readable = _pointers_of(text, segment[3])
    draft.notes["pointers_segment"] = (segment, element)
    if not is_readable:
        draft.note("pointer", segment, element)


def _counted(draft: Draft, text: str, segment: Segment, element: int) -> str | None:
    written = as_number(text) if text else None
    if text and written is None:
        draft.unsure("number-invalid", segment, element)
    return written


def take_dental_units(draft: Draft, segment: Segment) -> None:
    """Read SV306, a bare count; without it the service was given once."""
    text = segment.get(6)
    draft.put("", "units", _counted(draft, text, segment, 6) if text else "1", segment)
    draft.put("", "unit", "UN", segment)


@lru_cache(_REMEMBERED)
def _pointers_of(text: str, delimiters: Delimiters) -> tuple[tuple[int, ...], bool]:
    pointers: list[int] = []
    is_readable = True
    for part in components(text, delimiters):
        if len(part) == 1 and part.isascii() and part.isalpha():
            pointers.append(ord(part.upper()) - ord("A") + 1)
        elif part.isascii() and part.isdigit() and 0 < len(part) <= 2 and int(part):
            pointers.append(int(part))
        elif part:
            is_readable = False
    return tuple(dict.fromkeys(pointers))[:12], is_readable


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
    Told(
        "CLM05-3",
        "frequency, version",
        "a claim without it is left out: none is no original. The version is 1; of 7 and 8 it is "
        "made of the time of BHT, of ISA13 and of ST02, for they may have the number of the claim "
        "that they change",
    ),
    Told("CLM19", "(beside the claim)", "PB is a predetermination: nothing is billed"),
    *_NUMBERS,
    Row("REF02", "original_claim_id", "as CLM01", on=("F8",), take=take_original),
    Row("DTP03", "statement", "D8 or RD8", on=("434", "472"), take=period("statement")),
    Row("DTP03", "admission.date", "D8 or DT", on=("435",), take=days(first="admission.date")),
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
    Row("DTP03", "from, to", "D8 or RD8", on=("472",), take=days(first="from", last="to")),
    *_NUMBERS,
    Row(
        "REF02",
        "charge_ids",
        "as CLM01; only with AUTHMATCH_X12_CHARGE_IDS=line-control-number: it need be unique "
        "within its claim alone, and many count 1, 2, 3",
        on=("6R",),
        take=take_control_number,
    ),
)

_PROVIDERS = "2010AA 2310 2420"
_OTHERS = "1000A 1000B 2010BA 2010BB 2010CA 2330"
_ALL = f"{_PROVIDERS} {_OTHERS}"

LEFT = (
    Left("2000A 2000B 2000C", "HL01 to HL02, HL04", "order alone"),
    Left("header", "BHT01 to BHT05, REF", "the time counts for what changes a claim"),
    Left("2000A", "CUR, PRV", "the taxonomy counts where the provider names none"),
    Left("2000B", "SBR02 to SBR09", "beyond which payer it is"),
    Left("2000B 2000C", "PAT", "the patient beyond birth date and gender"),
    Left(_ALL, "N2, N3, N4, PER", "addresses and telephones"),
    Left(_ALL, "NM102, NM105 to NM107, NM110 to NM112", "names and ids beyond those that are read"),
    Left(_ALL, "PRV01 to PRV02, PRV04 to PRV06, REF03 to REF04", "beside the taxonomy and id"),
    Left(_OTHERS, "PRV03, REF01 to REF02, NM104, NM108", "no provider"),
    Left("1000A 1000B 2010BA 2010CA 2330", "NM103", "names of persons are never kept"),
    Left("1000A 1000B 2330", "NM101, NM109", "sender; the receiver where no payer is named"),
    Left("2010BA 2010CA", "DMG01, DMG04 to DMG11", "beyond birth date and gender"),
    Left("2300", "CLM02 to CLM04, CLM06 to CLM18, CLM20", "the total, signatures, causes, delay"),
    Left("2300", "CLM19", "PB alone is read"),
    Left("2300", "HI01-3 to HI12-9, CL104", "dates and amounts of a health code"),
    Left("2300 2400", "REF03 to REF04", "beyond the number; REF04 2U names its payer"),
    Left("2300 2400", "PWK, CN1, AMT, K3, NTE, QTY, HCP", "papers, contracts, notes, prices"),
    Left("2300 2400", "CR1, CR3, CR5, CRC", "ambulance, equipment, oxygen, conditions"),
    Left("2300", "CR2, CR6, DN1, DN2, DSB", "spine, home health, orthodontics, disability"),
    Left("2400", "LX02, MEA, PS1, HSD, SV5, TOO01", "measures, purchased services, equipment"),
    Left("2400", "SV101-7 to SV101-8, SV106, SV108, SV110 to SV116", "beyond what is matched"),
    Left("2400", "SV202-7, SV206 to SV210", "the same"),
    Left("2400", "SV301-7, SV305, SV307 to SV310", "the same"),
    Left("2410", "LIN01 to LIN02, LIN04 to LIN05, CTP, REF", "of a drug beyond its code"),
    Left("2320", "SBR, CAS, AMT, DMG, OI, MIA, MOA, DTP, REF", "other payers"),
    Left("2430 2440", "SVD, CAS, DTP, AMT, LQ, FRM", "what other payers paid; forms"),
)
"""What an 837 has beyond the rows, and is not kept."""
