"""The life of a request: what is to be done with it next, and what an answer makes of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

from pydantic import AwareDatetime, Field

from service.domain.authorization import GRANTING_ACTIONS, Action, Authorization
from service.domain.moment import in_zone
from service.domain.request import AuthorizationRequest
from service.domain.values import Code, Frozen, Text

RequestStatus = Literal[
    "DRAFT",
    "PENDING",
    "PENDED",
    "APPROVED",
    "MODIFIED",
    "DENIED",
    "CANCELLED",
    "NOT_REQUIRED",
    "REFUSED",
]
"""``PENDING``: on its way, or with the payer and not answered (seed 000); ``PENDED``: the payer is
reviewing it. ``REFUSED``: the payer did not look at it (AAA), which is no denial."""

Step = Literal["send", "inquire", "attach"]

UNDECIDED: frozenset[str] = frozenset({"PENDING", "PENDED"})
GRANTED: frozenset[str] = frozenset({"APPROVED", "MODIFIED"})
PROCESSING_DELAY = "PROCESSING_DELAY"
_STATUSES: dict[str | None, RequestStatus] = {
    "A1": "APPROVED",
    "A2": "MODIFIED",
    "A6": "MODIFIED",
    "A3": "DENIED",
    "NA": "NOT_REQUIRED",
    "C": "CANCELLED",
}
_DELAYS = frozenset({"42", "80"})
"""Reject reasons (element 901): unable to respond at current time, no response received."""
_AGAIN, _HELD = frozenset({"", "P", "R"}), frozenset({"Y", "S"})
"""Follow-up (element 889): send the original again; it is held, and will be answered."""
_WAITS_DAYS = {"W": 30, "X": 10}
ANSWERS_MAX = 50


class Cadence(Frozen):
    """What a payer's rules say of waiting: pauses in seconds, terms in calendar days.

    ``inquire_s`` 0 asks only on demand. ``when_granted`` says whether charges are attached at once.
    """

    retry_s: float = Field(default=300.0, gt=0)
    inquire_s: float = Field(default=3600.0, ge=0)
    follow_up_days: int = Field(default=7, ge=1, le=365)
    expedited_follow_up_days: int = Field(default=3, ge=1, le=365)
    appeal_days: int = Field(default=60, ge=1, le=3650)
    when_granted: Literal["offer", "attach"] = "offer"


class Answer(Frozen):
    """What a payer said of a request, once.

    ``version`` orders answers as the authorizations that they became. ``refused`` are the reasons
    of a refusal to look (AAA03), ``follow_up`` is AAA04; ``wanted`` what it asks for (LOINC).
    """

    at: AwareDatetime
    version: int = 0
    action: Action | None = None
    authorization_id: Text | None = None
    number: Text | None = None
    reference: Text | None = None
    reasons: tuple[Code, ...] = ()
    wanted: tuple[Code, ...] = ()
    refused: tuple[Code, ...] | None = None
    follow_up: Text | None = None
    is_of_inquiry: bool = False

    @property
    def is_decision(self) -> bool:
        """Whether it says how the request stands."""
        return self.refused is None


class Request(Frozen):
    """A request with all that became of it.

    ``message`` is what is sent, the same bytes each time; ``inquiry`` what asks for it. At ``due``
    the ``step`` is taken. ``problem`` says why the last one led to nothing, without values.
    """

    asked: AuthorizationRequest
    trace: str
    status: RequestStatus = "DRAFT"
    made_at: AwareDatetime
    made_by: str = ""
    sent_at: AwareDatetime | None = None
    message: str | None = None
    step: Step | None = None
    due: AwareDatetime | None = None
    attempts: int = 0
    delivered_at: AwareDatetime | None = None
    problem: str | None = None
    row: str | None = None
    reference: str | None = None
    authorization_id: str | None = None
    number: str | None = None
    reasons: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    follow_up: date | None = None
    appeal_by: date | None = None
    answers: tuple[Answer, ...] = ()

    def put(self, **changes: object) -> "Request":
        """The request with something else in it."""
        return self.model_copy(update=changes)


def sent(request: Request, message: str, row: str | None, now: datetime) -> Request:
    """The request on its way, at once; it is PENDING from now on."""
    return request.put(
        status="PENDING", message=message, row=row, sent_at=now, step="send", due=now
    )


def tried(request: Request, problem: str, cadence: Cadence, now: datetime) -> Request:
    """The request after a step that led to nothing: it is taken again, when the pause is over."""
    is_inquiry = request.step == "inquire"
    pause = (cadence.inquire_s if is_inquiry else 0) or cadence.retry_s
    return request.put(
        problem=problem, attempts=request.attempts + 1, due=now + timedelta(seconds=pause)
    )


def delivered(request: Request, cadence: Cadence, now: datetime) -> Request:
    """The request that the payer has, and did not answer yet; one that was answered is as it is."""
    if request.status not in UNDECIDED:
        return request
    at = request.delivered_at or now
    return _waiting(request.put(delivered_at=at, problem=None), cadence, now).put(
        attempts=request.attempts + 1
    )


def _waiting(request: Request, cadence: Cadence, now: datetime) -> Request:
    """One about which the payer is asked now and then, if that is the rule."""
    if not cadence.inquire_s:
        return request.put(step=None, due=None)
    return request.put(step="inquire", due=now + timedelta(seconds=cadence.inquire_s))


def refused_by_form(request: Request, reason: str) -> Request:
    """The request that the payer could not read: it must be corrected."""
    return request.put(status="REFUSED", step=None, due=None, problem=reason)


def answered(request: Request, answer: Answer, cadence: Cadence, zone: tzinfo = UTC) -> Request:
    """What an answer makes of a request; one that came before, or that is older, changes nothing.

    A refusal never takes back a decision. Terms are days of the payer's time zone.
    """
    if any(_is_same(each, answer) for each in request.answers):
        return request
    told = request.put(answers=(*request.answers, answer)[-ANSWERS_MAX:])
    if not answer.is_decision:
        return _refused(told, answer, cadence) if request.status in UNDECIDED else told
    newest = max((each.version for each in request.answers if each.is_decision), default=0)
    if answer.version < newest:
        return told
    return _decided(told, answer, cadence, in_zone(answer.at, zone).date())


def _is_same(one: Answer, other: Answer) -> bool:
    if not other.is_decision:
        return False
    return (one.version, one.action, one.authorization_id) == (
        other.version,
        other.action,
        other.authorization_id,
    )


def _refused(request: Request, answer: Answer, cadence: Cadence) -> Request:
    reasons, follow_up = answer.refused or (), answer.follow_up or ""
    if answer.is_of_inquiry:  # it was not found there, which decides nothing
        return _waiting(
            request.put(problem=f"inquiry refused: {_told(reasons)}"), cadence, answer.at
        )
    if follow_up in _HELD:
        return _waiting(request.put(problem=PROCESSING_DELAY), cadence, answer.at)
    days = _WAITS_DAYS.get(follow_up)
    if days is not None or (_DELAYS.intersection(reasons) and follow_up in _AGAIN):
        pause = timedelta(days=days) if days else timedelta(seconds=cadence.retry_s)
        return request.put(problem=PROCESSING_DELAY, step="send", due=answer.at + pause)
    return request.put(
        status="REFUSED", reasons=reasons, step=None, due=None, problem=f"refused: {_told(reasons)}"
    )


def _told(reasons: Sequence[str]) -> str:
    return ", ".join(reasons) or "without a reason"


def _decided(request: Request, answer: Answer, cadence: Cadence, day: date) -> Request:
    status = _STATUSES.get(answer.action, "PENDED")
    days = cadence.follow_up_days
    if request.asked.is_expedited:
        days = cadence.expedited_follow_up_days
    # An answer that says the same again puts no term off: they are asked for every hour.
    is_same = request.status == status
    follow_up, appeal_by = (request.follow_up, request.appeal_by) if is_same else (None, None)
    found = request.put(
        status=status,
        delivered_at=request.delivered_at or answer.at,
        problem=None,
        reference=answer.reference or request.reference,
        authorization_id=answer.authorization_id,
        number=answer.number,
        reasons=answer.reasons,
        wanted=answer.wanted,
        follow_up=(follow_up or day + timedelta(days=days)) if status == "PENDED" else None,
        appeal_by=(appeal_by or day + timedelta(days=cadence.appeal_days))
        if status == "DENIED"
        else None,
        step=None,
        due=None,
    )
    if status in GRANTED and cadence.when_granted == "attach" and found.asked.charges:
        return found.put(step="attach", due=answer.at)
    return _waiting(found, cadence, answer.at) if status == "PENDED" else found


def answer_of(authorization: Authorization, wanted: Sequence[str], at: datetime) -> Answer:
    """What an authorization says of the request that it answers.

    Where its lines differ it is as a whole what an event would say: some of it granted is A2.
    """
    decision = authorization.decision
    own = decision.action if decision else None
    actions = {
        (each.decision.action if each.decision and each.decision.action else own)
        for each in authorization.lines
        if each.removed_on is None
    } or {own}
    if len(actions) == 1:
        own = actions.pop()
    elif own is None:
        own = "A2" if GRANTING_ACTIONS & actions else None
    reasons = [*(decision.reasons if decision else ())]
    reasons += [
        each for line in authorization.lines if line.decision for each in line.decision.reasons
    ]
    numbers = (authorization.number, *(each.number for each in authorization.lines))
    return Answer(
        at=at,
        version=authorization.version,
        action=own,
        authorization_id=authorization.authorization_id,
        number=next(filter(None, numbers), None),
        reference=authorization.administrative_reference,
        reasons=tuple(dict.fromkeys(reasons)),
        wanted=tuple(dict.fromkeys(wanted)),
    )


FOLLOWING: dict[str, tuple[str, ...]] = {
    "PENDING": ("S", "3"),
    "PENDED": ("S", "3"),
    "APPROVED": ("R", "S", "4", "3"),
    "MODIFIED": ("R", "S", "4", "1", "2", "N", "3"),
    "DENIED": ("I", "1", "2", "N"),
    "REFUSED": ("I",),
    "CANCELLED": ("I",),
}
"""Which messages may follow on a request (UM02). A denied one is not updated: a new one is needed
(PAS), or an appeal."""
