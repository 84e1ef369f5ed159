"""Read authorizations out of a FHIR document."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from service.domain.authorization import AUTHORIZATION_LINES_MAX, Authorization
from service.domain.submission import RefusedRequest
from service.ingest.fhir.base import mapping, terms
from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.issue import Issue
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import plain
from service.ingest.fhir.reading import _case as cases
from service.ingest.fhir.reading import _people as people
from service.ingest.fhir.reading import header, lines
from service.ingest.fhir.reading._case import (
    Case,
    Item,
    decide,
    is_readable,
    is_rejected,
    version_of,
)
from service.ingest.fhir.reading.header import Whole, setting_of
from service.ingest.fhir.reading.identity import identity_of, is_own, traces_of

_LOINC, _LOINC_CODE, _WANTED_MAX = "http://loinc.org", re.compile(r"[0-9]{1,7}-[0-9]"), 20
_DATES = ("effective", "requested_dates")
REFERENCE_CHARACTERS_MAX = 500
"""So much is given of a reference that is to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAuthorization:
    """An authorization as it can be pushed, and the ClaimResponse that it was read from.

    ``is_own``: it carries an identifier of ours, so that it was written by us once.
    """

    pointer: str
    document: dict[str, Any]
    authorization: Authorization
    issues: tuple[Issue, ...]
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A ClaimResponse or Claim that gave no authorization, and why.

    It is refused where an issue is an error; else nothing is wrong, and there is nothing to take.
    ``reference`` is what a notification names and does not bring: it is to be fetched.
    """

    pointer: str
    issues: tuple[Issue, ...]
    authorization_id: str | None = None
    version: int | None = None
    reference: str | None = None
    refusal: RefusedRequest | None = None

    @property
    def is_refused(self) -> bool:
        """Whether something was wrong with it."""
        return any(each.severity == "error" for each in self.issues)


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a document gave. ``issues`` of severity error name what was not read."""

    authorizations: tuple[ReadAuthorization, ...]
    unread: tuple[Unread, ...]
    issues: tuple[Issue, ...]


def read(content: object) -> Reading:
    """Read every pre-authorization response of a parsed JSON document; it raises for none.

    A ClaimResponse alone, or bundles of any type with ClaimResponses, their requests and what they
    refer to. A fault of one response keeps none of the others out.
    """
    documents = Documents(content)
    issues = documents.issues
    found: list[ReadAuthorization | Unread] = []
    answered: set[Node] = set()
    for response in documents.of_type("ClaimResponse"):
        with issues.noting() as noted:
            request = _request_of(response, documents)
            answered.add(request)
            version = version_of(response, documents.pack(response))
            case = Case(response, request, documents, version)
            document = _authorization(case)
            authorization = _fitting(document, response) if document else None
        found.append(_taken(case, document, authorization, tuple(noted.values())))
    found = list(_once(found, documents))
    unanswered = [*_unanswered(documents, answered), *_notified(documents)]
    _other(documents, is_notice=any(map(_is_status, documents.resources)))
    return Reading(
        authorizations=tuple(each for each in found if isinstance(each, ReadAuthorization)),
        unread=tuple(each for each in (*found, *unanswered) if isinstance(each, Unread)),
        issues=issues.all,
    )


def _taken(
    case: Case,
    document: dict[str, Any] | None,
    authorization: Authorization | None,
    issues: tuple[Issue, ...],
) -> ReadAuthorization | Unread:
    pointer = case.response.pointer
    if document is None or authorization is None:
        authorization_id, version = case.named or (None, None)
        refusal = None
        if case.rejected is not None:
            refusal = RefusedRequest(traces=traces_of(case), reasons=case.rejected)
        return Unread(
            pointer=pointer,
            issues=issues,
            authorization_id=authorization_id,
            version=version,
            refusal=refusal,
        )
    return ReadAuthorization(
        pointer=pointer,
        document=document,
        authorization=authorization,
        issues=issues,
        is_own=is_own(case.response, authorization.authorization_id),
    )


