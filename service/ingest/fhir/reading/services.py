"""What a line is for: the service with its range, modifiers and places, and its diagnoses."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from service.domain.authorization import Procedure
from service.ingest.fhir.base import primitives, terms
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import codings
from service.ingest.fhir.reading.case import Case, Item

MODIFIERS_MAX = 8
DIAGNOSES_MAX = 50

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
    """Give what the first part that names a service says: added item, detail, request.

    Range end and modifiers are of the same part: one part's code with another's modifier would be a
    service that nobody asked for.
    """
    issues, added, detail, asked = item.case.issues, item.added, item.detail, item.asked
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
        Named(terms.service(concept, issues), end, modifiers, revenue)
        for concept, end, modifiers, revenue in parts
    )
    return next(filter(None, all_named), Named(terms.Service(), Node(None), [], Node(None)))


def procedure(item: Item) -> dict[str, Any] | None:
    """Read the procedure, and the last one of a range where the two make one."""
    found = named(item)
    if found.service.procedure is None:
        return None
    read: dict[str, Any] = {"from": found.service.procedure}
    if found.service.code_system:
        read["code_system"] = found.service.code_system
    last = terms.service(found.end, item.case.issues).procedure
    if last is None:
        return read
    try:
        Procedure.model_validate(read | {"to": last})
    except ValidationError:
        message = "no end of a range that begins with the code of the item: left out"
        item.case.issues.warn(found.end, "value-invalid", message)
        return read
    return read | {"to": last}


def modifiers(item: Item) -> list[str]:
    """Read the modifiers."""
    found = named(item).modifiers
    codes = (primitives.concept_code(each, item.case.issues) for each in found)
    return item.case.capped(codes, MODIFIERS_MAX, item.node)


def revenue_code(item: Item) -> str | None:
    """Read the revenue code: its own, or one that stands as the service."""
    found = named(item)
    return primitives.concept_code(found.revenue, item.case.issues) or found.service.revenue_code


def service_type(item: Item) -> str | None:
    """Read the type of service: a category, or one that stands as the service."""
    issues = item.case.issues
    category = item.added.extension("itemCategory") or item.asked.get("category")
    return named(item).service.service_type or primitives.concept_code(category, issues)


def place(item: Item) -> dict[str, str]:
    """Read where: place of service or bill type."""
    for part in (item.added, item.asked):
        found = terms.place(
            part.choice("location"),
            item.case.issues,
            is_institutional=item.case.is_institutional,
        )
        if found:
            return found
    return {}


def diagnoses(item: Item) -> list[dict[str, str]]:
    """Read the diagnoses of the line: those that the request points to, and communicated ones."""
    by_number = {
        primitives.sequence(each.get("sequence")) or at: each
        for at, each in enumerate(item.case.request.many("diagnosis"), start=1)
    }
    pointed = [primitives.sequence(each) for each in item.asked.many("diagnosisSequence")]
    read = [diagnosis(item.case, by_number[each]) for each in pointed if each in by_number]
    for each in item.answer.extensions("communicatedDiagnosis"):
        read.append(_coded(item.case, each.choice("value"), None))
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
        condition = case.resolve(node.get("diagnosisReference"))
        concept = condition.get("code") if condition else concept
    return _coded(case, concept, next((_TYPES[each] for each in types if each in _TYPES), None))


def drg(case: Case) -> str | None:
    """Read the diagnosis-related group: of a diagnosis, or one that stands as one."""
    for each in case.request.many("diagnosis"):
        for concept in (each.get("packageCode"), each.get("diagnosisCodeableConcept")):
            for coding in codings(concept):
                if terms.kind_of(coding.system) == "DRG" or concept.path[-1] == "packageCode":
                    return primitives.code(Node(coding.code, coding.node.path), case.issues)
    return None


def _coded(case: Case, concept: Node, type_: str | None) -> dict[str, str] | None:
    usable = [each for each in codings(concept) if terms.kind_of(each.system) != "DRG"]
    usable.sort(key=lambda each: "icd-10" not in each.system.lower())
    if not usable:
        return None
    first = usable[0]
    read = primitives.code(Node(first.code, first.node.path, first.node.root), case.issues)
    if read is None:
        return None
    if type_ and ("icd-9" in first.system.lower() or first.system.endswith("6.103")):
        type_ = _ICD9.get(type_, type_)
    return {"code": read, **({"type": type_} if type_ else {})}


def _distinct(read: list[dict[str, str] | None]) -> list[dict[str, str]]:
    """Give each code once, as many as the model takes."""
    by_code: dict[str, dict[str, str]] = {}
    for each in read:
        if each:
            by_code.setdefault(each["code"], each)
    return list(by_code.values())[:DIAGNOSES_MAX]
