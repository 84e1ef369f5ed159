"""The statement of an authorization: every boundary, its limit, what is used, reserved and left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.accounting.answers.used import account_name, balance
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.plan import Bounds
from service.accounting.books.scale import written, written_amount

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """An account as it stands; ``ended_on``: its line is no longer part of the authorization."""

    name: str
    unit: str | None
    balances: Mapping[Measure, Balance]
    ended_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsState:
    """All accounts of an authorization, in the version that the accumulators know; 0 is none."""

    version: int = 0
    is_void: bool = False
    accounts: tuple[AccountState, ...] = ()


def statement(state: AccountsState, bounds: Mapping[str, Bounds]) -> list[Answer]:
    """Write every account; totals that nobody drew on yet stand with nothing used.

    A boundary that counts by period has an account for each period that was drawn on.
    """
    known = {each.name: each for each in state.accounts}
    totals = [base for base in bounds if base[-1] not in "@~" and base not in known]
    states = [*known.values(), *(_unused(base, bounds[base]) for base in totals)]
    return [_account(each) for each in sorted(states, key=_order)]


def _unused(base: str, bounds: Bounds) -> AccountState:
    limits: dict[Measure, int | None] = {
        "units": bounds.units,
        "amount": bounds.amount,
        "days": bounds.days,
    }
    return AccountState(
        name=base,
        unit=bounds.unit,
        balances={
            measure: Balance(limit=limit, used=0, reserved=0) for measure, limit in limits.items()
        },
    )


def _order(state: AccountState) -> tuple[int, str]:
    """Header first, then the lines by number, each with its periods after its total."""
    head = state.name.partition("@")[0].partition("~")[0]
    return (0 if head == "H" else int(head[1:])), state.name


def _account(state: AccountState) -> Answer:
    units, amount, days = (state.balances[name] for name in ("units", "amount", "days"))
    left = [each.remaining for each in (units, amount, days) if each.remaining is not None]
    return {
        **account_name(state.name),
        "unit": state.unit,
        "units": {"limit": written(units.limit), **balance(units, written)},
        "amount": {"limit": written_amount(amount.limit), **balance(amount, written_amount)},
        "service_days": {"limit": written(days.limit), **balance(days, written)},
        "exhausted": any(each <= 0 for each in left),
        "over": any(each < 0 for each in left),
        "ended_on": state.ended_on,
    }


def related_claim(claim: Mapping[str, Any], authorization_id: str, *, is_void: bool) -> Answer:
    """Say what a claim drew on an authorization; one that holds units of a void one needs a look.

    ``claim`` is the answer of its adjudication, with its status as it is now.
    """
    lines = [
        {
            "line": line["line"],
            "disposition": line["disposition"],
            "class": next((each["class"] for each in line["results"] if _has(each, wanted)), None),
            "used": [
                {name: used[name] for name in ("line", "units", "unit", "amount", "origin")}
                for used in line["adjudicated_authorizations"]
                if used["authorization_id"] == wanted
            ],
        }
        for wanted in (authorization_id,)
        for line in claim["lines"]
        if _speaks_of(line, wanted)
    ]
    is_held = claim["status"] in ("used", "reserved") and any(line["used"] for line in lines)
    return {
        "claim_id": claim["claim_id"],
        "version": claim["version"],
        "type": claim["type"],
        "frequency": claim["frequency"],
        "status": claim["status"],
        "drawn": is_held,
        "needs_review": is_held and is_void,
        "lines": lines,
    }


def _speaks_of(line: Mapping[str, Any], authorization_id: str) -> bool:
    used = any(
        each["authorization_id"] == authorization_id for each in line["adjudicated_authorizations"]
    )
    return used or any(_has(each, authorization_id) for each in line["results"])


def _has(result: Mapping[str, Any], authorization_id: str) -> bool:
    return any(each["authorization_id"] == authorization_id for each in result["candidates"])
