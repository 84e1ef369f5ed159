"""Reads what Redis holds of claims and authorizations."""

from collections.abc import Mapping

import orjson

from service.accounting.answers.statement import AccountsState, AccountState
from service.accounting.books.books import CounterBook
from service.accounting.books.claim_state import NEVER, ClaimState
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.plan import base_of
from service.accounting.books.rows import read_row

_FIELDS: Mapping[Measure, str] = {"units": "u", "amount": "m", "days": "d"}
_BALANCES = frozenset(f"{measure}{what}" for measure in _FIELDS.values() for what in "urc")


def read_claim_state(claim_id: str, stored: Mapping[str, str]) -> ClaimState:
    """Read a claim; one that is not there was never adjudicated."""
    if not stored:
        return ClaimState(claim_id=claim_id)
    by_version: dict[str, dict[int, str]] = {"fp": {}, "e": {}}
    for name, value in stored.items():
        head, found, version = name.partition(":")
        if found:
            by_version[head][int(version)] = value
    return ClaimState(
        claim_id=claim_id,
        owner=stored["m"],
        sequence=int(stored["n"]),
        version=int(stored["v"]),
        status=stored.get("s", NEVER),
        rows=tuple(map(read_row, orjson.loads(stored.get("mv") or "[]"))),
        fingerprints=by_version["fp"],
        entries=by_version["e"],
        replaced_by=stored.get("by"),
        billed_by=tuple(filter(None, stored.get("bb", "").split("|"))),
    )


def read_counters(fields: Mapping[str, str], tokens: Mapping[str, str]) -> CounterBook:
    """Read the counters of a member; those that are not here may be at rest."""
    balances = {name: value for name, value in fields.items() if _is_balance(name)}
    return CounterBook(sequence=int(fields.get("n", "0")), fields=balances, tokens=tokens)


def read_accounts(stored: Mapping[str, str]) -> AccountsState:
    """Read the accounts of an authorization; one that is not there was never drawn on."""
    if not stored:
        return AccountsState()
    names = {name.rpartition(".")[0] for name in stored if _is_balance(name)}
    return AccountsState(
        version=int(stored["v"]),
        is_void=stored["st"] == "void",
        accounts=tuple(_account(name, stored) for name in sorted(names)),
    )


def _is_balance(field: str) -> bool:
    """Tell a balance from a limit."""
    return field.rpartition(".")[2] in _BALANCES


def _account(name: str, stored: Mapping[str, str]) -> AccountState:
    base = base_of(name)
    return AccountState(
        name=name,
        unit=stored.get(f"{base}.k"),
        balances={
            measure: Balance(
                limit=_number(stored.get(f"{base}.{field}l")),
                used=_used(stored, name, field),
                reserved=_number(stored.get(f"{name}.{field}r")) or 0,
            )
            for measure, field in _FIELDS.items()
        },
        corrected={
            measure: int(stored.get(f"{name}.{field}c", "0")) for measure, field in _FIELDS.items()
        },
        ended_on=stored.get(f"{base.rstrip('@~')}.end"),
    )


def _used(stored: Mapping[str, str], account: str, measure: str) -> int:
    """What is used, as it was corrected."""
    return int(stored.get(f"{account}.{measure}u", "0")) + int(
        stored.get(f"{account}.{measure}c", "0")
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def balances_in(stored: Mapping[str, str], account: str) -> tuple[int, ...]:
    """Read what is used and reserved of one account: units, amount, days."""
    return tuple(
        number
        for measure in _FIELDS.values()
        for number in (
            _used(stored, account, measure),
            int(stored.get(f"{account}.{measure}r", "0")),
        )
    )


def units_by_account(stored: Mapping[str, str]) -> dict[str, int]:
    """Add used and reserved units of each account."""
    names = {name.rpartition(".")[0] for name in stored if _is_balance(name)}
    return {name: sum(balances_in(stored, name)[:2]) for name in names}
