"""What claims hold of authorizations, summed up as the accounts count it."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.accounting.books.claim_state import RESERVED, USED
from service.accounting.books.scale import SCALE

STATES = {USED: 0, RESERVED: 1}
FIELDS = ("uu", "ur", "mu", "mr", "du", "dr")

Numbers = dict[str, int]
Sums = dict[str, Numbers]
"""Authorization id to field to number; what is zero is not there."""

_NAMES = tuple(STATES)


class Holdings:
    """Units and amounts by account, and how often each visit or day is held."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tokens: Sums = {}
        self._sums: Sums = {}

    def add(self, rows: Iterable[Mapping[str, Any]], status: str, sign: int = 1) -> None:
        """Add rows that a claim of this status holds, or take them off."""
        state = STATES.get(status)
        for row in rows if state is not None else ():
            for debit in row["d"]:
                self._debit(row["a"], debit, state or 0, sign)

    def _debit(self, name: str, debit: list[str], state: int, sign: int) -> None:
        account, units, amount, *_, visits, days = debit
        sums = self._sums.setdefault(name, {})
        for measure, number in (("u", 0 if visits else int(units)), ("m", int(amount))):
            _add(sums, f"{account}.{measure}{'ur'[state]}", sign * number)
        for measure, items in (("u", visits), ("d", days)):
            for item in filter(None, items.split(",")):
                held = self.tokens.setdefault(name, {})
                _add(held, f"{account}|{measure}|{item} {_NAMES[state]}", sign)

    def balances(self) -> Sums:
        """Give the balances that accounts must have: a visit or day costs one unit, once."""
        balances = {name: dict(sums) for name, sums in self._sums.items()}
        for name, held in self.tokens.items():
            for token in {each.rpartition(" ")[0] for each in held}:
                account, measure, _ = token.split("|", 2)
                state = "u" if f"{token} {USED}" in held else "r"
                _add(balances.setdefault(name, {}), f"{account}.{measure}{state}", SCALE)
        return balances


def _add(sums: Numbers, field: str, number: int) -> None:
    """Add; what becomes zero is dropped."""
    total = sums.pop(field, 0) + number
    if total:
        sums[field] = total


def stored_balances(fields: Mapping[str, str]) -> Numbers:
    """Give the balances among the fields of accounts."""
    endings = tuple(f".{field}" for field in FIELDS)
    return {
        field: int(value)
        for field, value in fields.items()
        if field.endswith(endings) and int(value)
    }


def stored_tokens(fields: Mapping[str, str]) -> Numbers:
    """Give how often each visit or day is held, by state."""
    return {
        f"{field} {state}": int(count)
        for field, text in fields.items()
        for state, count in zip(STATES, text.split(":"), strict=True)
        if int(count)
    }
