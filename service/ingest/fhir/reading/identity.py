"""Under which id and version a response is stored, and which one it stands for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.domain import grant_identity
from service.domain.grant_identity import COUNT_MAX, Name, Signs, person_of, version_at
from service.domain.moment import Moment, finest, in_order
from service.domain.values import VERSION_MAX, is_identifier
from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import plain
from service.ingest.fhir.reading import _people as people
from service.ingest.fhir.reading._case import Case

OWN_SYSTEM = "urn:authmatch:authorization"
"""An identifier of this system is an ``authorization_id`` of ours, and is taken as it is."""

_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Identity(grant_identity.Identity):
    """The identity of an authorization with its version, and when its sender made it."""

    version: int = 1
    made_at: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What of a response was read before it is known which authorization it is.

    ``numbers`` are its certification numbers, the one of the whole first.
    """

    kind: str
    member: dict[str, Any]
    actions: set[str | None]
    certification: str | None
    numbers: Iterable[str | None]
    previous: str | None


def identity_of(case: Case, told: Told) -> Identity | None:
    """Read id and version; None, and a finding, where nothing names the response."""
    member, names, related = told.member, list(_names(case)), _related(case)
    signs = Signs(
        kind=told.kind,
        person=person_of(
            member["id"],
            is_shared=people.shares_its_id(case, member),
            birth_date=member.get("birth_date"),
            gender=member.get("gender", ""),
        ),
        actions=told.actions,
        certification=told.certification,
        number=next(filter(None, told.numbers), None),
        previous=told.previous,
        names=names,
        replaced=next((("trace", _requester(case), each) for each in _values(related)), None),
    )
    made, own = grant_identity.identity_of(signs), _own_id(case.response.many("identifier"))
    if own is not None:
        made = grant_identity.Identity(own)
    named = _own_id(related)
    if made is not None and named not in (None, made.authorization_id):
        made = replace(made, supersedes=named)
    if made is None:
        message = "neither a number nor an identifier names the authorization"
        case.response.error("identity-missing", message)
        return None
    made_at, version = _version(case, own, told.actions)
    return Identity(
        made.authorization_id,
        made.aliases,
        made.supersedes,
        made.is_by_number,
        version,
        made_at,
        _reference(case),
    )


def is_own(response: Node, authorization_id: str) -> bool:
    """Whether a response carries this id as an identifier of ours: then we wrote it once."""
    return _own_id(response.many("identifier")) == authorization_id


def _own_id(identifiers: Iterable[Node]) -> str | None:
    for each in identifiers:
        value = plain(each.get("value").value)
        if each.get("system").value == OWN_SYSTEM and is_identifier(value):
            return value
    return None


def traces_of(case: Case) -> tuple[str, ...]:
    """The numbers by which a request is known that a response answers."""
    named = case.response.get("request").get("identifier")
    return tuple(_values([*case.request.many("identifier"), named]))


def _names(case: Case) -> Iterator[Name]:
    """What else than a number names it: the request first, its own name last, an address alone."""
    response, request = case.response, case.request
    requester = _requester(case)
    traced = [*_values(request.many("identifier"))]
    traced += _values([response.get("request").get("identifier")])
    yield from (("trace", requester, each) for each in traced)
    parts = (response, *response.many("item"), *response.many("addItem"), request)
    nodes = (each.extension("administrationReferenceNumber") for each in parts)
    references = list(filter(None, (plain(each.value) for each in nodes)))
    yield from (("reference", each) for each in references[:1])
    given = [*_values(response.many("identifier"))]
    yield from (("response", each) for each in given)
    address = plain(response.get("id").value)
    if address and not (traced or references or given):
        yield "address", address


def _reference(case: Case) -> str | None:
    """The first identifier that it has or answers, with its system."""
    nodes = (case.response, case.request, case.response.get("request"))
    for each in (one for node in nodes for one in node.many("identifier")):
        if value := plain(each.get("value").value):
            return f"{plain(each.get('system').value)}|{value}"[: primitives.TEXT_MAX]
    return None


def _related(case: Case) -> list[Node]:
    """The identifiers of the requests that the request updates (Claim.related)."""
    found: list[Node] = []
    for each in case.request.many("related"):
        claim = case.documents.resolve(each.get("claim"))
        found += claim.many("identifier") if claim else [each.at("claim", "identifier")]
    return found


def _requester(case: Case) -> str:
    """Who asked, by NPI or else tax number; empty where neither is known."""
    found = people.requesting(case)
    return str(found.get("npi") or found.get("tin") or "")


def _values(identifiers: Iterable[Node]) -> Iterator[str]:
    for each in sorted(identifiers, key=lambda one: one.get("use").value == "old"):
        value = plain(each.get("value").value)
        if value and each.get("system").value != OWN_SYSTEM:
            yield value


def _version(case: Case, own: str | None, actions: set[str | None]) -> tuple[datetime | None, int]:
    """Give when it was made, and the version: that of its own where we gave it out once."""
    meta = case.response.get("meta")
    written = plain(meta.get("versionId").value)
    is_count = written.isascii() and written.isdigit() and len(written) <= _VERSION_DIGITS
    count = int(written) if is_count else 0
    times = _times(case, own)
    made = finest(times)
    if own and count:
        return made.at if made else None, min(count, VERSION_MAX)
    version = version_at(in_order(times), actions, min(count, COUNT_MAX))
    if version is None:
        message = "no usable time of making: version 1, or the numeric meta.versionId"
        case.response.get("created").warn("version-assumed", message)
        return None, min(max(count, 1), VERSION_MAX)
    return made.at if made else None, version


def _times(case: Case, own: str | None) -> list[Moment | None]:
    times = [case.response.at("meta", "lastUpdated"), case.response.get("created")]
    if own:
        times.reverse()  # what we wrote was last updated when it was stored here
    times.append(case.documents.pack(case.response).get("timestamp"))
    return [primitives.moment(each) for each in times]
