"""An authorization as it is used: its statement, over time, and by the claims that drew on it.

The statement has every boundary, its limit, and what is used, reserved and left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from service.accounting.answers.used import Write, account_name, balance
from service.accounting.books.books import Moved
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.plan import Bounds
from service.accounting.books.scale import written, written_amount
from service.domain.answers import (
    DrawnByClaim,
    LimitBalance,
    LineAnswer,
    RelatedClaim,
    RelatedLine,
    StatementAnswer,
    StoredAnswer,
    UtilizationAnswer,
)
from service.domain.values import WEEKDAYS, Weekday

TimeStep = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """An account as it stands; ``ended_on``: its line is no longer part of the authorization.

    ``corrected`` is what of the use was added or taken off by hand.
    """

    name: str
    unit: str | None
    balances: Mapping[Measure, Balance]
    ended_on: str | None = None
    corrected: Mapping[Measure, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsState:
    """All accounts of an authorization, in the version that the accumulators know; 0 is none."""

    version: int = 0
    is_void: bool = False
    accounts: tuple[AccountState, ...] = ()


def statement(state: AccountsState, bounds: Mapping[str, Bounds]) -> list[StatementAnswer]:
    """Every account in order; totals that nobody drew on yet stand with nothing used.

    A boundary that counts by period has an account for each period that was drawn on.
    """
    known = {account.name for account in state.accounts}
    unused = [
        AccountState(name=base, unit=each.unit, balances=_unused(each))
        for base, each in bounds.items()
        if base[-1] not in "@~" and base not in known
    ]
    return [_account(each) for each in sorted((*state.accounts, *unused), key=_order)]


def is_over(state: AccountsState) -> bool:
    """Whether more is used or reserved of any account than is granted."""
    left = (each.remaining for account in state.accounts for each in account.balances.values())
    return any(each is not None and each < 0 for each in left)


def _unused(bounds: Bounds) -> dict[Measure, Balance]:
    return {
        "units": Balance(limit=bounds.units, used=0, reserved=0),
        "amount": Balance(limit=bounds.amount, used=0, reserved=0),
        "days": Balance(limit=bounds.days, used=0, reserved=0),
    }


def _order(state: AccountState) -> tuple[int, str]:
    """Header first, then the lines by number, each with its periods after its total."""
    head = state.name.partition("@")[0].partition("~")[0]
    return (0 if head == "H" else int(head[1:])), state.name


def _account(state: AccountState) -> StatementAnswer:
    held = state.balances
    left = [each.remaining for each in held.values() if each.remaining is not None]
    return {
        **account_name(state.name),
        "unit": state.unit,
        "units": _limited(held["units"], state.corrected.get("units", 0), written),
        "amount": _limited(held["amount"], state.corrected.get("amount", 0), written_amount),
        "service_days": _limited(held["days"], state.corrected.get("days", 0), written),
        "exhausted": any(each <= 0 for each in left),
        "over": any(each < 0 for each in left),
        "ended_on": state.ended_on,
    }


def _limited(held: Balance, corrected: int, write: Write) -> LimitBalance:
    return {
        "limit": None if held.limit is None else write(held.limit),
        **balance(held, write),
        "corrected": _signed(corrected, write),
    }


def utilization(
    moved: Iterable[tuple[str, Moved]],
    authorization_id: str,
    *,
    by: TimeStep,
    week_starts_on: Weekday = "monday",
) -> list[UtilizationAnswer]:
    """Sum up the movements of an authorization, oldest first, by account and step of time.

    ``committed`` is what was used or reserved when the step ended; a week is its first day.
    """
    sums: dict[str, dict[str, tuple[int, int, int]]] = {}
    for at, once in moved:
        period = _period(at, by, week_starts_on)
        for row in (*once.undone, *once.given_back, *once.unattached, *once.drawn):
            for each in row.movements if row.authorization_id == authorization_id else ():
                periods = sums.setdefault(each.account, {})
                units, amount, _ = periods.get(period, (0, 0, 0))
                after = each.after["units"]
                committed = after.used + after.reserved
                periods[period] = units + each.units, amount + each.amount, committed
    return [
        {
            **account_name(account),
            "steps": [
                {
                    "period": period,
                    "units": _signed(units, written),
                    "amount": _signed(amount, written_amount),
                    "committed": written(committed),
                }
                for period, (units, amount, committed) in periods.items()
            ],
        }
        for account, periods in sorted(sums.items())
    ]


def _period(at: str, by: TimeStep, week_starts_on: Weekday) -> str:
    """The step that a time is in: its day, the first day of its week, or its month."""
    if by == "month":
        return at[:7]
    day = date.fromisoformat(at[:10])
    if by == "week":
        day -= timedelta(days=(day.weekday() - WEEKDAYS.index(week_starts_on)) % 7)
    return day.isoformat()


def _signed(number: int, write: Write) -> str:
    return f"-{write(-number)}" if number < 0 else write(number)


def related_claim(claim: StoredAnswer, authorization_id: str, *, is_outside: bool) -> RelatedClaim:
    """What a claim drew on an authorization, with its status as it is now.

    ``is_outside``: the authorization changed since, and does not grant all of that any more.
    """
    lines = [line for each in claim["lines"] if (line := _related(each, authorization_id))]
    is_held = claim["status"] in ("used", "reserved") and any(line["used"] for line in lines)
    return {
        "claim_id": claim["claim_id"],
        "version": claim["version"],
        "claim_type": claim["claim_type"],
        "frequency": claim["frequency"],
        "status": claim["status"],
        "drawn": is_held,
        "needs_review": is_held and is_outside,
        "lines": lines,
    }


def _related(line: LineAnswer, authorization_id: str) -> RelatedLine | None:
    """What a line says of an authorization; None where it was neither drawn nor a candidate."""
    used: list[DrawnByClaim] = [
        {
            "line": drawn["line"],
            "units": drawn["units"],
            "unit": drawn["unit"],
            "amount": drawn["amount"],
            "origin": drawn["origin"],
        }
        for drawn in line["adjudicated_authorizations"]
        if drawn["authorization_id"] == authorization_id
    ]
    classes = [
        result["class"]
        for result in line["results"]
        if any(each["authorization_id"] == authorization_id for each in result["candidates"])
    ]
    if not used and not classes:
        return None
    return {
        "line": line["line"],
        "disposition": line["disposition"],
        "class": classes[0] if classes else None,
        "used": used,
    }
