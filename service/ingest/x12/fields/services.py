"""The service of a line and the diagnoses behind it, as all guides write them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from service.domain import codes
from service.ingest.x12.fields.mapping import Draft
from service.ingest.x12.wire.elements import Elements, is_code
from service.ingest.x12.wire.segment import Delimiters, Segment, components

SYSTEMS = {"HC": "HCPCS", "AD": "CDT", "N4": "NDC"}
_MODIFIERS = slice(2, 6)
_RANGE_END = 8
_CODES = range(2, 7)
_QUALIFIER_CHARACTERS_MAX = 2
_CACHED = 16_384
_CODE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.\-_]*[0-9A-Za-z])?")

_BILLED = frozenset({"ABK", "BK", "ABF", "BF"})
"""Principal and other diagnoses: what a service line points to, in their order."""

_FURTHER = frozenset({"ABJ", "BJ", "APR", "PR"})
"""Diagnosis at admission, and the patient's reason for the visit."""

_READ = _BILLED | _FURTHER | {"DR"}
_ITEMS_MAX = 12
_DIAGNOSES_MAX = 50

Service = dict[str, Any]


def read_service(draft: Draft, segment: Segment, element: int) -> Service:
    """Read a composite medical procedure: code, system, modifiers, end of a range.

    Components: qualifier, code, four modifiers, description, last code of a range. One without a
    code that can be kept leaves the draft unsure: it must not become any service.
    """
    text = segment.get(element)
    if not text:
        return {}
    service, faults = _parsed(text, segment.delimiters)
    for code, component in faults:
        draft.note(code, segment, element, component)
    draft.is_unsure |= not service
    return {**service, "modifiers": list(service["modifiers"])} if service else {}


@lru_cache(_CACHED)
def _parsed(text: str, delimiters: Delimiters) -> tuple[Service, tuple[tuple[str, int], ...]]:
    """Read a composite once: the same ones come again and again in a file."""
    given = components(text, delimiters)
    # Only one component, and longer than a qualifier: a code without one.
    is_bare = len(given) == 1 and len(given[0]) > _QUALIFIER_CHARACTERS_MAX
    parts = ["", *given] if is_bare else given
    parts = [*parts, *[""] * (_RANGE_END - len(parts))]
    faults = [
        ("code-invalid", place)
        for place in (*_CODES, _RANGE_END)
        if parts[place - 1] and not _is_code(parts[place - 1])
    ]
    codes_ = [each.upper() if _is_code(each) else "" for each in parts]
    procedure, last = codes_[1], codes_[_RANGE_END - 1]
    if not procedure:
        return {}, tuple(faults or [("element-missing", 2)])
    service: Service = {"procedure": procedure}
    system = parts[0].upper()
    if 0 < len(system) <= _QUALIFIER_CHARACTERS_MAX:
        service["code_system"] = SYSTEMS.get(system, system)
    service["modifiers"] = list(dict.fromkeys(filter(None, codes_[_MODIFIERS])))
    if last and last != procedure:
        if _is_range(procedure, last, service.get("code_system")):
            service["to"] = last
        else:
            faults.append(("range-invalid", _RANGE_END))
    return service, tuple(faults)


def _is_code(text: str) -> bool:
    """Whether a text is one code, and not several that another separator holds together."""
    return bool(_CODE.fullmatch(text)) and is_code(text)


def _is_range(first: str, last: str, system: str | None) -> bool:
    start, end = codes.bare(first), codes.bare(last)
    shape = codes.procedure_shape(start, system)
    return start < end and shape == codes.procedure_shape(end, system)


def take_tooth(draft: Draft, segment: Segment) -> None:
    """Read a tooth (TOO02) and its surfaces (TOO03)."""
    tooth = draft.code(segment, 2)
    if tooth is None:
        if not segment.get(2):
            draft.note("element-missing", segment, 2)
        return
    surfaces = [draft.as_code(each, segment, 3) for each in segment.parts(3) if each]
    found: dict[str, Any] = {"tooth": tooth}
    if any(surfaces):
        found["surfaces"] = list(dict.fromkeys(each for each in surfaces if each))[:10]
    teeth = draft.notes.setdefault("teeth", [])
    if found not in teeth:
        teeth.append(found)


def take_areas(draft: Draft, segment: Segment) -> None:
    """Read areas of the oral cavity (SV304), components or repetitions of one element."""
    read = (
        draft.as_code(part, segment, 4)
        for repeated in segment.repeats(4)
        for part in components(repeated, segment.delimiters)
        if part
    )
    draft.set("oral_cavity", list(dict.fromkeys(filter(None, read)))[:5], segment)


@dataclass(slots=True)
class Diagnoses:
    """What the HI segments of a loop say; ``others`` are kept as they stand."""

    billed: list[dict[str, str]] = field(default_factory=list)
    further: list[dict[str, str]] = field(default_factory=list)
    drg: str | None = None
    others: list[list[str]] = field(default_factory=list)

    @property
    def all(self) -> list[dict[str, str]]:
        """The diagnoses, up to a number, those first to which a line may point."""
        if not self.further:
            return self.billed[:_DIAGNOSES_MAX]
        known = {codes.bare(each["code"]) for each in self.billed}
        further = [each for each in self.further if codes.bare(each["code"]) not in known]
        return [*self.billed, *further][:_DIAGNOSES_MAX]

    def take(self, elements: Elements, segment: Segment) -> None:
        """Read one HI segment: up to twelve composites of a qualifier and a code."""
        marks = segment.delimiters
        for number, text in enumerate(segment.elements[1 : _ITEMS_MAX + 1], start=1):
            if marks.repetition and marks.repetition in text:
                for repeated in segment.repeats(number):
                    self._item(elements, segment, number, components(repeated, marks))
            elif text.strip(" "):
                self._item(elements, segment, number, components(text.strip(" "), marks))

    def _item(self, elements: Elements, segment: Segment, number: int, parts: list[str]) -> None:
        qualifier = parts[0].upper()
        if qualifier not in _READ:
            self.others.append([each[:30] for each in parts])
            return
        code = elements.as_code(parts[1] if len(parts) > 1 else "", segment, number, 2)
        if code is None:
            elements.note("element-missing", segment, number, 2)
        elif qualifier == "DR":
            self.drg = self.drg or code
        else:
            into = self.billed if qualifier in _BILLED else self.further
            into.append({"code": code, "type": qualifier})


def take_diagnoses(draft: Draft, segment: Segment) -> None:
    """Read HI: diagnoses in their order, and the DRG; a LOINC qualifier is no diagnosis."""
    diagnoses: Diagnoses = draft.notes.setdefault("diagnoses", Diagnoses())
    diagnoses.take(draft, segment)
    draft.set("drg", diagnoses.drg, segment)
