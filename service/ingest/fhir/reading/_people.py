"""For whom, by whom and where: the member, and providers that were authorized or asked for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.domain.authorization import OTHER_PROVIDERS_MAX
from service.domain.member_ids import written_member_id
from service.domain.values import is_identifier
from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import codings, plain
from service.ingest.fhir.reading._case import Case, Item

_NPI = re.compile(r"[0-9]{10}")
_TIN = re.compile(r"[0-9]{9}")
_TAXONOMY = re.compile(r"[0-9A-Z]{10}")
_NPI_SYSTEMS = ("us-npi", "2.16.840.1.113883.4.6")
_TIN_SYSTEMS = ("us-ein", "us-tin", "2.16.840.1.113883.4.4")
_NOT_A_MEMBER = frozenset({"SS", "SB", "MR", "DL", "PPN", "PT", "AN", "VN", "MC"})
_GENDERS = {"male": "M", "female": "F", "m": "M", "f": "F", "other": "U", "unknown": "U"}
_SELF = "SELF"
_TAXONOMY_MAX = 20
FIELDS = (
    "servicing_provider",
    "other_servicing_providers",
    "facility",
    "other_facilities",
)
"""The fields that the providers of a header or line fill."""
_FACILITY = frozenset({"FA", "77"})
_WHO_ASKS = frozenset({"DN", "DK", "P3", "REFERRER", "REFERRING", "ORDERING", "PRIMARY-CARE"})


def member(case: Case) -> dict[str, Any] | None:
    """Read the member: the id of the card, never a name and never the id of a resource.

    First the identifier of type MB of the Patient, then the subscriber number of the Coverage, then
    the only identifier of the Patient that says nothing of its type.
    """
    reference = case.response.get("patient")
    patient = _patient_of(case)
    coverage = coverage_of(case, patient)
    found = _member_id(patient, reference, coverage)
    if found is None:
        message = "no member id: neither Patient nor Coverage in the document has one"
        reference.error("member-unknown", message)
        return None
    more = {
        "subscriber_id": primitives.text(coverage.get("subscriberId")),
        "suffix": primitives.code(coverage.get("dependent")),
        "birth_date": primitives.day(patient.get("birthDate")),
        "gender": _GENDERS.get(plain(patient.get("gender").value).lower()),
    }
    return {"id": found, **{name: each for name, each in more.items() if each}}


def _patient_of(case: Case) -> Node:
    """The Patient of the response; where that is not there, of its request or its coverage."""
    parts = (case.response.get("patient"), case.request.get("patient"))
    found = next(filter(None, map(case.documents.resolve, parts)), None)
    if found is None:
        beneficiary = coverage_of(case, NOTHING).get("beneficiary")
        found = case.documents.resolve(beneficiary)
    return found


def _member_id(patient: Node, reference: Node, coverage: Node) -> str | None:
    identifiers = [each for each in patient.many("identifier") if _is_in_use(each)]
    own = [each for each in identifiers if "MB" in _types(each)]
    logical = reference.get("identifier")
    candidates = [*own, *([logical] if "MB" in _types(logical) else [])]
    candidates.append(coverage.get("subscriberId"))
    candidates += [each for each in coverage.many("identifier") if "MB" in _types(each)]
    untyped = [each for each in identifiers if not _types(each) and not _is_of_another_kind(each)]
    candidates += [logical] if logical and not _types(logical) else []
    candidates += untyped if len(untyped) == 1 else []
    for candidate in candidates:
        node = candidate.get("value") if isinstance(candidate.value, dict) else candidate
        written = plain(node.value)
        if is_identifier(written_member_id(written)):
            _doubt(candidate, own, untyped)
            return written
        if written:
            message = "a member id has 1 to 100 characters without slash or bar: no dots alone"
            node.warn("value-invalid", message)
    return None


def _doubt(chosen: Node, own: list[Node], untyped: list[Node]) -> None:
    values = {plain(each.get("value").value) for each in own} - {""}
    if chosen in own and len(values) > 1:
        chosen.warn("member-uncertain", "several member ids that differ: the first was taken")
    if chosen in untyped:
        message = "no identifier of type MB: the only one without a type was taken"
        chosen.warn("member-uncertain", message)


def shares_its_id(case: Case, read: dict[str, Any]) -> bool:
    """Whether a member that was read is a dependent who is called by the subscriber's id."""
    coverage = coverage_of(case, _patient_of(case))
    relation = _code(coverage.get("relationship"))
    return bool(relation) and relation != _SELF and read["id"] == read.get("subscriber_id")


