"""What a line is for: the service that it names, its diagnoses, its tooth."""

from dataclasses import dataclass, replace

from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import Coding, codings
from service.ingest.fhir.reading._case import Case, Item

DIAGNOSES_MAX = 50
SURFACES_MAX = 10

_PRINCIPAL, _ADMITTING, _OTHER, _REASON = "ABK", "ABJ", "ABF", "APR"
_TYPES = {
    "PRINCIPAL": _PRINCIPAL,
    "ADMITTING": _ADMITTING,
    "PATIENTREASONFORVISIT": _REASON,
    "BK": "BK",
    "BF": "BF",
    "BJ": "BJ",
    **{each: each for each in (_PRINCIPAL, _ADMITTING, _OTHER, _REASON)},
}
_ICD9 = {_PRINCIPAL: "BK", _ADMITTING: "BJ", _OTHER: "BF", _REASON: "PR"}
_INFORMATION_WANTED = "LOI"

_UNIVERSAL = ("adauniversaltooth", "2.16.840.1.113883.6.282")
_TWO_DIGITS = ("ex-tooth", "3950")
_FIRST_OF_QUADRANT = {1: (8, -1), 2: (9, 1), 3: (24, -1), 4: (25, 1)}
_PRIMARY = {5: ("E", -1), 6: ("F", 1), 7: ("O", -1), 8: ("P", 1)}


@dataclass(frozen=True, slots=True)
class Named:
    """What one part of the document says of the service."""

    service: terms.Service
    end: Node
    modifiers: list[Node]
    revenue: Node

    def __bool__(self) -> bool:
        return bool(self.service or self.revenue)


def named(item: Item) -> Named:
    """What the first part that names a service says: added item, detail, request.

    Range end and modifiers are of the same part: one part's code with another's modifier would be a
    service that nobody asked for.
    """
    added, detail, asked = item.added, item.detail, item.asked
    parts = (
        (
            added.get("productOrService"),
            added.extension("productOrServiceCodeEnd"),
            added.many("modifier"),
            added.extension("revenueCode") or added.get("revenue"),
        ),
        (
            detail.extension("productOrServiceCode"),
            detail.extension("productOrServiceCodeEnd"),
            [each.choice("value") for each in detail.extensions("modifier")],
            detail.extension("revenue") or detail.extension("revenueCode"),
        ),
        (
            asked.get("productOrService"),
            asked.extension("productOrServiceCodeEnd") or asked.extension("productOrServiceEnd"),
            asked.many("modifier"),
            asked.get("revenue"),
        ),
    )
    all_named = (
        Named(terms.service(concept), end, modifiers, revenue)
        for concept, end, modifiers, revenue in parts
    )
    return next(filter(None, all_named), Named(terms.Service(), NOTHING, [], NOTHING))


def diagnoses(item: Item) -> list[dict[str, str]]:
    """Read the diagnoses of the line: those that the request points to, and communicated ones."""
    by_number = dict(primitives.numbered(item.case.request.many("diagnosis")))
    pointed = [primitives.sequence(each) for each in item.asked.many("diagnosisSequence")]
    read = [diagnosis(item.case, by_number[each]) for each in pointed if each in by_number]
    for each in item.answer.extensions("communicatedDiagnosis"):
        read.append(_coded(each.choice("value"), None))
    return _distinct(read)


def all_diagnoses(case: Case) -> list[dict[str, str]]:
    """Read the diagnoses of the request, by their number."""
    found = case.request.many("diagnosis")
    found.sort(key=lambda each: primitives.sequence(each.get("sequence")) or 0)
    return _distinct([diagnosis(case, each) for each in found])


def diagnosis(case: Case, node: Node) -> dict[str, str] | None:
    """Read a diagnosis of a Claim, coded or as a Condition; a request for information is none."""
    types = [
        each.code.upper().replace("-", "") for kind in node.many("type") for each in codings(kind)
    ]
    if _INFORMATION_WANTED in types:
        return None
    concept = node.get("diagnosisCodeableConcept")
    if not concept and node.has("diagnosisReference"):
        concept = case.documents.resolve(node.get("diagnosisReference")).get("code")
    return _coded(concept, next((_TYPES[each] for each in types if each in _TYPES), None))


def drg(case: Case) -> str | None:
    """Read the diagnosis-related group: of a diagnosis, or one that stands as one."""
    for each in case.request.many("diagnosis"):
        for concept in (each.get("packageCode"), each.get("diagnosisCodeableConcept")):
            for coding in codings(concept):
                if terms.kind_of(coding.system) == "DRG" or concept.path[-1] == "packageCode":
                    return primitives.code_of(coding)
    return None


def _coded(concept: Node, type_: str | None) -> dict[str, str] | None:
    usable = [each for each in codings(concept) if terms.kind_of(each.system) != "DRG"]
    usable.sort(key=lambda each: "icd-10" not in each.system.lower())
    if not usable:
        return None
    first = usable[0]
    read = primitives.code_of(first)
    if read is None:
        return None
    if type_ and ("icd-9" in first.system.lower() or first.system.endswith("6.103")):
        type_ = _ICD9.get(type_, type_)
    return {"code": read, **({"type": type_} if type_ else {})}


def _distinct(read: list[dict[str, str] | None]) -> list[dict[str, str]]:
    """Each code once, as many as the model takes."""
    by_code: dict[str, dict[str, str]] = {}
    for each in read:
        if each:
            by_code.setdefault(each["code"], each)
    return list(by_code.values())[:DIAGNOSES_MAX]


def tooth(item: Item) -> str | None:
    """Read the tooth, in the numbering that claims use here (Universal); 26 of ISO 3950 is 14."""
    node = item.added.get("bodySite") or item.asked.get("bodySite")
    found = codings(node)
    found.sort(key=lambda each: not _is(each, _UNIVERSAL))
    for each in found:
        written = universal(each.code) if _is(each, _TWO_DIGITS) else each.code
        known = not each.system or _is(each, _UNIVERSAL) or _is(each, _TWO_DIGITS)
        if known and written:
            return primitives.code(replace(each.node, value=written))
    if node:
        message = "not a tooth of the Universal numbering or of ISO 3950: left out"
        node.warn("value-invalid", message)
    return None


def surfaces(item: Item) -> list[str]:
    """Read the surfaces, each letter for itself: MOD stands for three."""
    nodes = item.added.many("subSite") or item.asked.many("subSite")
    read = [primitives.concept_code(each) for each in nodes]
    return primitives.capped("".join(filter(None, read)), SURFACES_MAX, item.node)


def universal(two_digits: str) -> str | None:
    """The Universal number of a tooth of ISO 3950: quadrant, then place from the middle."""
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
