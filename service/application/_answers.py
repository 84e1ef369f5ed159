"""Joins what payers answer to the requests that they answer: by trace number and person."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

from service.application.parts import Application
from service.domain import codes
from service.domain.actor import Actor
from service.domain.authorization import Authorization
from service.domain.engine_fault import EngineFault
from service.domain.request_life import Answer, Cadence, Request, answer_of, answered
from service.domain.submission import Notice, Submission
from service.domain.values import Version
from service.flow.intake import TAKEN, Taken
from service.settings import TradingPartner

TRACE = re.compile(r"\bAM[0-9A-F]{18}\b")
"""How trace numbers of ours look: nothing is looked up for others."""
_ASKS_FOR = "LOI"
_ROW_VOID: Version = 2


def cadence_of(parts: Application, payer: str) -> Cadence:
    """The payer's rules of waiting; the usual ones where there is no trading partner (any more)."""
    partner = parts.settings.trading_partners.get(payer)
    return Cadence() if partner is None else _cadence(partner)


def _cadence(partner: TradingPartner) -> Cadence:
    return Cadence(**{name: getattr(partner, name) for name in Cadence.model_fields})


async def asked_days(
    parts: Application, payer: str, text: str
) -> dict[tuple[str, str], dict[str, str]]:
    """The days that we asked for in requests whose trace numbers stand in a text; EngineFault."""
    found = {}
    for trace in set(TRACE.findall(text)):
        kept = await parts.stores.requests.by_trace(payer, trace)
        if kept is not None:
            asked = kept.request.asked
            span = asked.requested_dates.model_dump(mode="json", by_alias=True, exclude_none=True)
            found[trace, asked.member.id] = span
    return found


async def joined(
    parts: Application, payer: str, taken: AsyncIterable[Taken | Notice], actor: Actor
) -> AsyncIterator[Taken | Notice]:
    """Give on what was taken in, after the requests know of it that it answers.

    One whose request could not be told has failed: it is to be sent again.
    """
    async for each in taken:
        if isinstance(each, Taken) and (traces := _traces_in(each.submission)):
            try:
                for trace in traces:
                    await _join(parts, payer, trace, each, actor)
            except EngineFault as fault:
                each.result.update({"status": "failed", "reason": str(fault)})
        yield each


def _traces_in(submission: Submission) -> list[str]:
    named: Iterable[str | None] = ()
    if submission.pushed is not None:
        authorization = submission.pushed.authorization
        named = (authorization.requester_reference, *authorization.trace_numbers)
    elif submission.refusal is not None:
        named = submission.refusal.traces
    return [each for each in dict.fromkeys(named) if each and TRACE.fullmatch(each)]


async def _join(parts: Application, payer: str, trace: str, taken: Taken, actor: Actor) -> None:
    """Tell the request of a trace number what was answered, if it is of the same person."""
    submission, result = taken.submission, taken.result
    at, cadence = datetime.now(UTC), cadence_of(parts, payer)
    answer = _answer(submission, result, at)

    def told(request: Request) -> Request:
        pushed = submission.pushed
        if pushed is not None and not _is_same_person(request, pushed.authorization):
            return request
        if answer is None:
            return request.put(problem=f"an answer was not taken: {result['status']}")
        return answered(request, answer, cadence, parts.settings.zone)

    request = await parts.stores.requests.change(payer, trace, told)
    if request is not None and answer is not None:
        await _clear_row(parts, payer, request, actor)


def _answer(submission: Submission, result: dict[str, Any], at: datetime) -> Answer | None:
    """What was said; None where it was not taken in."""
    refusal, pushed = submission.refusal, submission.pushed
    if refusal is not None:
        return Answer(
            at=at,
            refused=refusal.reasons,
            follow_up=refusal.follow_up or None,
            is_of_inquiry=refusal.is_of_inquiry,
        )
    if pushed is None or result["status"] not in TAKEN:
        return None
    authorization = pushed.authorization
    found = answer_of(authorization, _wanted(authorization), at)
    return found.model_copy(update={"authorization_id": result["authorization_id"]})


def _wanted(authorization: Authorization) -> list[str]:
    """What the payer asks for: LOINC codes of HI*LOI, or of a CommunicationRequest or Task."""
    found: list[str] = []
    for scope in (authorization, *authorization.lines):
        attached: dict[str, Any] = scope.attached
        told = attached.get("health_codes", [])
        found += [each[1] for each in told if each[0].upper() == _ASKS_FOR and len(each) > 1]
        found += attached.get("information_wanted", [])
    return found


def _is_same_person(request: Request, authorization: Authorization) -> bool:
    return codes.bare(request.asked.member.id) == codes.bare(authorization.member.id)


async def _clear_row(parts: Application, payer: str, request: Request, actor: Actor) -> None:
    """Withdraw the row that stood for the request, where the answer is no version of it."""
    row, found = request.row, request.authorization_id
    if row is None or found in (None, row):
        return
    stored = await parts.stores.reading.get(payer, row)
    if (
        stored is None
        or stored.source.get("authorization_id") != row
        or not stored.state.get("current", True)
    ):
        return
    if stored.source["version"] < _ROW_VOID:
        await parts.stores.entrance.withdraw_or_queue(payer, row, _ROW_VOID, actor)
