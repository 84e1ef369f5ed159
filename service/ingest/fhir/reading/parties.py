"""Who gives the service, and where: providers that were authorized, else those of the request."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import codings
from service.ingest.fhir.reading import people
from service.ingest.fhir.reading.case import Case, Item

_FACILITY = frozenset({"FA", "77"})
_WHO_ASKS = frozenset({"DN", "DK", "P3", "REFERRER", "REFERRING", "ORDERING", "PRIMARY-CARE"})


@dataclass(frozen=True, slots=True)
class Party:
    """A reference to a provider, with its role (X12 element 98) and its qualification."""

    reference: Node
    role: str
    qualification: Node


def of_line(item: Item) -> dict[str, Any]:
    """Give ``servicing_provider`` and ``facility`` of a line, as far as the line names them."""
    case = item.case
    parties = [_added(case, each) for each in item.added.many("provider")]
    parties += _authorized(case, item.answer)
    if not parties:
        numbers = {primitives.sequence(each) for each in item.asked.many("careTeamSequence")}
        team = case.request.many("careTeam")
        parties = _team(
            case,
            [
                each
                for at, each in enumerate(team, start=1)
                if (primitives.sequence(each.get("sequence")) or at) in numbers - {None}
            ],
        )
    return _split(case, parties)


def of_header(case: Case) -> dict[str, Any]:
    """Give those that hold for all lines."""
    parties = _authorized(case, case.response)
    if not parties:
        team = [
            each
            for each in case.request.many("careTeam")
            if each.extension("careTeamClaimScope").value is True
        ]
        parties = _team(case, team)
    found = _split(case, parties)
    facility = case.request.get("facility")
    if "facility" not in found and facility and (read := people.provider(case, facility)):
        found["facility"] = read
    return found


def requesting(case: Case) -> dict[str, Any]:
    """Read who asked."""
    for reference in (case.response.get("requestor"), case.request.get("provider")):
        if reference and (found := people.provider(case, reference)):
            return found
    return {}


def _added(case: Case, provider: Node) -> Party:
    type_ = provider.extension("authorizedProviderType") or provider.extension("providerType")
    return Party(provider, _code(case, type_), Node(None))


def _authorized(case: Case, node: Node) -> list[Party]:
    parties = []
    for each in node.extensions("itemAuthorizedProvider"):
        type_ = each.extension("authorizedProviderType") or each.extension("providerType")
        reference = each.choice("value") or each.extension("provider")
        if reference.has("reference", "identifier", "display"):
            parties.append(Party(reference, _code(case, type_), each.extension("qualification")))
    return parties


def _team(case: Case, team: Iterable[Node]) -> list[Party]:
    parties = [
        Party(each.get("provider"), _code(case, each.get("role")), each.get("qualification"))
        for each in team
    ]
    return [each for each in parties if each.role not in _WHO_ASKS]


def _code(case: Case, node: Node) -> str:
    return primitives.concept_code(node, case.issues) or ""


def _split(case: Case, parties: list[Party]) -> dict[str, Any]:
    """Tell places from people; of an institution the organization is the place too."""
    people_, places = [], []
    for party in parties:
        is_place = party.role in _FACILITY
        is_house = case.is_institutional and people.is_organization(case, party.reference)
        if is_place or is_house:
            places.append(party)
        if not is_place:
            people_.append((is_house, party))
    people_.sort(key=lambda each: each[0])
    found = {}
    for name, named in (
        ("servicing_provider", [party for _, party in people_]),
        ("facility", places),
    ):
        read = [(party, one) for party in named if (one := _read(case, party))]
        if read:
            found[name] = read[0][1]
        others = [one for _, one in read if one.get("npi") != read[0][1].get("npi")]
        if others:
            message = "more providers of this role than can be kept: the first was taken"
            case.issues.warn(read[-1][0].reference, "provider-left-out", message)
    return found


def _read(case: Case, party: Party) -> dict[str, Any]:
    found = people.provider(case, party.reference)
    named = [
        each.code.upper()
        for each in codings(party.qualification)
        if people.is_taxonomy(each.system) and each.code.isalnum() and each.code.isascii()
    ]
    if found and named:
        found["taxonomy"] = case.capped([*named, *found.get("taxonomy", [])], 20, party.reference)
    return found
