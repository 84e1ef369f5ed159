"""Reads a 278: each event of a response becomes an authorization, or a refusal to look."""

from collections.abc import Iterator, Sequence

from service.domain import codes
from service.domain.authorization import Authorization
from service.ingest.x12.fields.mapping import filled
from service.ingest.x12.fields.people import (
    MEMBERS,
    Patient,
    Payer,
    checked_once,
    member_of,
    patient_of,
    read_payer,
    requester_of,
    take_requester,
)
from service.ingest.x12.fields.policy import ReadingPolicy
from service.ingest.x12.review._event import (
    Event,
    actions_of,
    asked_days,
    confirm_cancellation,
    decision_in,
    hold_undated,
    is_denied,
    kind_of,
    lines_of,
    messages_of,
    read_event,
    refusals_of,
    scope_of,
    sort_out,
    take_notice,
    undated,
)
from service.ingest.x12.review.identity import identity_in, person_in, version_of
from service.ingest.x12.wire.composites import Composites
from service.ingest.x12.wire.envelope import Handler
from service.ingest.x12.wire.excerpt import Excerpt, repeat_of
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import (
    AskedDays,
    AskedService,
    AuthorizationRead,
    Content,
    Document,
    InquiryRead,
    Level,
    Refusal,
    RequestRead,
    Transaction,
)
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.structure import REVIEW

_DECIDING = frozenset({"278-response", "278-notification"})
_MORE_TO_FOLLOW = "19"
REQUESTS_MAX = 10_000
"""The days of so many requests of a file are remembered for their answers."""

AskedFor = dict[tuple[str, str], dict[str, str]]
"""The days that requests asked for, by trace number and member."""

_TRACES_MAX = 20


