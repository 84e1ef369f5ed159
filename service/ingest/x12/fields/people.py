"""Who stands in a message: payer, requester, member, and the providers (NM1 with PRV, REF, DMG)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from service.domain.authorization import OTHER_PROVIDERS_MAX
from service.domain.provider import AuthorizedProvider, ClaimProvider
from service.ingest.x12.fields.mapping import Draft, filled
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

    __slots__ = ("model",)

    def __init__(self, fields: Mapping[str, Any], model: AnyProvider | None = None) -> None:
        self.update(fields)
        self.model = model
        taxonomy = fields.get("taxonomy")
        if taxonomy:
            self["taxonomy"] = [*taxonomy]


def checked_once(document: dict[str, Any]) -> dict[str, Any]:
    """A document for validation: with the providers in it that were checked before."""
    return {
        name: (value.model or value) if value.__class__ is Party else value
        for name, value in document.items()
    }


def parties_of(loop: Loop, *names: str) -> dict[str, Loop]:
    """The parties in the loops of these names by their role (NM101), of each role the first."""
    parties: dict[str, Loop] = {}
    for party in loop.within(*names):
        parties.setdefault(party.role or "", party)
    return parties


def first_of(parties: Mapping[str, Loop], roles: tuple[str, ...]) -> Loop | None:
    """The party with the first of these roles that one has."""
    for role in roles:
        if role in parties:
            return parties[role]
    return None


def read_provider(
    elements: Elements, loop: Loop, model: type[AnyProvider] = ClaimProvider
) -> Party:
    """Read a provider: NM109 as NM108 says, REF*EI, SY or TJ, PRV03; NM102 2 is an organization.

    An id that is neither an NPI nor a taxpayer number (46, PI, SV ...) has no field.
    """
    segments = [each for each in loop.segments if each[0][0] in _OF_A_PROVIDER]
    known = _without_fault(tuple([each[0] for each in segments]), model)
    if known is None:
        return Party(_read_provider(elements, segments, model))
    return Party(known, known.model)


@lru_cache(_REMEMBERED)
def _without_fault(written: tuple[tuple[str, ...], ...], model: type[AnyProvider]) -> Party | None:
    findings = Findings()
    segments = [Segment(each, 0, 0, _NO_MARKS) for each in written]
    fields = _read_provider(Elements(findings, ""), segments, model)
    return None if findings.problems else checked(fields, model)


def checked(fields: Mapping[str, Any], model: type[AnyProvider]) -> Party:
    """A provider with what it is in the domain, where it fits."""
    try:
        return Party(fields, model.model_validate(fields))
    except ValidationError:
        return Party(fields)


def _read_provider(
    elements: Elements, segments: list[Segment], model: type[AnyProvider]
) -> dict[str, Any]:
    nm1 = segments[0]
    party: dict[str, Any] = {}
    if model is AuthorizedProvider and _is_organization(nm1):
        party["organization"] = True
    qualifier, identifier = nm1.get(8).upper(), nm1.get(9)
    if bool(qualifier) != bool(identifier):
        elements.note("element-missing", nm1, 9 if qualifier else 8)
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
    party["taxonomy"] = _taxonomy(elements, segments)
    names = [elements.text(nm1, 3), elements.text(nm1, 4)]
    party["name"] = ", ".join(filter(None, names))[:200].strip()
    return filled(party)


def with_taxonomy(elements: Elements, provider: Party, level: Loop) -> Party:
    """A provider with the taxonomy of its level, where it names none of its own."""
    if provider.get("taxonomy"):
        return provider
    taxonomy = _taxonomy(elements, level.segments)
    return Party({**provider, "taxonomy": taxonomy}) if taxonomy else provider


def _taxonomy(elements: Elements, segments: list[Segment]) -> list[str]:
    read = [elements.code(each, 3) for each in segments if each[0][0] == "PRV"]
    return list(dict.fromkeys(each for each in read if each))


def _id_of(party: Loop | None, findings: Findings) -> str | None:
    """Read the id of a member (NM109): blanks are dropped, it travels in addresses."""
    nm1 = party.segments[0] if party else None
    text = "".join(nm1.get(9).split()) if nm1 else ""
    usable = text.isalnum() or (text.isprintable() and not set(text) & set("/|\x7f"))
    if party and (not usable or not text.isascii() or len(text) > _MEMBER_ID_CHARACTERS_MAX):
        findings.add("member-id", nm1, 9, loop=party.name)
        return None
    return text or None


def read_person(elements: Elements, loop: Loop) -> dict[str, str]:
    """Read birth date and gender (DMG); a masked date is left out."""
    dmg = loop.first("DMG")
    if dmg is None:
        return {}
    born = elements.span(dmg, 2, form=1) if dmg.get(2) else None
    return filled({"birth_date": born and born.first, "gender": elements.code(dmg, 3)})


SERVICING = ("SJ", "1T", "82", "72", "71", "73", "QB", "QV", "G3", "DD")
"""Who gives the service, the first of these that is named (NM101); who orders (DK) or cares in
general (P3) gives none."""

FACILITY = ("FA", "77", "AAJ")
"""Where it is given."""

REFERRING = ("DN",)

_ROLES = frozenset((*SERVICING, *FACILITY, *REFERRING))

MEMBERS = frozenset({"IL", "QC"})
_NM1_ELEMENTS = 9
_AMBIGUOUS = Loop("", None)
"""Stands for a member that cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whom a message is about: what a payer needs to find its own id of the person."""

    subscriber_id: str
    own_id: str | None = None
    birth_date: str | None = None
    gender: str | None = None
    relationship: str | None = None
    is_dependent: bool = False


MemberIdOf = Callable[[Patient], str]
"""Gives the member id of a patient."""


def wire_member_id(patient: Patient) -> str:
    """The id that stands in the message: the patient's own, else the subscriber's."""
    return patient.own_id or patient.subscriber_id


def family_member_id(patient: Patient) -> str:
    """Tell the dependents of a subscriber apart, by birth date and gender, where they are known."""
    if patient.own_id or not patient.is_dependent or not patient.birth_date:
        return wire_member_id(patient)
    told_by = patient.birth_date.replace("-", "") + (patient.gender or "")
    return f"{patient.subscriber_id}.{told_by}"


def patient_of(
    subscriber: Loop | None,
    dependent: Loop | None,
    names: tuple[str, str, str],
    findings: Findings,
) -> Patient | None:
    """Read the patient: the dependent where there is one; the id is the subscriber's then.

    ``names`` are the party loops of subscriber and dependent, and the level of the dependent.
    """
    person = _member_at(subscriber, names[0], findings)
    own = _member_at(dependent, names[1], findings)
    if person is _AMBIGUOUS or own is _AMBIGUOUS:
        return None
    subscriber_id, own_id = _id_of(person, findings), _id_of(own, findings)
    if subscriber_id is None and own_id is None:
        findings.add("no-member", person.segments[0] if person else None, 9, loop=names[0])
        return None
    shown = own if dependent else person
    told = read_person(Elements(findings, shown.name), shown) if shown else {}
    if dependent is not None and own_id is None:
        findings.add("dependent", dependent.start, loop=names[2])
    return Patient(
        subscriber_id=subscriber_id or own_id or "",
        own_id=own_id,
        birth_date=told.get("birth_date"),
        gender=told.get("gender"),
        relationship=_relationship(dependent, own),
        is_dependent=dependent is not None,
    )


def _member_at(level: Loop | None, name: str, findings: Findings) -> Loop | None:
    """Find the member of a level; where there are two, whose the message is is not clear."""
    found: Loop | None = None
    if level is None:
        return None
    for party in level.loops:
        if party.name != name:
            continue
        if found is None:
            found = party
        elif party.role in MEMBERS and found.role in MEMBERS:
            second, first = party.segments[0], found.segments[0]
            if second.texts(_NM1_ELEMENTS) != first.texts(_NM1_ELEMENTS):
                findings.add("two-members", second, loop=name)
                return _AMBIGUOUS
    return found


def _relationship(dependent: Loop | None, person: Loop | None) -> str | None:
    if dependent is None and person is None:
        return None
    pat = dependent.first("PAT") if dependent else None
    ins = person.first("INS") if person else None
    return (pat.get(1) if pat else ins.get(2) if ins else "")[:30] or None


def take_providers(draft: Draft, loop: Loop, setting: str) -> None:
    """Fill the provider fields of an event or a service by the roles of its parties.

    The one who is named for both stands for the other: a facility alone gives a professional
    service, and an organization that serves is the place of an institutional one.
    """
    if not loop.loops:
        return
    named = loop.within("2010EA", "2010FA")
    _tell_others(draft, named)
    servicing, facilities = _all_of(draft, named, SERVICING), _all_of(draft, named, FACILITY)
    is_institutional = setting in ("inpatient", "outpatient")
    if not is_institutional:
        servicing = servicing or facilities
    elif not facilities:
        facilities = [each for each in servicing if _is_organization(each.segments[0])]
    for field, others, parties in (
        ("servicing_provider", "other_servicing_providers", servicing),
        ("facility", "other_facilities", facilities),
        ("requesting_provider", "", _all_of(draft, named, REFERRING)[:1]),
    ):
        read = [_provider(draft, each) for each in parties]
        for party, provider in zip(parties[:1], read, strict=False):
            draft.put("", field, provider, party.segments[0])
        for party, provider in zip(parties[1:], read[1:], strict=True):
            if provider == read[0]:
                continue
            if len(draft.fields.get(others, ())) == OTHER_PROVIDERS_MAX:
                draft.note("provider-left-out", party.segments[0])
            else:
                draft.add(others, provider)


def _all_of(draft: Draft, parties: list[Loop], roles: tuple[str, ...]) -> list[Loop]:
    """All parties of the first of these roles that one has; those of the other roles are told."""
    named = [each for each in parties if each.role in roles]
    if len(named) < 2:
        return named
    first = min(roles.index(each.role or "") for each in named)
    for each in named:
        if each.role != roles[first]:
            draft.note("provider-left-out", each.segments[0], 1)
    return [each for each in named if each.role == roles[first]]


def _tell_others(draft: Draft, parties: list[Loop]) -> None:
    """Tell the parties whose role is no provider's here."""
    for each in parties:
        if each.role not in _ROLES:
            draft.note("provider-left-out", each.segments[0], 1)