def coverage_of(case: Case, patient: Node) -> Node:
    """The coverage that is named; else the only one of the patient."""
    for resource in (case.response, case.request):
        insurances = resource.many("insurance")
        focal = [each for each in insurances if each.get("focal").value is True]
        for each in focal or insurances:
            if found := case.documents.resolve(each.get("coverage")):
                return found
    beside = case.documents.beside(case.response, "Coverage")
    if not patient or len(beside) != 1:
        return NOTHING
    beneficiary = beside[0].get("beneficiary")
    return beside[0] if case.documents.resolve(beneficiary) == patient else NOTHING


def provider(case: Case, reference: Node) -> dict[str, Any]:
    """Read a provider from what a reference names, and from the reference itself."""
    resource = case.documents.resolve(reference)
    read: dict[str, Any] = {}
    parts = [resource, *_parts(case, resource)]
    for each in parts:
        for identifier in each.many("identifier"):
            _number(identifier, read)
    _number(reference.get("identifier"), read)
    name = next((found for each in parts if (found := _name(each))), None)
    name = name or plain(reference.get("display").value)
    if name:
        read["name"] = name[: primitives.TEXT_MAX]
    taxonomy = [each for part in parts for each in _taxonomy(part)]
    if taxonomy:
        read["taxonomy"] = primitives.capped(taxonomy, _TAXONOMY_MAX, resource)
    kinds = {each.resource_type for each in parts}
    if read and "Organization" in kinds and not kinds & {"Practitioner", "Location"}:
        read["organization"] = True
    return read


def is_organization(case: Case, reference: Node) -> bool:
    """Whether a reference names an organization or a place, and not a person."""
    kind = case.documents.resolve(reference).resource_type
    named = plain(reference.get("reference").value).rpartition("/")[0].rpartition("/")[2]
    return (kind or named) in ("Organization", "Location")


def _parts(case: Case, resource: Node) -> list[Node]:
    """The person and the organization of a role, the organization of a place."""
    names = {
        "PractitionerRole": ("practitioner", "organization"),
        "Location": ("managingOrganization",),
    }.get(resource.resource_type, ())
    return [found for name in names if (found := case.documents.resolve(resource.get(name)))]


def _number(identifier: Node, read: dict[str, Any]) -> None:
    system, types = plain(identifier.get("system").value), _types(identifier)
    value = identifier.get("value")
    written = plain(value.value)
    if any(each in system for each in _NPI_SYSTEMS) or "NPI" in (*types, system.upper()):
        if _NPI.fullmatch(written):
            read.setdefault("npi", written)
        else:
            value.warn("value-invalid", "an NPI has ten digits: left out")
    elif any(each in system for each in _TIN_SYSTEMS) or types & {"TAX", "EN", "EI"}:
        if _TIN.fullmatch(written.replace("-", "")):
            read.setdefault("tin", written.replace("-", ""))
        else:
            value.warn("value-invalid", "a tax number has nine digits: left out")


def _name(resource: Node) -> str | None:
    name = resource.get("name")
    if not isinstance(name.value, dict):
        return plain(name.value) or None
    parts = [plain(name.get("family").value)]
    parts += [plain(each.value) for each in name.many("given")]
    return plain(name.get("text").value) or " ".join(filter(None, parts)) or None


def _taxonomy(resource: Node) -> list[str]:
    concepts = [*resource.many("code"), *resource.many("specialty")]
    concepts += [each.get("code") for each in resource.many("qualification")]
    return [
        each.code.upper()
        for concept in concepts
        for each in codings(concept)
        if is_taxonomy(each.system) and _TAXONOMY.fullmatch(each.code.upper())
    ]


def is_taxonomy(system: str) -> bool:
    """Whether a system is the NUCC list of provider taxonomies."""
    lower = system.lower()
    return "nucc" in lower or "provider-taxonomy" in lower or lower.endswith("6.101")