class ReviewHandler(Handler):
    """Reads one 278 transaction set."""

    def __init__(
        self,
        transaction: Transaction,
        findings: Findings,
        policy: ReadingPolicy,
        asked_for: AskedFor,
    ) -> None:
        """Read by a policy; ``asked_for`` are the days of the requests of the file so far."""
        super().__init__(REVIEW, transaction, findings)
        self._asked_for = asked_for
        self._policy = policy
        self._composites = Composites()
        self._ids: dict[str, int] = {}
        self._asked: Loop | None = None
        self._is_empty = True

    def completed(self, loops: list[Loop]) -> list[Content]:
        """The events that are complete with these loops, and refusals of the levels above."""
        parts = [part for loop in loops for part in self._closed(loop)]
        self._is_empty = self._is_empty and not parts
        return parts

    def end(self, *, is_whole: bool) -> Sequence[Content]:
        """End the set; a response that gave nothing is told."""
        parts = super().end(is_whole=is_whole)
        if self._is_empty and self.transaction.kind in _DECIDING:
            self.findings.add("no-event", self.loops.header.start, loop=REVIEW.unit)
        return parts

    def _closed(self, loop: Loop) -> Iterator[Content]:
        findings = Findings(self.transaction.segment_index)
        is_inquiry = self.transaction.kind == "278-inquiry"
        if loop.name != REVIEW.unit:
            if is_inquiry and self._asks_for_all(loop):
                yield self._inquiry(loop, None, findings)
                return
            refusals = refusals_of(loop)
            if refusals:
                yield self._refusal(loop.name, refusals, [], findings)
            return
        if self.was_spoiled():
            yield self.unread(loop, findings, "event-unread", is_complete=False)
            return
        if not self._composites.settle(loop, findings):
            yield self.unread(loop, findings, "event-unread")
            return
        is_notice = self.transaction.kind == "278-notification"
        is_response = self.transaction.kind in _DECIDING
        if is_response and self.is_unplaced(loop, findings):
            yield self.unread(loop, findings, "event-unread")
            return
        decides, refuses = is_response or is_inquiry, self.loops.has_refusals
        event = read_event(loop, findings, decides=decides, refuses=refuses)
        event.is_notice = is_notice
        if is_inquiry:
            yield self._inquiry(loop, event, findings)
            return
        read = self._response if is_response else self._request
        yield read(loop, event, findings)

    def _response(self, loop: Loop, event: Event, findings: Findings) -> Content:
        refusals = list(event.draft.notes.get("refusals", ()))
        if self.loops.has_refusals:
            for above in loop.ancestors():
                refusals += refusals_of(above)
        if not event.is_decided:
            of_services = [each for one in event.services for each in one.notes.get("refusals", ())]
            if refusals or of_services:
                traces = event.draft.notes.get("traces", [])
                return self._refusal(loop.name, [*refusals, *of_services], traces, findings)
            if not event.is_notice:
                return self.unread(loop, findings, "no-decision")
            take_notice(event)
        elif refusals:
            findings.add("refused-and-decided", refusals[0], loop=loop.name)
        if not confirm_cancellation(event):
            findings.add("cancellation-unclear", loop.first("UM"), 2, loop=loop.name)
            return self.unread(loop, findings)
        patient = self._patient(loop, findings)
        self._date(loop, event, patient, findings)
        if not sort_out(event, findings, loop.within("2000F")) or patient is None:
            return self.unread(loop, findings, "event-unread")
        return self._authorization(loop, event, patient, findings)

    def _date(self, loop: Loop, event: Event, patient: Patient | None, findings: Findings) -> None:
        """Do with what was granted without a day as the payer says (DTP is situational there)."""
        if not undated(event):
            return
        if self._policy.undated_grants == "pended":
            findings.add("undated-pended", *decision_in(loop), loop=loop.name)
            hold_undated(event)
        elif self._policy.undated_grants == "requested" and patient is not None:
            names = self._names_of(event, patient)
            asked = next((self._asked_for[each] for each in names if each in self._asked_for), None)
            if asked is not None:
                findings.add("dates-requested", *decision_in(loop), loop=loop.name)
                event.draft.fields["requested_dates"] = asked
        if undated(event) and not (event.services or event.draft.is_unsure):
            findings.add("no-dates", *decision_in(loop), loop=loop.name)

    def _names_of(self, event: Event, patient: Patient) -> list[tuple[str, str]]:
        """The names by which a response and its request know each other: traces of a member."""
        member = self._policy.member_id_of(patient)
        traces = event.draft.notes.get("traces", ())
        return [(codes.bare(each[1]), member) for each in traces if codes.bare(each[1])]

    def _authorization(
        self, loop: Loop, event: Event, patient: Patient, findings: Findings
    ) -> Content:
        payer = _payer_of(loop)
        group = self.transaction.group
        sender = payer.id or group.sender or group.interchange.sender
        lines = lines_of(event, findings, quantity="limits")
        numbers = (event.draft.fields.get("number"), *(each.get("number") for each in lines))
        number = next(filter(None, numbers), None)
        actions = actions_of(event)
        identity = identity_in(
            event.draft,
            actions,
            kind=kind_of(event),
            person=person_in(patient, self._policy.member_id_of(patient)),
            requester=requester_of(loop.above("2000B")),
            number=number,
            place=(self.transaction.reference, loop.hl or "1"),
        )
        if identity is None:
            findings.add("no-identity", loop.first("HCR") or loop.start, 2, loop=loop.name)
            return self.unread(loop, findings)
        if not identity.is_by_number:
            findings.add("no-number", loop.start, loop=loop.name)
        version = version_of(self.transaction, actions)
        if version is None:
            findings.add("no-event-time", loop.start, loop=loop.name)
        own_id = self._once(identity.authorization_id, loop, findings)
        header = self._header(loop, event, patient, findings)
        document: Document = {
            "authorization_id": own_id,
            "version": version or 1,
            **(as_requested(header) if is_denied(event) else header),
        }
        if own_id == identity.authorization_id:
            document |= filled(
                {"aliases": list(identity.aliases), "supersedes": identity.supersedes}
            )
        document["source"] = self._source(sender)
        document["lines"] = lines
        return self._checked(loop, document, payer, findings)

    def _request(self, loop: Loop, event: Event, findings: Findings) -> Content:
        patient = self._patient(loop, findings)
        asked = asked_days(event)
        if patient and asked and len(self._asked_for) < REQUESTS_MAX:
            self._asked_for |= dict.fromkeys(self._names_of(event, patient), asked)
        document = as_requested(self._header(loop, event, patient, findings))
        document["lines"] = lines_of(event, findings, quantity="requested")
        return RequestRead(
            document=document,
            payer_id=_payer_of(loop).id,
            problems=tuple(findings.problems),
            transaction=self.transaction,
        )

    def _asks_for_all(self, loop: Loop) -> bool:
        """Whether a level without events is the patient of whom all is asked for."""
        asked, self._asked = self._asked, loop.parent if loop.name == "2000D" else None
        return loop.name == "2000D" or (loop.name == "2000C" and asked is not loop)

    def _inquiry(self, loop: Loop, event: Event | None, findings: Findings) -> Content:
        """Read an event that is asked for; without one, all of a member is."""
        patient = self._patient(loop, findings)
        fields = event.draft.fields if event else {}
        traces = event.draft.notes.get("traces", ()) if event else ()
        return InquiryRead(
            member_id=self._policy.member_id_of(patient) if patient else None,
            birth_date=patient.birth_date if patient else None,
            gender=patient.gender if patient else None,
            payer_id=_payer_of(loop).id,
            numbers=tuple(_numbers(event)) if event else (),
            category=fields.get("category"),
            service_type=fields.get("service_type"),
            days=tuple(_days(event)) if event else (),
            services=tuple(_services(event)) if event else (),
            provider_npis=tuple(_npis(event)) if event else (),
            traces=tuple((number, originator) for _, number, originator in traces),
            levels=tuple(_levels(loop)),
            problems=tuple(findings.problems),
            transaction=self.transaction,
        )

    def _header(
        self, loop: Loop, event: Event, patient: Patient | None, findings: Findings
    ) -> Document:
        take_requester(event.draft, loop.above("2000B"))
        fields = scope_of(event.draft)
        category = fields.pop("category", None)
        told = {
            "category": category,
            "relationship": patient.relationship if patient else None,
            "more_to_follow": self.transaction.purpose == _MORE_TO_FOLLOW,
        }
        attached = fields.pop("attached", {}) | filled(told)
        previous = fields.pop("previous_numbers", [])
        for service in event.services:
            previous = [*previous, *service.fields.get("previous_numbers", ())]
        traces: list[tuple[str, str, str]] = event.draft.notes.get("traces", [])
        header = {
            "kind": kind_of(event),
            "setting": event.setting,
            "form": self.transaction.guide or "278",
            "member": member_of(patient, self._policy.member_id_of) if patient else None,
            "previous_numbers": list(dict.fromkeys(previous))[:50],
            "trace_numbers": list(dict.fromkeys(each[1] for each in traces))[:_TRACES_MAX],
            "requester_reference": next((each[1] for each in traces if each[0] == "2"), None),
            "messages": messages_of(event),
            "attached": attached,
            **fields,
        }
        return filled(header)

    def _source(self, sender: str) -> Document:
        made_at = self.transaction.made_at
        return filled(
            {
                "system": sender.strip(),
                "event_time": f"{made_at.isoformat().removesuffix('+00:00')}Z" if made_at else None,
                "reference": self.transaction.reference,
            }
        )

    def _patient(self, loop: Loop, findings: Findings) -> Patient | None:
        stray = next((each for each in loop.loops if each.role in MEMBERS), None)
        if stray is not None and loop.name == REVIEW.unit:
            findings.add("two-members", stray.segments[0], loop=loop.name)
            return None
        own = {loop.name: loop}  # of an inquiry it may be the patient's own level
        dependent = own.get("2000D") or loop.above("2000D")
        names = ("2010C", "2010D", "2000D")
        return patient_of(own.get("2000C") or loop.above("2000C"), dependent, names, findings)

    def _once(self, authorization_id: str, loop: Loop, findings: Findings) -> str:
        """Tell two events of one message apart that have the same number."""
        count = repeat_of(loop.segments) or self._ids.get(authorization_id, 0) + 1
        self._ids[authorization_id] = count
        if count == 1:
            return authorization_id
        findings.add("number-repeated", loop.start, loop=loop.name)
        return f"{authorization_id}-{count}"

    def _checked(self, loop: Loop, document: Document, payer: Payer, findings: Findings) -> Content:
        authorization = self.fitting(Authorization, checked_once(document), "2000E", findings)
        if authorization is None:
            return self.unread(loop, findings)
        _, _, repeat = document["authorization_id"].partition("-")
        return AuthorizationRead(
            document=document,
            authorization=authorization,
            payer_id=payer.id,
            payer_name=payer.name,
            problems=tuple(findings.problems),
            transaction=self.transaction,
            excerpt=Excerpt(self.transaction.envelope, loop, repeat=int(repeat or 0)),
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
            transaction=self.transaction,
        )


