"""Code systems that payers send, and what their codes say here."""

import re
from dataclasses import dataclass

from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import CODE_MAX, Coding, code_of, codings, plain, quantity

ACTIONS = frozenset({"A1", "A2", "A3", "A4", "A6", "CT", "NA", "C"})
GRANTING = frozenset({"A1", "A2", "A6"})

_ACTION_SYSTEM = "/306"


def is_action(concept: Node) -> bool:
    """Whether a concept is of the code system of actions (X12 element 306)."""
    return any(each.system.endswith(_ACTION_SYSTEM) for each in codings(concept))


DISPOSITIONS: dict[str, str] = {
    "granted": "A1",
    "approved": "A1",
    "certified": "A1",
    "certified in total": "A1",
    "partial": "A2",
    "partially granted": "A2",
    "partially approved": "A2",
    "certified - partial": "A2",
    "denied": "A3",
    "not certified": "A3",
    "pending": "A4",
    "pended": "A4",
    "modified": "A6",
    "contact payer": "CT",
    "not required": "NA",
    "no action required": "NA",
    "cancelled": "C",
    "canceled": "C",
}
"""The whole text of a disposition, where a response has no review action at all."""

UNITS: dict[str, str] = {
    "d": "DA",
    "h": "HS",
    "min": "MJ",
    "mo": "MN",
    "1": "UN",
    "{visit}": "VS",
    "{visits}": "VS",
    "{unit}": "UN",
    "{units}": "UN",
    "[iU]": "F2",
    "[IU]": "F2",
}
"""UCUM to X12; the codes of X12 (DY, FL, HS, MN, VS ...) stay as they are."""

_UNIT_WORDS = {
    "visit": "VS",
    "day": "DA",
    "unit": "UN",
    "each": "UN",
    "hour": "HS",
    "minute": "MJ",
    "month": "MN",
    "international unit": "F2",
}
UNIT_DEFAULT = "UN"

_CPT_OR_HCPCS = re.compile(r"[0-9]{4}[0-9A-Z]|[A-CE-Z][0-9]{4}")
_CDT = re.compile(r"D[0-9]{4}")
_NO_SERVICE = frozenset({"NOT-APPLICABLE", "UNKNOWN", "NOTAPPLICABLE", "NA"})
_PROCEDURES = ("CPT", "HCPCS", "CDT", "ICD-10-PCS", "NDC", "HP", "")
_SYSTEMS: tuple[tuple[str, str], ...] = (
    ("ama-assn.org/go/cpt", "CPT"),
    ("2.16.840.1.113883.6.12", "CPT"),
    ("hcpcs", "HCPCS"),
    ("2.16.840.1.113883.6.285", "HCPCS"),
    ("2.16.840.1.113883.6.14", "HCPCS"),
    ("ada.org", "CDT"),
    ("cdt", "CDT"),
    ("2.16.840.1.113883.6.13", "CDT"),
    ("icd-10-pcs", "ICD-10-PCS"),
    ("icd10pcs", "ICD-10-PCS"),
    ("cms.gov/medicare/coding/icd10", "ICD-10-PCS"),
    ("2.16.840.1.113883.6.4", "ICD-10-PCS"),
    ("sid/ndc", "NDC"),
    ("2.16.840.1.113883.6.69", "NDC"),
    ("hipps", "HP"),
    ("revenuecode", "revenue"),
    ("service-type-codes", "service type"),
    ("drg", "DRG"),
    ("data-absent-reason", "none"),
)


@dataclass(frozen=True, slots=True)
class Service:
    """What a product or service code names: a procedure, a revenue code, a type, a group."""

    procedure: str | None = None
    code_system: str | None = None
    revenue_code: str | None = None
    service_type: str | None = None
    drg: str | None = None

    def __bool__(self) -> bool:
        return any((self.procedure, self.revenue_code, self.service_type, self.drg))


def is_x12(system: str, element: str) -> bool:
    """Whether a system is the X12 list of that element: http or https, list or value set."""
    return "x12.org" in system.lower() and system.rstrip("/").rpartition("/")[2] == element


