"""The section `adjudicated_authorizations`: what a line drew from whom, and every balance met."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from service.accounting.books.grant import AccountMovement, Balance, Row
from service.accounting.books.plan import base_of
from service.accounting.books.record import KnownAuthorization, LineDraft
from service.accounting.books.scale import written, written_amount
from service.domain.answers import (
    AccountAnswer,
    AccountName,
    BalanceAnswer,
    MeasureAnswer,
    UsedAuthorization,
)

Write = Callable[[int], str]


def used_authorizations(
    line: LineDraft, rows: Sequence[Row], known: Mapping[str, KnownAuthorization]
) -> list[UsedAuthorization]:
    """The authorizations in the order in which they were drawn, each once."""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        key = row.kind, row.authorization_id, row.authorization_line
        groups.setdefault(key, []).append(row)
    return [_used(line, group, known[group[0].authorization_id]) for group in groups.values()]


def _used(line: LineDraft, rows: Sequence[Row], known: KnownAuthorization) -> UsedAuthorization:
    first = rows[0]
    moved: dict[str, list[AccountMovement]] = {}
    for movement in (movement for row in rows for movement in row.movements):
        moved.setdefault(movement.account, []).append(movement)
    return {
        "authorization_id": first.authorization_id,
        "number": known["number"],
        "version": known["version"],
        "line": first.authorization_line,
        "type": first.kind,
        "kind": known["kind"],
        "action": known["actions"].get(str(first.authorization_line)),
        "origin": first.origin,
        "flags": known["flags"].get(str(line["line"]), []),
        "units": written(sum(row.units for row in rows)),
        "unit": line["billed"]["unit"],
        "amount": written_amount(sum(row.amount for row in rows)),
        "unit_price": known.get("prices", {}).get(str(first.authorization_line)),
        "accounts": [_account(name, each[0], each[-1]) for name, each in moved.items()],
    }


def _account(name: str, first: AccountMovement, last: AccountMovement) -> AccountAnswer:
    """An account, with its balances before the first movement and after the last."""
    before, after = first.before, last.after
    return {
        **account_name(name),
        "unit": first.unit,
        "units": _measure(before["units"], after["units"], written),
        "amount": _measure(before["amount"], after["amount"], written_amount),
        "service_days": _measure(before["days"], after["days"], written),
    }


def account_name(name: str) -> AccountName:
    """Which boundary of an authorization an account is, in words."""
    base = base_of(name)
    scope = base.rstrip("@~")
    return {
        "account": name,
        "scope": "header" if scope == "H" else "line",
        "line": None if scope == "H" else int(scope[1:]),
        "boundary": _boundary_of(base),
        "period_from": name[len(base) :] or None,
    }


def _boundary_of(base: str) -> Literal["total", "renewal", "rate"]:
    if base.endswith("@"):
        return "renewal"
    return "rate" if base.endswith("~") else "total"


def _measure(before: Balance, after: Balance, write: Write) -> MeasureAnswer:
    return {
        "limit": None if after.limit is None else write(after.limit),
        "before": balance(before, write),
        "after": balance(after, write),
    }


def balance(held: Balance, write: Write) -> BalanceAnswer:
    """A balance as it is answered; what remains is null where there is no limit."""
    return {
        "used": write(held.used),
        "reserved": write(held.reserved),
        "remaining": None if held.remaining is None else write(held.remaining),
    }
