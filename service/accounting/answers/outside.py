"""Which lines of a claim fall outside of an authorization that changed after they were drawn."""

from collections.abc import Iterable, Iterator
from datetime import date

from service.accounting.books.claim_state import ClaimState
from service.accounting.books.record import Draft
from service.accounting.books.rows import HeldRow
from service.accounting.limits.choice import scope_of, window_of
from service.accounting.planning.counting import service_days, units_by_day
from service.domain.adjudication import Adjudication
from service.domain.authorization import GRANTING_ACTIONS, Authorization
from service.domain.claim import Claim, ServiceLine
from service.domain.effective import effective_action
from service.domain.values import DateSpan

_DAYS = "DA"
_OUT_OF_TIME = frozenset({"expired", "not_yet_effective"})


def lines_outside(
    claim: ClaimState, draft: Draft, authorization: Authorization, *, is_void: bool
) -> tuple[int, ...]:
    """The claim lines that hold units which the authorization, as it stands now, does not grant.

    Its line is gone, or does not grant any more; or days of what was drawn lie outside. What was so
    when it was drawn is not asked again.
    """
    rows = [row for row in claim.rows if row.authorization_id == authorization.authorization_id]
    if not claim.is_held or not rows:
        return ()
    if is_void:
        return tuple(sorted({row.line for row in rows}))
    sent = Adjudication.model_validate_json(draft["sent"])
    return tuple(sorted(set(_outside(rows, sent, draft, authorization))))


def _outside(
    rows: Iterable[HeldRow], sent: Claim, draft: Draft, authorization: Authorization
) -> Iterator[int]:
    name = authorization.authorization_id
    known = draft["authorizations"].get(name)
    lines = {line.line: line for line in sent.lines}
    numbers = {each.line for each in authorization.lines} or {0}
    for row in rows:
        number, line = row.authorization_line, lines[row.line]
        if number not in numbers:
            yield row.line
            continue
        action = effective_action(scope_of(authorization, number), authorization)
        before = known["actions"].values() if known else ()
        if action not in GRANTING_ACTIONS and action not in before:
            yield row.line
            continue
        flags = known["flags"].get(str(row.line), ()) if known else ()
        window = window_of(authorization, number)
        if _OUT_OF_TIME.isdisjoint(flags) and not _covers(window, days_of(row, sent, line)):
            yield row.line


def days_of(row: HeldRow, claim: Claim, line: ServiceLine) -> list[date]:
    """The days on which fall the units of a row."""
    days = service_days(claim, line) or ()
    by_day = units_by_day(line, days, is_daily=line.unit == _DAYS)
    if by_day is None:
        return list(days)
    found, first = [], 0
    for day, units in by_day:
        if first < row.start + row.units and row.start < first + units:
            found.append(day)
        first += units
    return found


def _covers(window: DateSpan | None, days: Iterable[date]) -> bool:
    if window is None:
        return False
    first, last = window.from_ or date.min, window.to or date.max
    return all(first <= day <= last for day in days)