def kind_of(system: str) -> str:
    """Say what a code system holds: "CPT", "HCPCS", "revenue", "service type" ..."""
    if is_x12(system, "1365"):
        return "service type"
    lower = system.lower()
    return next((kind for part, kind in _SYSTEMS if part in lower), "")


def service(node: Node) -> Service:
    """Read a product or service: the procedure if one is among its codes, else what there is."""
    usable = [
        each
        for each in codings(node)
        if kind_of(each.system) != "none" and each.code.upper() not in _NO_SERVICE
    ]
    ranked = sorted(usable, key=lambda each: _rank(kind_of(each.system), each))
    return _service(ranked[0]) if ranked else Service()


def _rank(kind: str, coding: Coding) -> int:
    if not kind:
        return 1 if _procedure_system(coding.code.upper()) else 3
    return 0 if kind in _PROCEDURES else 2


def _service(coding: Coding) -> Service:
    kind = kind_of(coding.system)
    written = code_of(coding)
    if written is None:
        return Service()
    if kind == "revenue":
        return Service(revenue_code=written)
    if kind == "service type":
        return Service(service_type=written)
    if kind == "DRG":
        return Service(drg=written)
    return Service(procedure=written, code_system=_declared(kind, written, coding))


def _declared(kind: str, written: str, coding: Coding) -> str | None:
    """Name the code system: CPT, HCPCS and CDT by their shape, since senders mix the systems up."""
    by_shape = _procedure_system(written)
    if by_shape is None or kind not in ("CPT", "HCPCS", "CDT", ""):
        return kind or None
    levels = {"CPT", "HCPCS"}  # one system in X12, and CPT codes are level one of HCPCS
    is_other = kind != by_shape and not (kind == "HCPCS" and by_shape == "CPT")
    if kind and is_other:
        message = "the code is not of the system that is named: its shape was taken"
        coding.node.tell("code-system-mismatch", message)
    return "HCPCS" if kind == "HCPCS" and by_shape in levels else by_shape


def _procedure_system(written: str) -> str | None:
    if _CDT.fullmatch(written):
        return "CDT"
    if not _CPT_OR_HCPCS.fullmatch(written):
        return None
    return "HCPCS" if written[0].isalpha() else "CPT"


def place(node: Node, *, is_institutional: bool) -> dict[str, str]:
    """Read a location: a place of service or a bill type, by its system, else by its length."""
    for each in codings(node):
        written = code_of(each)
        if written is None:
            continue
        system = each.system.lower()
        if "typeofbill" in system or "type-of-bill" in system or is_x12(each.system, "1331"):
            return {"bill_type": written}
        if "place-of-service" in system or "place_of_service" in system or "pos" in system:
            return {"place_of_service": written}
        is_place = len(written) <= len("11") and not is_institutional
        return {"place_of_service" if is_place else "bill_type": written}
    return {}


def units(node: Node) -> dict[str, str]:
    """Read a quantity with its unit; a quantity without one counts units."""
    count = quantity(node.get("value") if isinstance(node.value, dict) else node)
    return {"units": count, "unit": unit(node)} if count is not None else {}


def unit(node: Node) -> str:
    """The unit of a quantity as X12 writes it; an unknown one as it was sent."""
    sent = plain(node.get("code").value)
    words = plain(node.get("unit").value)
    by_word = _UNIT_WORDS.get(words.lower().removesuffix("(s)").removesuffix("s"))
    if sent and sent != "1":
        return _unit_code(UNITS.get(sent, sent))
    return by_word or _unit_code(UNITS.get(sent or words, words or UNIT_DEFAULT))


def _unit_code(written: str) -> str:
    usable = len(written) <= CODE_MAX and any(each.isascii() and each.isalnum() for each in written)
    return written.upper() if usable else UNIT_DEFAULT


def money(node: Node) -> dict[str, str]:
    """Read an amount of money; the currency only where it is not the dollar."""
    amount = quantity(node.get("value")) if node else None
    if amount is None:
        return {}
    currency = plain(node.get("currency").value).upper()
    is_other = currency not in ("", "USD") and len(currency) == len("USD") and currency.isalpha()
    return {"amount": amount, **({"currency": currency} if is_other else {})}
