"""Reads a 278: each event of a response becomes an authorization, or a refusal to look."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from pydantic import ValidationError

from service.domain.authorization import Authorization
from service.ingest.x12.loops import Loop, Walker
from service.ingest.x12.problem import Findings
from service.ingest.x12.results import (
    AuthorizationRead,
    Content,
    Document,
    Refusal,
    RequestRead,
    Transaction,
    Unread,
)
from service.ingest.x12.review_event import (
    Event,
    actions_of,
    confirm_cancellation,
    kind_of,
    lines_of,
    read_event,
    scope_of,
    setting_of,
    sort_out,
)
from service.ingest.x12.review_identity import identity_of, version_of
from service.ingest.x12.review_parties import MemberIdOf, Patient, patient_of, take_requester
from service.ingest.x12.segment import Segment
from service.ingest.x12.structures import REVIEW

_MORE_TO_FOLLOW = "19"
_TRACES_MAX = 20


class ReviewHandler:
    """Reads one 278 transaction set."""

    def __init__(
        self, transaction: Transaction, findings: Findings, member_id_of: MemberIdOf
    ) -> None:
        """Take what the set is; ``findings`` are those of the whole set."""
        self._transaction = transaction
        self._member_id_of = member_id_of
        self._walker = Walker(REVIEW, findings)
        self._is_spoiled = False
        self._ids: dict[str, int] = {}

    def take(self, segment: Segment) -> Sequence[Content]:
        """Take a segment; give the events that it completes."""
        closed = self._walker.take(segment)
        return [part for loop in closed for part in self._closed(loop)] if closed else ()

    def spoil(self) -> None:
        """Leave out the event that is open: a part of it was lost."""
        self._is_spoiled = True

    def end(self, *, is_whole: bool) -> Sequence[Content]:
        """Give the last event, if it is whole."""
        self._is_spoiled = self._is_spoiled or not is_whole
        return [part for loop in self._walker.end() for part in self._closed(loop)]

    def _closed(self, loop: Loop) -> Iterator[Content]:
        findings = Findings(self._transaction.segment_index)
        if loop.name != REVIEW.unit:
            refusals = _refusals_of(loop)
            if refusals:
                yield self._refusal(loop.name, refusals, [], findings)
            return
        spoiled, self._is_spoiled = self._is_spoiled or self._walker.overflowed(), False
        if spoiled:
            findings.add("event-unread", loop.start, loop=loop.name)
            yield self._unread(findings)
            return
        is_response = self._transaction.kind == "278-response"
        event = read_event(loop, findings, decides=is_response)
        yield (
            self._response(loop, event, findings)
            if is_response
            else self._request(loop, event, findings)
        )

    def _response(self, loop: Loop, event: Event, findings: Findings) -> Content:
        refusals = list(event.draft.notes.get("refusals", ()))
        above: Loop | None = loop.parent
        while above is not None:
            refusals += _refusals_of(above)
            above = above.parent
        if not event.is_decided:
            of_services = [each for one in event.services for each in one.notes.get("refusals", ())]
            if refusals or of_services:
                traces = event.draft.notes.get("traces", [])
                return self._refusal(loop.name, [*refusals, *of_services], traces, findings)
            findings.add("no-decision", loop.start, loop=loop.name)
            return self._unread(findings)
        if refusals:
            findings.add("refused-and-decided", refusals[0], loop=loop.name)
        if not confirm_cancellation(event):
            findings.add("cancellation-unclear", loop.first("UM"), 2, loop=loop.name)
            return self._unread(findings)
        patient = self._patient(loop, findings)
        if not sort_out(event, findings, list(loop.within("2000F"))) or patient is None:
            findings.add("event-unread", loop.start, loop=loop.name)
            return self._unread(findings)
        return self._authorization(loop, event, patient, findings)

    def _authorization(
        self, loop: Loop, event: Event, patient: Patient, findings: Findings
    ) -> Content:
        payer_id, payer_name = _payer(loop)
        group = self._transaction.group
        sender = payer_id or group.sender or group.interchange.sender
        lines = lines_of(event, findings, quantity="limits")
        numbers = (event.draft.fields.get("number"), *(each.get("number") for each in lines))
        number = next(filter(None, numbers), None)
        actions = actions_of(event)
        identity = identity_of(sender, event.draft, number, actions)
        if identity is None:
            findings.add("no-identity", loop.start, loop=loop.name)
            return self._unread(findings)
        if not identity.is_by_number:
            findings.add("no-number", loop.start, loop=loop.name)
        version = version_of(self._transaction, actions)
        if version is None:
            findings.add("no-event-time", loop.start, loop=loop.name)
        document: Document = {
            "authorization_id": self._once(identity.authorization_id, loop, findings),
            "version": version or 1,
            **self._header(loop, event, patient, findings),
        }
        if identity.supersedes and identity.supersedes != document["authorization_id"]:
            document["supersedes"] = identity.supersedes
        document["source"] = self._source(sender)
        document["lines"] = lines
        return self._checked(document, payer_id, payer_name, findings)

    def _request(self, loop: Loop, event: Event, findings: Findings) -> Content:
        patient = self._patient(loop, findings)
        document = self._header(loop, event, patient, findings)
        limits = document.pop("limits", None)
        if limits:
            document["requested"] = limits
        document["lines"] = lines_of(event, findings, quantity="requested")
        return RequestRead(
            document=document,
            payer_id=_payer(loop)[0],
            problems=tuple(findings.problems),
            transaction=self._transaction,
        )

    def _header(
        self, loop: Loop, event: Event, patient: Patient | None, findings: Findings
    ) -> Document:
        take_requester(event.draft, loop.above("2000B"))
        fields = scope_of(event.draft)
        category = fields.pop("category", None)
        attached: dict[str, Any] = dict(fields.pop("attached", {}))
        if category:
            attached["category"] = category
        if patient and patient.relationship:
            attached["relationship"] = patient.relationship
        if self._transaction.purpose == _MORE_TO_FOLLOW:
            attached["more_to_follow"] = True
        previous = list(fields.pop("previous_numbers", ()))
        for service in event.services:
            previous += service.fields.get("previous_numbers", ())
        traces: list[tuple[str, str, str]] = event.draft.notes.get("traces", [])
        told: Document = {
            "kind": kind_of(event),
            "setting": setting_of(event),
            "form": self._transaction.guide or "278",
            "member": _member(patient, self._member_id_of) if patient else None,
            "previous_numbers": list(dict.fromkeys(previous))[:50],
            "trace_numbers": list(dict.fromkeys(each[1] for each in traces))[:_TRACES_MAX],
            "requester_reference": next((each[1] for each in traces if each[0] == "2"), None),
            "messages": _messages(event),
            "attached": attached,
            **fields,
        }
        return {name: value for name, value in told.items() if value not in (None, [], {})}

    def _source(self, sender: str) -> Document:
        made_at = self._transaction.made_at
        source = {
            "system": sender.strip() or None,
            "event_time": made_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            if made_at
            else None,
            "reference": self._transaction.reference or None,
        }
        return {name: value for name, value in source.items() if value}

    def _patient(self, loop: Loop, findings: Findings) -> Patient | None:
        dependent = loop.above("2000D")
        names = ("2010C", "2010D")
        patient = patient_of(loop.above("2000C"), dependent, names, findings)
        if patient and patient.is_dependent and patient.own_id is None:
            findings.add("dependent", dependent.start if dependent else None, loop="2000D")
        return patient

    def _once(self, authorization_id: str, loop: Loop, findings: Findings) -> str:
        """Tell two events of one message apart that have the same number."""
        count = self._ids.get(authorization_id, 0) + 1
        self._ids[authorization_id] = count
        if count == 1:
            return authorization_id
        findings.add("number-repeated", loop.start, loop=loop.name)
        return f"{authorization_id}-{count}"

    def _checked(
        self, document: Document, payer_id: str | None, payer_name: str | None, findings: Findings
    ) -> Content:
        try:
            authorization = Authorization.model_validate(document)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False)[:20]:
                where = ".".join(map(str, each["loc"])) or "the whole"
                findings.add("not-accepted", loop="2000E", detail=f"{where}: {each['type']}")
            return self._unread(findings)
        return AuthorizationRead(
            document=document,
            authorization=authorization,
            payer_id=payer_id,
            payer_name=payer_name,
            problems=tuple(findings.problems),
            transaction=self._transaction,
        )

    def _unread(self, findings: Findings) -> Unread:
        return Unread(
            loop="2000E", problems=tuple(findings.problems), transaction=self._transaction
        )

    def _refusal(
        self,
        loop: str,
        segments: list[Segment],
        traces: list[tuple[str, str, str]],
        findings: Findings,
    ) -> Refusal:
        findings.add("refused", segments[0], loop=loop)
        return Refusal(
            loop=loop,
            reasons=tuple(dict.fromkeys(each.get(3)[:10] for each in segments if each.get(3))),
            follow_up=next((each.get(4)[:10] for each in segments if each.get(4)), None),
            trace_numbers=tuple(each[1] for each in traces),
            problems=tuple(findings.problems),
            transaction=self._transaction,
        )


def _refusals_of(loop: Loop) -> list[Segment]:
    return [*loop.all("AAA"), *(each for party in loop.loops for each in party.all("AAA"))]


def _payer(loop: Loop) -> tuple[str | None, str | None]:
    payer = loop.above("2000A")
    party: Any = next(payer.within("2010A"), None) if payer else None
    if party is None:
        return None, None
    nm1: Segment = party.segments[0]
    return nm1.get(9)[:100] or None, nm1.get(3)[:200] or None


def _member(patient: Patient, member_id_of: MemberIdOf) -> Document:
    told = {
        "id": member_id_of(patient),
        "subscriber_id": patient.subscriber_id,
        "birth_date": patient.birth_date,
        "gender": patient.gender,
    }
    return {name: value for name, value in told.items() if value}


def _messages(event: Event) -> list[Document]:
    return [
        {"code": draft.loop, "text": text}
        for draft in (event.draft, *event.services)
        for text in draft.notes.get("messages", ())
    ][:500]
