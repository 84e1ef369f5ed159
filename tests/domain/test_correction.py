"""A correction of a balance by hand: what is taken, and what is refused with its place."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.correction import BalanceCorrection


def correction(**fields: Any) -> BalanceCorrection:
    """A correction of the total of line 1."""
    body = {"correction_id": "K1", "account": "L1", "reason": "opening balance"}
    return BalanceCorrection.model_validate(body | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"units": "3"}, ("3", "0", "0")),
        ({"units": "-0.5", "amount": "12.50"}, ("-0.5", "12.50", "0")),
        ({"service_days": "2", "account": "H"}, ("0", "0", "2")),
        ({"amount": "-1", "account": "L3@2026-03-10"}, ("0", "-1", "0")),
        ({"units": "1", "account": "L3~2026-03-08"}, ("1", "0", "0")),
    ],
)
def test_one_of_the_measures_is_corrected(fields: Any, expected: tuple[str, ...]) -> None:
    """What is not named stays as it is."""
    made = correction(**fields)

    assert (made.units, made.amount, made.service_days) == tuple(map(Decimal, expected))


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, ("units",)),
        ({"units": "0"}, ("units",)),
        ({"units": "three"}, ("units",)),
        ({"units": "1e40"}, ("units",)),
        ({"amount": "0.001"}, ("amount",)),
        ({"service_days": "0.5"}, ("service_days",)),
        ({"units": "1", "account": "L0"}, ("account",)),
        ({"units": "1", "account": "everything"}, ("account",)),
        ({"units": "1", "reason": ""}, ("reason",)),
        ({"units": "1", "correction_id": ""}, ("correction_id",)),
        ({"units": "1", "limit": "5"}, ("limit",)),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(fields: Any, place: Any) -> None:
    """Nothing corrected, no account, no reason, parts of a cent or of a day."""
    with pytest.raises(ValidationError) as refused:
        correction(**fields)

    assert [each["loc"] for each in refused.value.errors()] == [place]
