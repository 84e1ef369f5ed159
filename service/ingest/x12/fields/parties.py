"""Providers and persons (NM1 with PRV, REF, DMG), as all guides write them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from service.domain.provider import AuthorizedProvider, ClaimProvider
from service.ingest.x12.wire.elements import Elements
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Delimiters, Segment

NPI_QUALIFIER = "XX"
_TIN_QUALIFIERS = frozenset({"24", "34", "FI"})
_TIN_REFERENCES = frozenset({"EI", "SY", "TJ"})
_MEMBER_ID_CHARACTERS_MAX = 100
_OF_A_PROVIDER = frozenset({"NM1", "REF", "PRV"})
_REMEMBERED = 16_384
_NO_MARKS = Delimiters("", "", "", "")
"""None of the elements of a provider has components."""

AnyProvider = ClaimProvider | AuthorizedProvider


class Party(dict[str, Any]):
    """The fields of a provider; ``model`` is what they are in the domain, where that is known.

    The same few providers stand in most messages: they are read and checked once.
    """

    __slots__ = ("is_known", "model")

    def __init__(self, fields: Mapping[str, Any], model: AnyProvider | None = None) -> None:
        """Take the fields; lists are copied, so that each message has its own."""
        self.update(fields)
        self.model = model
        self.is_known = False
        taxonomy = fields.get("taxonomy")
        if taxonomy:
            self["taxonomy"] = [*taxonomy]


def checked_once(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document for validation: with the providers in it that were checked before."""
    return {
        name: (value.model or value) if value.__class__ is Party else value
        for name, value in document.items()
    }


def role_of(loop: Loop) -> str:
    """Give the role of a party (NM101)."""
    return loop.role or ""


def is_organization(loop: Loop) -> bool:
    """Whether a party is no person (NM102 2)."""
    return bool(loop.segments) and loop.segments[0].get(2) == "2"


def read_provider(
    elements: Elements, loop: Loop, model: type[AnyProvider] = ClaimProvider
) -> Party:
    """Read a provider: NM109 as NM108 says, REF*EI, SY or TJ, PRV03.

    An id that is neither an NPI nor a taxpayer number (46, PI, SV ...) has no field.
    """
    segments = [each for each in loop.segments if each[0][0] in _OF_A_PROVIDER]
    known = _without_fault(tuple([each[0] for each in segments]), model)
    if known is None:
        return Party(_read_provider(elements, segments))
    if known.is_known and known.model is None:
        known.model = checked(known, model).model
    known.is_known = True  # whoever comes again is worth to be checked for all that follow
    return Party(known, known.model)


@lru_cache(_REMEMBERED)
def _without_fault(written: tuple[tuple[str, ...], ...], model: type[AnyProvider]) -> Party | None:
    findings = Findings()
    segments = [Segment(each, 0, 0, _NO_MARKS) for each in written]
    fields = _read_provider(Elements(findings, ""), segments)
    if findings.problems:
        return None
    return Party(fields)


def checked(fields: Mapping[str, Any], model: type[AnyProvider]) -> Party:
    """Give a provider with what it is in the domain, where it fits."""
    try:
        return Party(fields, model.model_validate(fields))
    except ValidationError:
        return Party(fields)


def _read_provider(elements: Elements, segments: list[Segment]) -> dict[str, Any]:
    nm1 = segments[0]
    party: dict[str, Any] = {}
    qualifier, identifier = nm1.get(8).upper(), nm1.get(9)
    if qualifier == NPI_QUALIFIER:
        party["npi"] = elements.npi(identifier, nm1, 9)
    elif qualifier in _TIN_QUALIFIERS:
        party["tin"] = elements.tin(identifier, nm1, 9)
    for reference in segments:
        if reference.id != "REF":
            continue
        kind = reference.get(1).upper()
        if kind in _TIN_REFERENCES and not party.get("tin"):
            party["tin"] = elements.tin(reference.get(2), reference, 2)
        elif kind == "HPI" and not party.get("npi"):
            party["npi"] = elements.npi(reference.get(2), reference, 2)
    taxonomy = _taxonomy(elements, segments)
    if taxonomy:
        party["taxonomy"] = taxonomy
    names = [elements.text(nm1, 3), elements.text(nm1, 4)]
    party["name"] = ", ".join(filter(None, names))[:200].strip()
    return {name: value for name, value in party.items() if value}


def read_taxonomy(elements: Elements, loop: Loop) -> list[str]:
    """Read the taxonomy codes of a loop (PRV03)."""
    return _taxonomy(elements, loop.segments)


def _taxonomy(elements: Elements, segments: list[Segment]) -> list[str]:
    read = [elements.code(each, 3) for each in segments if each[0][0] == "PRV"]
    return list(dict.fromkeys(each for each in read if each))


def member_id_of(elements: Elements, nm1: Segment) -> str | None:
    """Read the id of a member (NM109): blanks are dropped, it travels in addresses."""
    text = nm1.get(9)
    if text.isalnum() and text.isascii() and len(text) <= _MEMBER_ID_CHARACTERS_MAX:
        return text
    text = "".join(text.split())
    if not text:
        return None
    usable = text.isascii() and text.isprintable() and not set(text) & set("/|\x7f")
    if not usable or len(text) > _MEMBER_ID_CHARACTERS_MAX:
        elements.note("member-id", nm1, 9)
        return None
    return text


def read_person(elements: Elements, loop: Loop) -> dict[str, str]:
    """Read birth date and gender (DMG); a masked date is left out."""
    found: dict[str, str] = {}
    dmg = loop.first("DMG")
    if dmg is None:
        return found
    if dmg.get(2):
        span = elements.span(dmg, 2, form=1)
        if span:
            found["birth_date"] = span.first
    gender = elements.code(dmg, 3)
    if gender:
        found["gender"] = gender
    return found
