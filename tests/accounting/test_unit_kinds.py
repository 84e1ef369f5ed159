"""Units convert by the table alone."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.planning.counting import billed_unit, conversion
from service.domain.accounting_policy import Conversion, UnitTable
from service.domain.claim import ServiceLine
from service.domain.reference import References
from tests.accounting.asking import shipped


@pytest.mark.parametrize(
    ("billed", "held", "procedure", "cost"),
    [
        ("UN", "UN", "70551", Fraction(1)),
        ("UN", "FL", "70551", Fraction(1)),
        ("DY", "DA", None, Fraction(1)),
        ("DA", None, None, Fraction(1)),
        ("UN", "HS", "97110", Fraction(1, 4)),
        ("UN", "HR", "T1019", Fraction(1, 4)),
        ("HS", "UN", "S5125", Fraction(4)),
        ("HS", "UN", "g0299", Fraction(4)),
        ("MJ", "HS", "00840", Fraction(1, 60)),
        ("HS", "MJ", None, Fraction(60)),
        # Per diem codes, codes that are not timed, and codes that are not known.
        ("UN", "HS", "T1020", None),
        ("UN", "HS", "S5126", None),
        ("UN", "HS", "97161", None),
        ("UN", "HS", None, None),
        # Through hours.
        ("UN", "MJ", "97110", Fraction(15)),
        ("MJ", "UN", "T1019", Fraction(1, 15)),
        ("UN", "MJ", "97161", None),
        ("UN", "MJ", None, None),
        # Days, months and visits are what they are.
        ("UN", "DA", "70551", None),
        ("DA", "VS", None, None),
        ("UN", "VS", "97110", None),
        ("VS", "UN", "97110", None),
        ("UN", "MN", "E0601", None),
        # A month of a code that is a rental by its name is one unit.
        ("UN", "MN", "E0431", Fraction(1)),
        ("MN", "UN", "K0738", Fraction(1)),
        ("UN", "MO", "E0439", Fraction(1)),
        ("DA", "MN", "E0431", None),
    ],
)
def test_what_one_billed_unit_costs(
    billed: str, held: str | None, procedure: str | None, cost: Fraction | None
) -> None:
    """By the shipped table; None is for an examiner."""
    assert conversion(billed, held, billing(procedure), shipped()) == cost


def billing(procedure: str | None, *modifiers: str) -> ServiceLine:
    """A line of a procedure."""
    return ServiceLine(line=1, procedure=procedure, modifiers=modifiers)


@pytest.mark.parametrize(
    ("procedure", "modifiers", "cost"),
    [
        ("E0601", ["RR"], 1),
        ("e0601", ["kh", "rr"], 1),
        ("E0601", ["NU"], None),
        ("K0001", ["RR"], 1),
        ("97110", ["RR"], None),
    ],
)
def test_a_month_of_rental_is_one_unit(
    procedure: str, modifiers: list[str], cost: int | None
) -> None:
    """Of equipment that is billed as rented (RR), both ways."""
    line = billing(procedure, *modifiers)

    assert conversion("UN", "MN", line, shipped()) == cost
    assert conversion("MN", "UN", line, shipped()) == cost


@pytest.mark.parametrize(("unit", "counted"), [(None, "UN"), ("FL", "UN"), ("DY", "DA")])
def test_a_line_that_names_no_unit_counts_units(unit: str | None, counted: str) -> None:
    """And every unit has one name."""
    line = ServiceLine(line=1, unit=unit)

    assert billed_unit(line, shipped()) == counted


@given(factor=st.decimals("0.000001", "10000", places=6), units=st.integers(0, 10**12))
def test_there_and_back_is_exact(factor: Decimal, units: int) -> None:
    """Nothing is lost in a conversion."""
    row = Conversion.model_validate({"from": "HS", "to": "UN", "factor": factor})
    references = References(units=UnitTable(conversions=(row,)))
    there = conversion("HS", "UN", billing(None), references)
    back = conversion("UN", "HS", billing(None), references)

    assert there is not None
    assert back is not None
    assert units * there * back == units


@given(
    factors=st.lists(st.decimals("0.01", "100", places=2), min_size=2, max_size=6),
    turned=st.lists(st.booleans(), min_size=6, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_a_chain_of_rows_is_as_long_as_it_takes(
    factors: list[Decimal], turned: list[bool], order: Any
) -> None:
    """In whatever order its rows stand, and whichever way each is written."""
    rows = [
        {"from": f"U{at + 1}", "to": f"U{at}", "factor": factor}
        if is_turned
        else {"from": f"U{at}", "to": f"U{at + 1}", "factor": factor}
        for at, (factor, is_turned) in enumerate(zip(factors, turned, strict=False))
    ]
    order.shuffle(rows)
    table = UnitTable(conversions=tuple(map(Conversion.model_validate, rows)))
    expected = Fraction(1)
    for factor, is_turned in zip(factors, turned, strict=False):
        expected *= 1 / Fraction(factor) if is_turned else Fraction(factor)

    assert table.faults({}) == []
    assert table.rate("U0", f"U{len(factors)}", None, (), {}) == expected
    assert table.rate(f"U{len(factors)}", "U0", None, (), {}) == 1 / expected