def _authorization(case: Case) -> dict[str, Any] | None:
    response = case.response
    if not is_readable(response) or not _is_for_us(response):
        return None
    items = _items(case)
    case.setting = setting_of(case, items)
    if is_rejected(case, items):
        return None
    action = decide(case, items)
    member = people.member(case)
    if member is None:
        return None
    if len(items) > AUTHORIZATION_LINES_MAX:
        response.error("too-many", f"more than {AUTHORIZATION_LINES_MAX} lines")
        return None
    _attach(case)
    for each in items:
        _tell_details(each.node)
    read_lines = [mapping.apply(lines.ROWS, item) for item in items]
    identity = identity_of(case, header.told(case, items, read_lines, member, action))
    if identity is None:
        return None
    case.named = identity.authorization_id, identity.version
    whole = Whole(case, items, read_lines, identity, member, action)
    document = mapping.apply(header.ROWS, whole)
    if read_lines:
        document["lines"] = read_lines
    return document if _is_dated(document, items, response) else None


def _items(case: Case) -> list[Item]:
    items = cases.pair(case)
    left = cases.unanswered(case, items)
    if not left:
        return items
    if cases.action_of(case.response.quiet())[0]:
        return sorted([*items, *left], key=lambda item: item.line)
    for item in left:
        message = "the response says nothing of this item: it is no line"
        item.asked.tell("item-unanswered", message)
    return items


def _request_of(response: Node, documents: Documents) -> Node:
    """The Claim that is answered: the one referred to, else the only one beside it."""
    reference = response.get("request")
    if reference.has("reference"):
        found = documents.resolve(reference)
        return found if found.resource_type == "Claim" else NOTHING
    claims = [
        each
        for each in documents.beside(response, "Claim")
        if each.get("use").value == "preauthorization"
    ]
    if len(claims) == 1 and len(documents.beside(response, "ClaimResponse")) == 1:
        message = "no reference to a request: the only Claim beside the response was taken"
        response.tell("request-assumed", message)
        return claims[0]
    return NOTHING


def _is_for_us(response: Node) -> bool:
    use = plain(response.get("use").value).lower()
    if use in ("claim", "predetermination"):
        message = f"a response to a {use}, not to a pre-authorization: not an authorization"
        response.get("use").error(f"use-{use}", message)
        return False
    if use != "preauthorization":
        message = "no use, or one that FHIR does not know: read as preauthorization"
        response.get("use").warn("use-missing", message)
    if plain(response.get("status").value) == "draft":
        response.get("status").error("status-draft", "a draft decides nothing")
        return False
    return True


def _tell_details(item: Node) -> None:
    """Say of what is decided of the details of an item that it is not read: the item is a whole."""
    for detail in item.many("detail"):
        detail.warn("detail-left-out", "a detail is not read: the item counts as a whole")


def _attach(case: Case) -> None:
    if case.version:
        case.attached["pas_version"] = ".".join(map(str, case.version))
    own = plain(case.response.get("id").value)
    if own:
        case.attached["fhir_id"] = own[:64]
    wanted = [
        code
        for kind in ("CommunicationRequest", "Task")
        for each in case.documents.beside(case.response, kind)
        for code in _loinc_in(each.value)
    ]
    if wanted:
        case.attached["information_wanted"] = list(dict.fromkeys(wanted))[:_WANTED_MAX]


def _loinc_in(value: object) -> Iterator[str]:
    """The LOINC codes anywhere in a resource that asks for information."""
    if isinstance(value, list):
        for each in value:
            yield from _loinc_in(each)
    elif isinstance(value, dict):
        code = value.get("code")
        if value.get("system") == _LOINC and isinstance(code, str) and _LOINC_CODE.fullmatch(code):
            yield code
        for each in value.values():
            yield from _loinc_in(each)


def _is_dated(document: dict[str, Any], items: list[Item], response: Node) -> bool:
    """Whether every part that was granted has a day; one without would pay for ever."""
    header = _has_day(document)
    inherited = document.get("decision", {}).get("action")
    owners: list[Item | None] = [*items] or [None]
    scopes = zip(document.get("lines", [document]), owners, strict=True)
    is_dated = True
    for scope, item in scopes:
        action = scope.get("decision", {}).get("action") or inherited
        if action in terms.GRANTING and not (header or _has_day(scope)):
            message = "granted, but neither a validity, nor dates of service, nor an admission"
            (item.node if item else response).error("granted-without-dates", message)
            is_dated = False
    return is_dated


def _has_day(scope: dict[str, Any]) -> bool:
    return any(scope.get(name) for name in _DATES) or "date" in scope.get("admission", {})


def _fitting(document: dict[str, Any], response: Node) -> Authorization | None:
    """Make the model of it: whatever was overlooked above must not reach the stores."""
    try:
        return Authorization.model_validate(document)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            where = ".".join(map(str, each["loc"])) or "authorization"
            response.error("model", f"{where}: {each['msg']}"[:500])
        return None


