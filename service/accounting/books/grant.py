"""What the accumulators gave: rows of movement, with the balances they met.

They are made by the dozen for every claim, so plain tuples.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from service.domain.claim import AuthorizationKind

Measure = Literal["units", "amount", "days"]


Balances = Mapping[tuple[str, str], Sequence[int]]
"""By authorization and account: units used and reserved, the amount, the days of service."""


class Balance(NamedTuple):
    """Used and reserved of one measure; a limit of None is none."""

    limit: int | None
    used: int
    reserved: int

    @property
    def remaining(self) -> int | None:
        """What is left; below zero after a limit was lowered under what was used."""
        return None if self.limit is None else self.limit - self.used - self.reserved


class AccountMovement(NamedTuple):
    """What one row moved on one account, and the balances before and after it, by measure."""

    account: str
    unit: str | None
    units: int
    amount: int
    days: int
    before: dict[Measure, Balance]
    after: dict[Measure, Balance]


class Row(NamedTuple):
    """What one part of a claim line drew from one authorization, in claim units and charge.

    ``priced`` is how much of the charge of these units is over the authorized price.
    """

    line: int
    part: int
    kind: AuthorizationKind
    authorization_id: str
    authorization_line: int
    origin: str
    units: int
    amount: int
    movements: tuple[AccountMovement, ...]
    priced: int = 0
