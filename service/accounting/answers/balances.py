"""What the candidates of a claim were granted, and what is used and left of it.

What was granted is known from the candidates; what is left is looked up once for the whole claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from service.accounting.books.grant import Balance, Balances, Measure
from service.accounting.books.plan import Bounds
from service.accounting.books.record import Granted
from service.accounting.books.scale import scaled, written, written_amount
from service.accounting.limits.bounds import RenewalUnknown, accounts_of, bounds_of_line
from service.accounting.limits.choice import HEADER
from service.domain.answers import CandidateAnswer, CandidateBalance, MeasureName, ResultAnswer
from service.domain.authorization import Authorization
from service.domain.candidate import Candidate
from service.domain.terms import Form, read_terms
from service.domain.values import Weekday

LOOKED_AT_MAX = 200
"""Of so many authorizations of a claim balances are shown, the first that were found."""

_MEASURES: tuple[tuple[Measure, MeasureName], ...] = (
    ("units", "units"),
    ("amount", "amount"),
    ("days", "service_days"),
)
_NAMES: tuple[MeasureName, ...] = tuple(name for _, name in _MEASURES)
_UNKNOWN = "?"
"""Marks an account of which it is not known which period counts: nothing is looked up for it."""


def _key(authorization_id: str, line: int, day: str = "") -> str:
    """What is granted by the period is kept by the day of service, all else without one."""
    return f"{authorization_id}|{line}|{day}"


@dataclass(slots=True, kw_only=True)
class Granting:
    """Gathers what candidates were granted, each authorization line once.

    One that counts by periods once for every day of service.
    """

    week_starts_on: Weekday
    granted: Granted = field(default_factory=dict)
    accounts: dict[str, dict[str, None]] = field(default_factory=dict)
    _read: dict[str, Authorization] = field(default_factory=dict)

    def add(self, candidate: Candidate, line: int, day: date) -> None:
        """Add a candidate by the line that stands for it, for what is billed on a day."""
        name, terms = candidate.authorization_id, candidate.terms
        key = _key(name, line)
        if key in self.granted or terms is None:
            return
        if name not in self.accounts and len(self.accounts) == LOOKED_AT_MAX:
            return
        bounds: Sequence[tuple[str, Bounds]] | None = _totals(terms, line)
        if bounds is None:
            key = _key(name, line, day.isoformat())
            if key in self.granted:
                return
            if name not in self._read:
                self._read[name] = read_terms(terms)
            bounds = self._periods(self._read[name], line, day)
        self.granted[key] = _limits(bounds)
        accounts = self.accounts.setdefault(name, {})
        for account, *_ in self.granted[key]:
            if not account.endswith(_UNKNOWN):
                accounts[account] = None

    def _periods(
        self, authorization: Authorization, line: int, day: date
    ) -> Sequence[tuple[str, Bounds]]:
        try:
            accounts = accounts_of(authorization, line, self.week_starts_on)
        except RenewalUnknown:
            return [
                (f"{base}{_UNKNOWN}", bounds)
                for scope in ((HEADER, line) if line else (HEADER,))
                for base, bounds in bounds_of_line(authorization, scope).items()
            ]
        return [(each.name_on(day), each.bounds) for each in accounts]


def _limits(bounds: Sequence[tuple[str, Bounds]]) -> list[list[Any]]:
    """Every limit of header and line; where there is none, the units without a limit."""
    limits: list[list[Any]] = [
        [account, name, each.unit if name == "units" else None, limit]
        for account, each in bounds
        for name, limit in (
            ("units", each.units),
            ("amount", each.amount),
            ("service_days", each.days),
        )
        if limit is not None
    ]
    account, last = bounds[-1]
    return limits or [[account, "units", last.unit, None]]


def _totals(terms: Form, line: int) -> list[tuple[str, Bounds]] | None:
    """Header and line where both have totals alone, as most; None where one counts by periods.

    Read from the terms as they are: near misses are many, and to check each anew takes longer.
    """
    scopes = [("H", terms)]
    scopes += [(f"L{line}", each) for each in terms.get("lines", ()) if each["line"] == line]
    totals = []
    for account, scope in scopes:
        limits: Form = scope.get("limits") or {}
        if "per" in limits or "renewal" in limits:
            return None
        units, amount, days = [
            scaled(Decimal(limits[name])) if name in limits else None for name in _NAMES
        ]
        bounds = Bounds(units=units, amount=amount, days=days, unit=limits.get("unit"))
        totals.append((account, bounds))
    return totals


def balances_told(granted: Granted, looked: Balances) -> dict[str, list[CandidateBalance]]:
    """Everything that was granted, with what is used and left; null where it was not found."""
    told: dict[str, list[CandidateBalance]] = {}
    for key, limits in granted.items():
        name = key.partition("|")[0]
        told[key] = [_told(limit, looked.get((name, limit[0]))) for limit in limits]
    return told


def _told(limit: Sequence[Any], found: Sequence[int] | None) -> CandidateBalance:
    account, measure, unit, most = limit
    write = written_amount if measure == "amount" else written
    told: CandidateBalance = {
        "account": account.removesuffix(_UNKNOWN),
        "measure": measure,
        "unit": unit,
        "granted": None if most is None else write(most),
        "used": None,
        "reserved": None,
        "remaining": None,
    }
    if found is not None:
        at = 2 * _NAMES.index(measure)
        held = Balance(limit=most, used=found[at], reserved=found[at + 1])
        told["used"], told["reserved"] = write(held.used), write(held.reserved)
        told["remaining"] = None if held.remaining is None else write(held.remaining)
    return told


def with_balances(
    results: Iterable[ResultAnswer], day: str, told: Mapping[str, list[CandidateBalance]]
) -> list[ResultAnswer]:
    """The results of a claim line, each candidate and near miss with its balances for its day."""

    def of(name: str, line: int) -> list[CandidateBalance]:
        return told.get(_key(name, line)) or told.get(_key(name, line, day), [])

    def shown(found: Iterable[CandidateAnswer]) -> list[CandidateAnswer]:
        return [{**each, "balances": of(each["authorization_id"], each["line"])} for each in found]

    return [
        {
            **result,
            "candidates": shown(result["candidates"]),
            "near_misses": shown(result["near_misses"]),
        }
        for result in results
    ]