def _unanswered(documents: Documents, answered: set[Node]) -> list[Unread]:
    """The claims that are no answered request, and why nothing is stored of them."""
    unread = []
    known = answered | _related(documents, answered)
    for claim in documents.of_type("Claim"):
        use = plain(claim.get("use").value).lower()
        with documents.issues.noting() as noted:
            if use in ("claim", "predetermination"):
                message = f"a {use} is not an authorization: claims go to the address for claims"
                claim.get("use").error(f"use-{use}", message)
            elif claim not in known:
                message = "a request without its answer is no authorization: nothing is stored"
                claim.tell("request-only", message)
        if noted:
            unread.append(Unread(pointer=claim.pointer, issues=tuple(noted.values())))
    return unread


def _related(documents: Documents, answered: set[Node]) -> set[Node]:
    """The earlier requests that answered ones update."""
    related = (
        documents.resolve(each.get("claim"))
        for claim in answered
        for each in claim.many("related")
        if each.has("claim")
    )
    return set(filter(None, related))


_NOTICES = frozenset(
    {"handshake", "heartbeat", "event-notification", "query-status", "query-event"}
)


def _is_status(resource: Node) -> bool:
    """Whether a resource is the status of a subscription: what was notified (R4: Parameters)."""
    if resource.resource_type == "Parameters":
        codes = {plain(each.get("valueCode").value) for each in _named(resource, "type")}
        return bool(codes & _NOTICES) or any(_named(resource, "notification-event"))
    return resource.resource_type == "SubscriptionStatus"


def _named(parameters: Node, name: str, list_: str = "parameter") -> list[Node]:
    return [each for each in parameters.many(list_) if plain(each.get("name").value) == name]


def _focuses(status: Node) -> Iterator[Node]:
    """The references to what a notification is about."""
    for event in _named(status, "notification-event"):
        yield from (each.get("valueReference") for each in _named(event, "focus", "part"))
    yield from (each.get("focus") for each in status.many("notificationEvent"))


def _notified(documents: Documents) -> list[Unread]:
    """What notifications name and do not bring: it is fetched from the sender, not by us."""
    unread = []
    for status in filter(_is_status, documents.resources):
        focuses = [each for each in _focuses(status) if plain(each.get("reference").value)]
        for focus in focuses:
            if documents.holds(focus):
                continue
            with documents.issues.noting() as noted:
                focus.tell("notified", "a notification of an id alone: fetch what it names")
            reference = plain(focus.get("reference").value)[:REFERENCE_CHARACTERS_MAX]
            issues = tuple(noted.values())
            unread.append(Unread(pointer=focus.pointer, issues=issues, reference=reference))
        if not focuses and not documents.of_type("ClaimResponse"):
            with documents.issues.noting() as noted:
                status.tell("notified-nothing", "a notification that names nothing to fetch")
            unread.append(Unread(pointer=status.pointer, issues=tuple(noted.values())))
    return unread


def _other(documents: Documents, *, is_notice: bool) -> None:
    for each in documents.of_type("ExplanationOfBenefit"):
        message = "an ExplanationOfBenefit is not read: send the ClaimResponse"
        each.warn("not-an-authorization", message)
    is_read = is_notice or any(documents.of_type(name) for name in ("ClaimResponse", "Claim"))
    if documents.resources and not is_read:
        message = "neither a ClaimResponse nor a Claim in the document"
        documents.resources[0].error("nothing-to-read", message)


def _once(
    found: Iterable[ReadAuthorization | Unread], documents: Documents
) -> Iterator[ReadAuthorization | Unread]:
    """Leave out what stands in the document again, as notifications do."""
    seen: dict[tuple[str, int], ReadAuthorization] = {}
    at = {each.pointer: each for each in documents.resources}
    for each in found:
        if isinstance(each, Unread):
            yield each
            continue
        key = each.authorization.authorization_id, each.authorization.version
        first = seen.setdefault(key, each)
        if first is each:
            yield each
        elif first.document == each.document:
            at[each.pointer].tell("twice", "the same response stands here again")
        else:
            with documents.issues.noting() as noted:
                message = "another response of the same id and time: the first was read"
                at[each.pointer].error("twice", message)
            yield Unread(
                pointer=each.pointer,
                issues=tuple(noted.values()),
                authorization_id=key[0],
                version=key[1],
            )
