"""By when a request must be decided, and whether it was: the clocks of CMS-0057-F.

An expedited request has 72 hours, a standard one 7 calendar days (42 CFR 422.568(b), 422.572(a),
438.210(d)); either may be extended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

from service.domain.authorization import VOID_ACTION, Authorization, Scope
from service.domain.codes import bare
from service.domain.effective import effective_action

EXPEDITED_HOURS, STANDARD_DAYS = 72, 7
EXPEDITED = frozenset({"U", "03"})
"""Urgent, and emergency (X12 element 1338, UM06)."""
DECIDED_ACTIONS = frozenset({"A1", "A2", "A3", "A6", "NA"})
"""What decides a request (HCR01); A4 and CT leave it open, C takes it back."""

Standing = Literal["open", "overdue", "in-time", "late", "withdrawn", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionClock:
    """When a request was received, is due and was decided; None is not known, or not yet.

    ``is_extended``: the time to decide was put off until ``due``.
    """

    received: datetime | None
    is_expedited: bool
    is_extended: bool = False
    due: datetime | None = None
    decided: datetime | None = None
    is_withdrawn: bool = False

    def stands(self, at: datetime) -> Standing:
        """How the request stands at a time; unknown where nobody said when it was received."""
        if self.is_withdrawn and self.decided is None:
            return "withdrawn"
        if self.due is None:
            return "unknown"
        if self.decided is not None:
            return "in-time" if self.decided <= self.due else "late"
        return "open" if at <= self.due else "overdue"

    @property
    def hours(self) -> float | None:
        """The hours from receipt to decision; None where either is not known, or out of order."""
        if self.received is None or self.decided is None or self.decided < self.received:
            return None
        return (self.decided - self.received) / timedelta(hours=1)


def decision_clock(authorization: Authorization, zone: tzinfo) -> DecisionClock:
    """The clock of one version of an authorization; days are those of the payer's time zone.

    It was received when it says so. One that is not decided yet was received at the latest when the
    message about it was made.
    """
    decided, is_withdrawn = _decided(authorization)
    received = authorization.received_at
    if received is None and decided is None:
        received = authorization.source.event_time
    urgencies = (each.urgency for each in (authorization, *authorization.lines) if each.urgency)
    is_expedited = not EXPEDITED.isdisjoint(map(bare, urgencies))
    put_off = authorization.decision_extended_to
    return DecisionClock(
        received=received,
        is_expedited=is_expedited,
        is_extended=put_off is not None,
        due=put_off or (received and due_at(received, zone, is_expedited=is_expedited)),
        decided=decided,
        is_withdrawn=is_withdrawn,
    )


def due_at(received: datetime, zone: tzinfo, *, is_expedited: bool) -> datetime:
    """By when a request that was received at a time is to be decided, without an extension.

    Hours count from the receipt; days from the day after it, to the end of the last one.
    """
    try:
        if is_expedited:
            return received.astimezone(UTC) + timedelta(hours=EXPEDITED_HOURS)
        after = received.astimezone(zone).date() + timedelta(days=STANDARD_DAYS + 1)
        return datetime.combine(after, time(), zone)
    except OverflowError:  # the calendar ends before
        return datetime.max.replace(tzinfo=UTC)


def _decided(authorization: Authorization) -> tuple[datetime | None, bool]:
    """When the last part of it was decided, if all are; and whether all of it was taken back."""
    scopes: Iterable[Scope] = authorization.lines or (authorization,)
    actions = {effective_action(each, authorization) for each in scopes}
    if actions <= {VOID_ACTION}:
        return None, True
    if not actions <= DECIDED_ACTIONS | {VOID_ACTION}:
        return None, False
    own = (each.decision.decided_at for each in scopes if each.decision)
    of_header = authorization.decision.decided_at if authorization.decision else None
    told = [each for each in (*own, of_header) if each is not None]
    return max(told, default=authorization.source.event_time), False
