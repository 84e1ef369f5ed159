"""Providers and persons (NM1 with PRV, REF, DMG), as all guides write them."""

from typing import Any

from service.ingest.x12.elements import Elements
from service.ingest.x12.loops import Loop
from service.ingest.x12.segment import Segment

NPI_QUALIFIER = "XX"
_TIN_QUALIFIERS = frozenset({"24", "34", "FI"})
_TIN_REFERENCES = frozenset({"EI", "SY", "TJ"})
_MEMBER_ID_CHARACTERS_MAX = 100

Party = dict[str, Any]


def role_of(loop: Loop) -> str:
    """Give the role of a party (NM101)."""
    return loop.segments[0].get(1).upper() if loop.segments else ""


def is_organization(loop: Loop) -> bool:
    """Whether a party is no person (NM102 2)."""
    return bool(loop.segments) and loop.segments[0].get(2) == "2"


def read_provider(elements: Elements, loop: Loop) -> Party:
    """Read a provider: NM109 as NM108 says, REF*EI, SY or TJ, PRV03.

    An id that is neither an NPI nor a taxpayer number (46, PI, SV ...) has no field.
    """
    nm1 = loop.segments[0]
    party: Party = {}
    qualifier, identifier = nm1.get(8).upper(), nm1.get(9)
    if qualifier == NPI_QUALIFIER:
        party["npi"] = elements.npi(identifier, nm1, 9)
    elif qualifier in _TIN_QUALIFIERS:
        party["tin"] = elements.tin(identifier, nm1, 9)
    for reference in loop.all("REF"):
        kind = reference.get(1).upper()
        if kind in _TIN_REFERENCES and not party.get("tin"):
            party["tin"] = elements.tin(reference.get(2), reference, 2)
        elif kind == "HPI" and not party.get("npi"):
            party["npi"] = elements.npi(reference.get(2), reference, 2)
    taxonomy = read_taxonomy(elements, loop)
    if taxonomy:
        party["taxonomy"] = taxonomy
    names = [elements.text(nm1, 3), elements.text(nm1, 4)]
    party["name"] = ", ".join(filter(None, names))[:200].strip()
    return {name: value for name, value in party.items() if value}


def read_taxonomy(elements: Elements, loop: Loop) -> list[str]:
    """Read the taxonomy codes of a loop (PRV03)."""
    read = (elements.code(each, 3) for each in loop.all("PRV"))
    return list(dict.fromkeys(each for each in read if each))


def member_id_of(elements: Elements, nm1: Segment) -> str | None:
    """Read the id of a member (NM109): blanks are dropped, it travels in addresses."""
    text = "".join(nm1.get(9).split())
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
