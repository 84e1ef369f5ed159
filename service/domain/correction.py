"""A correction of a balance by hand: an opening balance, or what was counted wrong elsewhere."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from service.domain.misfits import refuse
from service.domain.values import COUNTED_MAX, Frozen, Identifier, Text, read_decimal

Delta = Annotated[
    Decimal,
    Field(ge=-COUNTED_MAX, le=COUNTED_MAX),
    BeforeValidator(read_decimal, json_schema_input_type=str),
    PlainSerializer(lambda number: format(number, "f"), return_type=str),
]
"""What is added to what is used; below zero it is taken off."""

Account = Annotated[str, Field(pattern=r"^(H|L[1-9]\d{0,8})(@\d{4}-\d\d-\d\d|~\d{4}-\d\d-\d\d)?$")]
"""The name of an account, as balances show it: `H`, `L3`, `L3@2026-03-10`, `L3~2026-03-08`."""


class BalanceCorrection(Frozen):
    """What is to be added to what is used of one account, and why.

    The same `correction_id` with the same content corrects once, however often it is sent.
    """

    correction_id: Identifier
    account: Account
    units: Delta = Decimal(0)
    amount: Annotated[Delta, Field(decimal_places=2)] = Decimal(0)
    service_days: Annotated[Delta, Field(decimal_places=0)] = Decimal(0)
    reason: Text
    by: Text | None = Field(default=None, description="For whom, where that is somebody else.")

    @model_validator(mode="after")
    def _corrects_something(self) -> Self:
        if not (self.units or self.amount or self.service_days):
            reason = "say the units, the amount or the service days that are corrected"
            refuse("BalanceCorrection", [(("units",), reason)])
        return self