def as_requested(document: Document) -> Document:
    """A header whose quantity is what was asked for."""
    limits = document.pop("limits", None)
    return {**document, "requested": limits} if limits else document


def _payer_of(loop: Loop) -> Payer:
    """Read the payer (2010A)."""
    level = loop.above("2000A")
    return read_payer(level.party("2010A") if level else None)


_ECHOED = frozenset({"NM1", "DMG", "INS", "REF"})
_LEVELS = ("2000A", "2000B", "2000C", "2000D")
_DAYS = ("effective", "requested_dates")
_NUMBERS_MAX = 50


def _numbers(event: Event) -> list[str]:
    """All numbers that are named: any may be the one by which it is known."""
    found: dict[str, None] = {}
    for draft in (event.draft, *event.services):
        for name in ("number", "administrative_reference"):
            if draft.fields.get(name):
                found[draft.fields[name]] = None
        for name in ("other_numbers", "previous_numbers"):
            found |= dict.fromkeys(draft.fields.get(name, ()))
    return list(found)[:_NUMBERS_MAX]


def _days(event: Event) -> Iterator[AskedDays]:
    found: dict[AskedDays, None] = {}
    for draft in (event.draft, *event.services):
        for name in _DAYS:
            span = draft.fields.get(name)
            if span:
                found[AskedDays(span.get("from"), span.get("to"))] = None
        admitted = draft.fields.get("admission", {})
        if admitted.get("date"):
            found[AskedDays(admitted["date"], admitted.get("discharge_date"))] = None
    return iter(found)


def _services(event: Event) -> Iterator[AskedService]:
    for draft in event.services:
        service = draft.notes.get("service") or {}
        revenue_code = draft.fields.get("revenue_code")
        if service or revenue_code:
            modifiers = tuple(service.get("modifiers", ()))
            yield AskedService(service.get("procedure"), modifiers, revenue_code)


def _npis(event: Event) -> list[str]:
    parties = (
        draft.fields.get(name, {})
        for draft in (event.draft, *event.services)
        for name in ("servicing_provider", "facility")
    )
    return list(dict.fromkeys(party["npi"] for party in parties if party.get("npi")))


def _levels(loop: Loop) -> list[Level]:
    """The levels that an answer echoes, the highest first: who asks whom about whom."""
    found: list[Level] = []
    for above in (loop, *loop.ancestors()):
        if above.name in _LEVELS:
            parties = [one for one in above.loops if one.is_party]
            segments = [each for one in parties for each in one.segments if each.id in _ECHOED]
            kind = above.segments[0].get(3).upper() if above.segments else ""
            found.append(Level(kind, tuple(segments)))
    return found[::-1]
