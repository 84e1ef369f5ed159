"""How an authorization stands on a day, in the words that people use for it.

It is derived each time, and stored nowhere: a status that is kept is wrong the next morning.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args

from service.accounting.answers.statement import AccountsState, statement
from service.accounting.limits.bounds import bounds_of
from service.domain.answers import StatementAnswer
from service.domain.authorization import GRANTING_ACTIONS, Authorization, AuthorizationLine, Scope
from service.domain.effective import effective_action, effective_days
from service.domain.values import DateSpan

Status = Literal[
    "ACTIVE", "PENDING", "EXHAUSTED", "EXPIRED", "UPCOMING", "DENIED", "SUPERSEDED", "VOID"
]
"""How an authorization stands: the first four are those of seed 000 (Find an existing auth)."""

STATUSES: Sequence[Status] = get_args(Status)
ACTIVE_ACTIONS = GRANTING_ACTIONS | {"NA"}
"""Under which a service may be given: granted, or nothing has to be (HCR01)."""


def status_of(
    authorization: Authorization,
    state: Mapping[str, Any],
    accounts: Iterable[StatementAnswer],
    day: date,
) -> Status:
    """Give the status on a day: what is gone comes first, then decision, days, and what is left.

    Lines decide where there are some, each with its own decision and days, or the header's. It is
    exhausted when nothing is left of its header, or of every line that is granted on that day.
    """
    gone = _gone(authorization, state)
    if gone is not None:
        return gone
    scopes = [(each, effective_days(each, authorization)) for each in _scopes(authorization)]
    kept = [(each, days) for each, days in scopes if days is not None]
    if not kept:
        return "VOID"
    actions = [effective_action(each, authorization) for each, _ in kept]
    granted = [each for each, action in zip(kept, actions, strict=True) if action in ACTIVE_ACTIONS]
    if not granted:
        return "DENIED" if set(actions) == {"A3"} else "PENDING"
    valid = [each for each, days in granted if _where(days, day) == 0]
    if not valid:
        is_over = all(_where(days, day) > 0 for _, days in granted)
        return "EXPIRED" if is_over else "UPCOMING"
    return "EXHAUSTED" if _is_exhausted(accounts, valid) else "ACTIVE"


def _gone(authorization: Authorization, state: Mapping[str, Any]) -> Status | None:
    if state.get("void") or authorization.is_void:
        return "VOID"
    return None if state.get("current", True) else "SUPERSEDED"


def status_by_accounts(
    authorization: Authorization, state: Mapping[str, Any], held: AccountsState, day: date
) -> Status:
    """Give the same, from the accounts as they are held."""
    return status_of(authorization, state, statement(held, bounds_of(authorization)), day)


def _scopes(authorization: Authorization) -> Sequence[Scope]:
    return authorization.lines or (authorization,)


def _where(days: DateSpan, day: date) -> int:
    """Whether a day is before (-1), within (0) or after (1) others."""
    if days.to is not None and days.to < day:
        return 1
    return -1 if days.from_ is not None and day < days.from_ else 0


def _is_exhausted(accounts: Iterable[StatementAnswer], valid: Iterable[Scope]) -> bool:
    gone = {each["line"] for each in accounts if each["boundary"] == "total" and each["exhausted"]}
    lines = {each.line for each in valid if isinstance(each, AuthorizationLine)}
    return None in gone or (bool(lines) and lines <= gone)
