"""How the elements of an 837 are read that need more than being taken as they are."""

from dataclasses import dataclass
from functools import lru_cache

from service.ingest.x12.fields.mapping import Draft, Take, dated
from service.ingest.x12.fields.services import take_procedure
from service.ingest.x12.wire.elements import Span, as_number, is_number
from service.ingest.x12.wire.segment import Delimiters, Segment, components

_PAYER, _OTHER_PAYER = 4, "2U"
_PREDETERMINATION = "PB"
_STILL_PATIENT = "30"
_NUMBERS_MAX = 20
_EMERGENCY_ADMISSION = "1"
_SERVICE_ELEMENTS = 11
_REMEMBERED = 1024


def take_claim(draft: Draft, segment: Segment) -> None:
    """Read CLM: CLM01 may hold blanks, which an id of ours may not (see ``claim_naming``).

    CLM05 is a code, which kind of code it is, and the frequency; CLM19 PB asks what would be paid,
    and bills nothing.
    """
    notes = draft.notes
    notes["claim_number"] = segment.get(1)
    place = [*segment.parts(5), "", ""]
    notes["facility_code"] = draft.as_code(place[0], segment, 5, 1)
    notes["facility_kind"] = place[1].upper()
    notes["facility_segment"] = segment
    notes["is_predetermination"] = segment.get(19).upper() == _PREDETERMINATION
    frequency = place[2].upper()
    if len(frequency) == 1 and frequency.isascii() and frequency.isalnum():
        draft.set("frequency", frequency, segment)
    elif frequency:
        # 7 and 8 take an earlier claim back: a frequency that cannot be read is not guessed.
        draft.unsure("code-invalid", segment, 5)


def take_submitted(kind: str) -> Take:
    """Take a number that the provider put on the claim or the line, if it is of this payer."""

    def take(draft: Draft, segment: Segment) -> None:
        value = draft.text(segment, 2)
        if not is_number(value):
            draft.note("code-invalid" if value else "element-missing", segment, 2)
            return
        if len(segment.elements) > _PAYER and _is_of_another(draft.notes.get("payer_id"), segment):
            draft.note("other-payer", segment, _PAYER)
            return
        numbers = draft.fields.setdefault("authorization_numbers", [])
        number = {"kind": kind, "value": value}
        if number not in numbers and len(numbers) < _NUMBERS_MAX:
            numbers.append(number)

    return take


def _is_of_another(payer: str | None, segment: Segment) -> bool:
    parts = [*segment.parts(_PAYER), ""]
    return bool(parts[0].upper() == _OTHER_PAYER and payer and parts[1] and parts[1] != payer)


def take_original(draft: Draft, segment: Segment) -> None:
    """Read REF*F8, the number of the claim that this one replaces or takes back."""
    draft.notes.setdefault("original_number", segment.get(2))


@dated
def take_statement(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*434 (or 472 of a whole claim): the days that the claim covers."""
    draft.set("statement", {"from": span.first, "to": span.last}, segment)


@dated
def take_admission(draft: Draft, segment: Segment, span: Span) -> None:
    """Read DTP*435: the day of admission."""
    draft.set("admission.date", span.first, segment)


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

    name, procedure, charge, unit, units = (
        form.name, form.procedure, form.charge, form.unit, form.units
    )  # fmt: skip
    revenue_code, place, pointers, emergency = (
        form.revenue_code, form.place, form.pointers, form.emergency
    )  # fmt: skip

    def take(draft: Draft, segment: Segment) -> None:
        notes = draft.notes
        is_first = "form" not in notes
        found = draft.fields if is_first else {}
        notes["form"] = name
        texts = segment.texts(_SERVICE_ELEMENTS)
        if revenue_code and texts[revenue_code - 1]:
            found["revenue_code"] = draft.as_code(texts[revenue_code - 1], segment, revenue_code)
        take_procedure(draft, segment, procedure, found)
        found["charge"] = _counted(draft, texts[charge - 1], segment, charge)
        if unit:
            found["unit"] = draft.as_code(texts[unit - 1], segment, unit)
            found["units"] = _counted(draft, texts[units - 1], segment, units)
        if place and texts[place - 1]:
            code = draft.code(segment, place, form.place_component)
            found["place_of_service"] = code
        if pointers:
            _take_pointers(draft, texts[pointers - 1], segment, pointers)
        if emergency and texts[emergency - 1].upper() == "Y":
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
