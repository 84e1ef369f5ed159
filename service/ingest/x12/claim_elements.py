"""How the elements of an 837 are read that need more than being taken as they are."""

from service.ingest.x12.diagnoses import Diagnoses
from service.ingest.x12.mapping import Draft, Take
from service.ingest.x12.segment import Segment, components
from service.ingest.x12.services import read_areas, read_service

_OTHER_PAYER = "2U"
_PREDETERMINATION = "PB"
_STILL_PATIENT = "30"
_NUMBERS_MAX = 20
_EMERGENCY_ADMISSION = "1"


def take_claim_number(draft: Draft, segment: Segment) -> None:
    """Read CLM01, which may hold blanks; an id of ours may not (see ``claim_naming``)."""
    draft.notes["claim_number"] = segment.get(1)


def take_facility(draft: Draft, segment: Segment) -> None:
    """Read CLM05: code, which kind of code it is, frequency."""
    code = draft.elements.code(segment, 5, 1)
    draft.notes["facility_code"], draft.notes["facility_kind"] = code, segment.part(5, 2).upper()
    draft.notes["facility_segment"] = segment
    frequency = segment.part(5, 3).upper()
    if len(frequency) == 1 and frequency.isascii() and frequency.isalnum():
        draft.set("frequency", frequency, segment)
    elif frequency:
        # 7 and 8 take an earlier claim back: a frequency that cannot be read is not guessed.
        draft.unsure("code-invalid", segment, 5)


def take_predetermination(draft: Draft, segment: Segment) -> None:
    """Read CLM19: PB asks what would be paid, and bills nothing."""
    draft.notes["is_predetermination"] = segment.get(19).upper() == _PREDETERMINATION


def take_submitted(kind: str) -> Take:
    """Take a number that the provider put on the claim or the line, if it is of this payer."""

    def take(draft: Draft, segment: Segment) -> None:
        value = draft.elements.text(segment, 2)
        if not any(each.isascii() and each.isalnum() for each in value):
            draft.elements.note("code-invalid" if value else "element-missing", segment, 2)
            return
        parts = [*components(segment.get(4), segment.delimiters), ""]
        payer = draft.notes.get("payer_id")
        if parts[0].upper() == _OTHER_PAYER and payer and parts[1] and parts[1] != payer:
            draft.elements.note("other-payer", segment, 4)
            return
        numbers = draft.fields.setdefault("authorization_numbers", [])
        number = {"kind": kind, "value": value}
        if number not in numbers and len(numbers) < _NUMBERS_MAX:
            numbers.append(number)

    return take


def take_original(draft: Draft, segment: Segment) -> None:
    """Read REF*F8, the number of the claim that this one replaces or takes back."""
    draft.notes.setdefault("original_number", segment.get(2))


def take_statement(draft: Draft, segment: Segment) -> None:
    """Read DTP*434 (or 472 of a whole claim): the days that the claim covers."""
    span = draft.elements.span(segment, 3, form=2)
    if span is None:
        draft.is_unsure = True
        return
    draft.set("statement", {"from": span.first, "to": span.last}, segment)


def take_admission(draft: Draft, segment: Segment) -> None:
    """Read DTP*435: the day of admission."""
    span = draft.elements.span(segment, 3, form=2)
    if span is None:
        draft.is_unsure = True
        return
    draft.set("admission.date", span.first, segment)


def take_discharge(draft: Draft, segment: Segment) -> None:
    """Read DTP*096: of an 837I the hour (the day is the end of the statement), else the day."""
    if segment.get(2).upper() == "TM":
        draft.notes["is_discharged"] = True
        return
    span = draft.elements.span(segment, 3, form=2)
    if span:
        draft.set("discharge_date", span.last, segment)


def take_diagnoses(draft: Draft, segment: Segment) -> None:
    """Read HI: diagnoses in their order, and the DRG."""
    diagnoses: Diagnoses = draft.notes.setdefault("diagnoses", Diagnoses())
    diagnoses.take(draft.elements, segment)
    draft.set("drg", diagnoses.drg, segment)


def take_admission_type(draft: Draft, segment: Segment) -> None:
    """Read CL1; type 1 is an emergency, patient status 30 is not discharged."""
    for element, field in ((1, "type"), (2, "source"), (3, "patient_status")):
        draft.set(f"admission.{field}", draft.elements.code(segment, element), segment)
    if segment.get(1) == _EMERGENCY_ADMISSION:
        draft.set("emergency", True, segment)
    if segment.get(3) == _STILL_PATIENT:
        draft.notes["is_still_patient"] = True


def take_line_number(draft: Draft, segment: Segment) -> None:
    """Read LX01."""
    draft.notes["line_segment"] = segment
    text = segment.get(1)
    if text.isascii() and text.isdigit() and len(text) <= 6 and int(text) > 0:
        draft.notes["line"] = int(text)


def take_service(form: str, procedure: int) -> Take:
    """Take the procedure and the modifiers of a service line."""

    def take(draft: Draft, segment: Segment) -> None:
        draft.notes["form"] = form
        service = read_service(draft.elements, segment, procedure)
        for name in ("procedure", "code_system", "modifiers"):
            draft.set(name, service.get(name), segment)

    return take


def take_counted(element: int, field: str) -> Take:
    """Take units or a charge: what cannot be read must not be paid as if it were nothing."""

    def take(draft: Draft, segment: Segment) -> None:
        number = draft.elements.number(segment, element)
        if number is None and segment.get(element):
            draft.is_unsure = True
        draft.set(field, number, segment)

    return take


def take_dental_units(draft: Draft, segment: Segment) -> None:
    """Read SV306, a bare count; without it the service was given once."""
    if not segment.get(6):
        draft.set("units", "1", segment)
    take_counted(6, "units")(draft, segment)
    draft.set("unit", "UN", segment)


def take_pointers(element: int) -> Take:
    """Take the diagnoses that a line points to: numbers, or letters as on the paper form."""

    def take(draft: Draft, segment: Segment) -> None:
        pointers: list[int] = []
        for part in segment.parts(element):
            if len(part) == 1 and part.isascii() and part.isalpha():
                pointers.append(ord(part.upper()) - ord("A") + 1)
            elif part.isascii() and part.isdigit() and 0 < len(part) <= 2 and int(part):
                pointers.append(int(part))
            elif part:
                draft.elements.note("pointer", segment, element)
        draft.notes["pointers"] = list(dict.fromkeys(pointers))[:12]
        draft.notes["pointers_segment"] = (segment, element)

    return take


def take_emergency(draft: Draft, segment: Segment) -> None:
    """Read SV109."""
    if segment.get(9).upper() == "Y":
        draft.notes["is_emergency"] = True


def take_areas(draft: Draft, segment: Segment) -> None:
    """Read the areas of the oral cavity (SV304)."""
    draft.set("oral_cavity", read_areas(draft.elements, segment, 4), segment)


def take_service_date(draft: Draft, segment: Segment) -> None:
    """Read DTP*472: one day or a period."""
    span = draft.elements.span(segment, 3, form=2)
    if span is None:
        draft.is_unsure = True
        return
    draft.set("from", span.first, segment)
    draft.set("to", span.last, segment)
