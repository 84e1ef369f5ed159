"""Reads what a 278 inquiry asks for (005010X215): it decides nothing, and is answered, not stored.

What is to be echoed in the answer is kept as the segments that came.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from service.ingest.x12.fields.people import MemberIdOf, Patient
from service.ingest.x12.review.event import Event
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import (
    AskedDays,
    AskedService,
    InquiryRead,
    Level,
    Transaction,
)

_ECHOED = frozenset({"NM1", "DMG", "INS", "REF"})
_LEVELS = ("2000A", "2000B", "2000C", "2000D")
_DAYS = ("effective", "requested_dates")
_NUMBERS_MAX = 50


@dataclass(frozen=True, slots=True)
class Asking:
    """Of whom an inquiry asks, and how a member is named."""

    patient: Patient | None
    payer_id: str | None
    member_id_of: MemberIdOf


def read_inquiry(
    loop: Loop, event: Event | None, asking: Asking, transaction: Transaction, findings: Findings
) -> InquiryRead:
    """Read an event that is asked for; without one, all of a member is."""
    patient = asking.patient
    fields = event.draft.fields if event else {}
    traces = event.draft.notes.get("traces", ()) if event else ()
    return InquiryRead(
        member_id=asking.member_id_of(patient) if patient else None,
        birth_date=patient.birth_date if patient else None,
        gender=patient.gender if patient else None,
        payer_id=asking.payer_id,
        numbers=tuple(_numbers(event)) if event else (),
        category=fields.get("category"),
        service_type=fields.get("service_type"),
        days=tuple(_days(event)) if event else (),
        services=tuple(_services(event)) if event else (),
        provider_npis=tuple(_npis(event)) if event else (),
        traces=tuple((number, originator) for _, number, originator in traces),
        levels=tuple(_levels(loop)),
        problems=tuple(findings.problems),
        transaction=transaction,
    )


def _numbers(event: Event) -> list[str]:
    """Give all numbers that are named: any may be the one by which it is known."""
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
    """Give the levels that an answer echoes, the highest first: who asks whom about whom."""
    found: list[Level] = []
    above: Loop | None = loop
    while above is not None:
        if above.name in _LEVELS:
            parties = [one for one in above.loops if one.is_party]
            segments = [each for one in parties for each in one.segments if each.id in _ECHOED]
            kind = above.segments[0].get(3).upper() if above.segments else ""
            found.append(Level(kind, tuple(segments)))
        above = above.parent
    return found[::-1]