def _types(identifier: Node) -> set[str]:
    return {each.code.upper() for each in codings(identifier.get("type"))}


def _is_in_use(identifier: Node) -> bool:
    return identifier.get("use").value != "old" and bool(plain(identifier.get("value").value))


def _is_of_another_kind(identifier: Node) -> bool:
    system = plain(identifier.get("system").value).lower()
    return "us-ssn" in system or "us-mbi" in system or bool(_types(identifier) & _NOT_A_MEMBER)


@dataclass(frozen=True, slots=True)
class Party:
    """A reference to a provider, with its role (X12 element 98) and its qualification."""

    reference: Node
    role: str
    qualification: Node


def of_line(item: Item) -> dict[str, Any]:
    """The ``servicing_provider`` and ``facility`` of a line, as far as the line names them."""
    case = item.case
    parties = [Party(each, _type_of(each), NOTHING) for each in item.added.many("provider")]
    parties += _authorized(item.answer)
    if not parties:
        numbers = {primitives.sequence(each) for each in item.asked.many("careTeamSequence")}
        team = primitives.numbered(case.request.many("careTeam"))
        parties = _team(each for number, each in team if number in numbers)
    return _split(case, parties)


def of_header(case: Case) -> dict[str, Any]:
    """Those that hold for all lines."""
    parties = _authorized(case.response)
    if not parties:
        team = case.request.many("careTeam")
        parties = _team(each for each in team if each.extension("careTeamClaimScope").value is True)
    found = _split(case, parties)
    facility = case.request.get("facility")
    if "facility" not in found and facility and (read := provider(case, facility)):
        found["facility"] = read
    return found


def requesting(case: Case) -> dict[str, Any]:
    """Read who asked."""
    for reference in (case.response.get("requestor"), case.request.get("provider")):
        if reference and (found := provider(case, reference)):
            return found
    return {}


def _type_of(node: Node) -> str:
    return _code(node.extension("authorizedProviderType") or node.extension("providerType"))


def _authorized(node: Node) -> list[Party]:
    parties = []
    for each in node.extensions("itemAuthorizedProvider"):
        reference = each.choice("value") or each.extension("provider")
        if reference.has("reference", "identifier", "display"):
            parties.append(Party(reference, _type_of(each), each.extension("qualification")))
    return parties


def _team(team: Iterable[Node]) -> list[Party]:
    parties = [
        Party(each.get("provider"), _code(each.get("role")), each.get("qualification"))
        for each in team
    ]
    return [each for each in parties if each.role not in _WHO_ASKS]


def _code(node: Node) -> str:
    return primitives.concept_code(node) or ""


def _split(case: Case, parties: list[Party]) -> dict[str, Any]:
    """Tell places from people; of an institution the organization is the place too."""
    people_, places = [], []
    for party in parties:
        is_place = party.role in _FACILITY
        is_house = case.is_institutional and is_organization(case, party.reference)
        if is_place or is_house:
            places.append(party)
        if not is_place:
            people_.append((is_house, party))
    people_.sort(key=lambda each: each[0])
    found: dict[str, Any] = {}
    for name, others, named in (
        ("servicing_provider", "other_servicing_providers", [party for _, party in people_]),
        ("facility", "other_facilities", places),
    ):
        read = _once(one for party in named if (one := _read(case, party)))
        if read:
            found[name] = read[0]
        if read[1:]:
            found[others] = read[1 : OTHER_PROVIDERS_MAX + 1]
        if len(read) > OTHER_PROVIDERS_MAX + 1:
            message = "more providers of this role than can be kept: the last were left out"
            named[-1].reference.warn("provider-left-out", message)
    return found


def _once(read: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that differ, in their order: what adds nothing to one before is that one again."""
    found: list[dict[str, Any]] = []
    for each in read:
        if not any(each.items() <= known.items() for known in found):
            found.append(each)
    return found


def _read(case: Case, party: Party) -> dict[str, Any]:
    found = provider(case, party.reference)
    named = [
        each.code.upper()
        for each in codings(party.qualification)
        if is_taxonomy(each.system) and each.code.isalnum() and each.code.isascii()
    ]
    if found and named:
        found["taxonomy"] = primitives.capped(
            [*named, *found.get("taxonomy", [])], 20, party.reference
        )
    return found