def _is_organization(nm1: Segment) -> bool:
    return nm1.get(2) == "2"


def take_requester(draft: Draft, requester: Loop | None) -> None:
    """Fill the provider who asked (2010B), where the event names none who refers."""
    party = requester.party("2010B") if requester else None
    if requester and party and "requesting_provider" not in draft.fields:
        provider = with_taxonomy(draft, _provider(draft, party), requester)
        draft.put("", "requesting_provider", provider, party.segments[0])


def requester_of(level: Loop | None) -> str:
    """Who asked (2010B), by NPI or else tax number; empty where neither is known."""
    party = level.party("2010B") if level else None
    # As ``take_requester`` reads it, so that it is read and checked once.
    model = AuthorizedProvider
    provider = read_provider(Elements(Findings(), ""), party, model) if party else {}
    return provider.get("npi") or provider.get("tin") or ""


def _provider(draft: Draft, party: Loop) -> Party:
    elements = Elements(draft.findings, party.name)
    provider = read_provider(elements, party, AuthorizedProvider)
    if not provider.get("npi") and not provider.get("tin"):
        elements.note("provider-unidentified", party.segments[0], 9)
    return provider


class Payer(NamedTuple):
    """Whom a message is for or from, as it is named there."""

    id: str | None
    name: str | None


def read_payer(party: Loop | None) -> Payer:
    """Read id and name of a payer."""
    if party is None:
        return Payer(None, None)
    nm1 = party.segments[0]
    return Payer(nm1.get(9)[:100] or None, nm1.get(3)[:200] or None)


def member_of(patient: Patient, member_id_of: MemberIdOf) -> dict[str, str]:
    """Write the member of an authorization."""
    fields = ("subscriber_id", "birth_date", "gender")
    return filled({"id": member_id_of(patient)} | {each: getattr(patient, each) for each in fields})
