"""The section `adjudicated_authorizations`: what a line drew from whom, and every balance met."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.accounting.books.grant import AccountMovement, Balance, Row
from service.accounting.books.plan import base_of
from service.accounting.books.record import Draft
from service.accounting.books.scale import written, written_amount

Answer = dict[str, Any]


def used_authorizations(
    draft: Draft, rows: Sequence[Row], known: Mapping[str, Any]
) -> list[Answer]:
    """Give the authorizations in the order in which they were drawn, each once."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        key = row.kind, row.authorization_id, row.authorization_line
        groups.setdefault(key, []).append(row)
    return [_used(draft, group, known[group[0].authorization_id]) for group in groups.values()]


def _used(draft: Draft, rows: Sequence[Row], known: Mapping[str, Any]) -> Answer:
    first = rows[0]
    return {
        "authorization_id": first.authorization_id,
        "number": known["number"],
        "version": known["version"],
        "line": first.authorization_line,
        "type": first.kind,
        "action": known["actions"].get(str(first.authorization_line)),
        "origin": first.origin,
        "flags": known["flags"].get(str(draft["line"]), []),
        "units": written(sum(row.units for row in rows)),
        "unit": draft["billed"]["unit"],
        "amount": written_amount(sum(row.amount for row in rows)),
        "accounts": _accounts(rows),
    }


def _accounts(rows: Sequence[Row]) -> list[Answer]:
    """Give each account once: its balances before the first and after the last row."""
    moved: dict[str, list[AccountMovement]] = {}
    for row in rows:
        for movement in row.movements:
            moved.setdefault(movement.account, []).append(movement)
    return [_account(name, movements) for name, movements in moved.items()]


def _account(name: str, movements: Sequence[AccountMovement]) -> Answer:
    first, last = movements[0], movements[-1]
    return {
        **account_name(name),
        "unit": first.unit,
        "units": _measure(first.before["units"], last.after["units"], written),
        "amount": _measure(first.before["amount"], last.after["amount"], written_amount),
        "service_days": _measure(first.before["days"], last.after["days"], written),
    }


def account_name(name: str) -> Answer:
    """Say in words which boundary of an authorization an account is."""
    base = base_of(name)
    period = name[len(base) :] or None
    kind = {"@": "renewal", "~": "rate"}.get(base[-1], "total")
    scope = base.rstrip("@~")
    return {
        "account": name,
        "scope": "header" if scope == "H" else "line",
        "line": None if scope == "H" else int(scope[1:]),
        "boundary": kind,
        "period_from": period,
    }


def _measure(before: Balance, after: Balance, write: Any) -> Answer:
    return {
        "limit": write(after.limit),
        "before": balance(before, write),
        "after": balance(after, write),
    }


def balance(one: Balance, write: Any) -> Mapping[str, str | None]:
    """Write a balance; what remains is null where there is no limit."""
    return {
        "used": write(one.used),
        "reserved": write(one.reserved),
        "remaining": write(one.remaining),
    }
