"""The tooth and the surfaces that a line is for."""

from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import Coding, codings
from service.ingest.fhir.reading.case import Item

SURFACES_MAX = 10

_UNIVERSAL = ("adauniversaltooth", "2.16.840.1.113883.6.282")
_TWO_DIGITS = ("ex-tooth", "3950")
_FIRST_OF_QUADRANT = {1: (8, -1), 2: (9, 1), 3: (24, -1), 4: (25, 1)}
_PRIMARY = {5: ("E", -1), 6: ("F", 1), 7: ("O", -1), 8: ("P", 1)}


def tooth(item: Item) -> str | None:
    """Read the tooth, in the numbering that claims use here (Universal); 26 of ISO 3950 is 14."""
    node = item.added.get("bodySite") or item.asked.get("bodySite")
    found = codings(node)
    found.sort(key=lambda each: not _is(each, _UNIVERSAL))
    for each in found:
        written = universal(each.code) if _is(each, _TWO_DIGITS) else each.code
        known = not each.system or _is(each, _UNIVERSAL) or _is(each, _TWO_DIGITS)
        if known and written:
            return primitives.code(Node(written, each.node.path, each.node.root), item.case.issues)
    if node:
        message = "not a tooth of the Universal numbering or of ISO 3950: left out"
        item.case.issues.warn(node, "value-invalid", message)
    return None


def surfaces(item: Item) -> list[str]:
    """Read the surfaces, each letter for itself: MOD stands for three."""
    nodes = item.added.many("subSite") or item.asked.many("subSite")
    read = [primitives.concept_code(each, item.case.issues) for each in nodes]
    return item.case.capped("".join(filter(None, read)), SURFACES_MAX, item.node)


def universal(two_digits: str) -> str | None:
    """Give the Universal number of a tooth of ISO 3950: quadrant, then place from the middle."""
    if len(two_digits) != 2 or not (two_digits.isascii() and two_digits.isdigit()):
        return None
    quadrant, place = int(two_digits[0]), int(two_digits[1])
    if quadrant in _FIRST_OF_QUADRANT and 1 <= place <= 8:
        first, step = _FIRST_OF_QUADRANT[quadrant]
        return str(first + step * (place - 1))
    if quadrant in _PRIMARY and 1 <= place <= 5:
        letter, step = _PRIMARY[quadrant]
        return chr(ord(letter) + step * (place - 1))
    return None


def _is(coding: Coding, systems: tuple[str, ...]) -> bool:
    return any(each in coding.system.lower() for each in systems)
