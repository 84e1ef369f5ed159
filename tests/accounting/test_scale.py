"""Quantities as whole numbers, and back as they are shown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.books.scale import (
    QUANTITY_MAX,
    SCALE,
    SCALED_MAX,
    TooMuch,
    quantity_of,
    scaled,
    written,
    written_amount,
)
from service.domain.values import COUNTED_MAX


@given(st.decimals(0, QUANTITY_MAX, places=6))
def test_six_decimals_come_back(quantity: Decimal) -> None:
    """Exactly, and without zeros at the end."""
    number = scaled(quantity)

    assert number == quantity * SCALE
    assert quantity_of(number) == quantity
    assert quantity_of(number).as_tuple() == Decimal(written(number)).as_tuple()


@pytest.mark.parametrize(
    ("number", "quantity", "amount"),
    [
        (0, "0", "0.00"),
        (4 * SCALE, "4", "4.00"),
        (1000 * SCALE, "1000", "1000.00"),
        (5 * SCALE // 2, "2.5", "2.50"),
        (SCALE // 60, "0.016667", "0.016667"),
        (3, "0.000001", "0.000001"),
        (-SCALE // 2, "-0.5", "-0.50"),
        (-30_000, "-0.01", "-0.01"),
    ],
)
def test_numbers_as_they_are_shown(number: int, quantity: str, amount: str) -> None:
    """An amount has two decimals at least."""
    assert (written(number), written_amount(number)) == (quantity, amount)


@pytest.mark.parametrize("number", [1, -1])
def test_a_part_too_small_to_be_shown_is_nothing(number: int) -> None:
    """Units that were converted have parts of a millionth; a zero has no sign."""
    assert written(number) == "0"


def test_what_cannot_be_counted_exactly_is_refused() -> None:
    """All that may be pushed or billed can be."""
    assert scaled(QUANTITY_MAX) <= SCALED_MAX
    assert COUNTED_MAX <= QUANTITY_MAX
    with pytest.raises(TooMuch, match="at most 3002399751 can be counted"):
        scaled(QUANTITY_MAX + Decimal("0.000001"))
