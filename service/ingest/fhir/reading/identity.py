"""Under which id and version a response is stored, and which one it stands for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from service.ingest.fhir.base import primitives
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import plain
from service.ingest.fhir.reading._case import Case, review_of

OWN_SYSTEM = "urn:authmatch:authorization"
"""An identifier of this system is an ``authorization_id`` of ours, and is taken as it is."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_MAX = 2**53 - 1
_VERSION_DIGITS = 16
_SHOWN_MAX = 45  # so that the id is one of a resource, too, of 64 characters
_HASH_CHARACTERS = 12
_STEPS_A_MILLISECOND = 1000
_COUNT_MAX = 249
_PROGRESS = {None: 0, "A4": 1, "CT": 1, "C": 3}
_DECIDED = 2
_OWN = re.compile(r"[!-.0-{}~]{1,100}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The id and version of an authorization, and when its sender made it."""

    authorization_id: str
    version: int
    made_at: datetime | None
    reference: str | None


def authorization_id_of(system: str, value: str, assigner: str = "") -> str:
    """The id of what a system calls so: the value to read, a hash to tell systems apart.

    An id of ours travels in addresses, where the slashes and bars of a system cannot.
    """
    if system == OWN_SYSTEM and _OWN.fullmatch(value):
        return value
    shown = re.sub(r"[^0-9A-Za-z.]+", "-", value).strip("-")[:_SHOWN_MAX]
    named = "|".join(filter(None, (system, value, assigner)))
    return f"fhir-{shown}-{sha256(named.encode()).hexdigest()[:_HASH_CHARACTERS]}"


def identity_of(case: Case, actions: set[str | None]) -> Identity | None:
    """Read id and version; None, and a finding, where nothing names the response.

    ``actions`` are those that were decided, of the header and of the lines.

    The first of these is its name: ClaimResponse.identifier, the identifier of the Claim that it
    answers, preAuthRef, the number of its review, its administrative reference, its address.
    """
    response = case.response
    found = _from_identifiers(response.many("identifier"))
    found = found or _from_identifiers(case.request.many("identifier"))
    found = found or _from_identifiers([response.get("request").get("identifier")])
    found = found or _from_number(case) or _from_id(response)
    if found is None:
        message = "neither an identifier nor a number names the authorization"
        response.error("identity-missing", message)
        return None
    authorization_id, reference = found
    progress = max((_PROGRESS.get(each, _DECIDED) for each in actions), default=0)
    made_at, version = _version(case, authorization_id, progress)
    return Identity(authorization_id, version, made_at, reference[: primitives.TEXT_MAX] or None)


def is_own(response: Node, authorization_id: str) -> bool:
    """Whether a response carries this id as an identifier of ours: then we wrote it once."""
    return any(
        each.get("system").value == OWN_SYSTEM and each.get("value").value == authorization_id
        for each in response.many("identifier")
    )


def superseded_id(case: Case, own: str) -> str | None:
    """The id of the authorization whose request this request updates (Claim.related)."""
    for each in case.request.many("related"):
        claim = case.documents.resolve(each.get("claim"))
        identifiers = claim.many("identifier") if claim else [each.at("claim", "identifier")]
        found = _from_identifiers(identifiers)
        if found and found[0] != own:
            return found[0]
    return None


def _from_identifiers(identifiers: list[Node]) -> tuple[str, str] | None:
    for each in sorted(identifiers, key=lambda one: one.get("use").value == "old"):
        value = plain(each.get("value").value)
        if value:
            system = plain(each.get("system").value)
            assigner = plain(each.at("assigner", "identifier", "value").value)
            return authorization_id_of(system, value, assigner), f"{system}|{value}"
    return None


def _from_number(case: Case) -> tuple[str, str] | None:
    response = case.response
    items = [*response.many("item"), *response.many("addItem")]
    reviews = [review_of(each) for each in (response, *items)]
    numbers = [each.extension("number").value for each in reviews if each]
    pended = [each.extension("administrationReferenceNumber").value for each in (response, *items)]
    for value in (response.get("preAuthRef").value, *numbers, *pended):
        written = plain(value)
        if written:
            return authorization_id_of("", written), written
    return None


def _from_id(response: Node) -> tuple[str, str] | None:
    own = plain(response.get("id").value)
    return (authorization_id_of("ClaimResponse", own), f"ClaimResponse/{own}") if own else None


def _version(case: Case, authorization_id: str, progress: int) -> tuple[datetime | None, int]:
    """Give when it was made, and the version: that time, and what tells versions of one time apart.

    Milliseconds since 1970, times 1000; plus 4 times a numeric meta.versionId of up to 249; plus 1
    when pended, 2 when decided, 3 when cancelled: some payers decide without a new ``created``. It
    rises with time and stays under 2^53 until 2255.
    """
    meta = case.response.get("meta")
    written = plain(meta.get("versionId").value)
    is_count = written.isascii() and written.isdigit() and len(written) <= _VERSION_DIGITS
    count = int(written) if is_count else 0
    own = is_own(case.response, authorization_id)
    times = [meta.get("lastUpdated"), case.response.get("created")]
    if own:
        times.reverse()  # what we wrote was last updated when it was stored here
    times.append(case.documents.pack(case.response).get("timestamp"))
    read = (primitives.instant(node) for node in times)
    made_at = next(filter(None, read), None)
    if own and count:
        return made_at, min(count, _VERSION_MAX)
    if made_at is None or made_at <= _EPOCH:
        message = "no usable time of making: version 1, or the numeric meta.versionId"
        case.response.get("created").warn("version-assumed", message)
        return None, min(max(count, 1), _VERSION_MAX)
    passed = (made_at - _EPOCH) // timedelta(milliseconds=1)
    version = passed * _STEPS_A_MILLISECOND + 4 * min(count, _COUNT_MAX) + progress
    return made_at, min(version, _VERSION_MAX)
