"""Units convert by the table alone."""

from decimal import Decimal
from fractions import Fraction

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
        # Units that were billed are never computed from minutes.
        ("UN", "MJ", "97110", None),
        ("MJ", "UN", "97110", None),
        # Days, months and visits are what they are.
        ("UN", "DA", "70551", None),
        ("DA", "VS", None, None),
        ("UN", "VS", "97110", None),
        ("VS", "UN", "97110", None),
        ("UN", "MN", "E0601", None),
    ],
)
def test_what_one_billed_unit_costs(
    billed: str, held: str | None, procedure: str | None, cost: Fraction | None
) -> None:
    """By the shipped table; None is for an examiner."""
    assert conversion(billed, held, procedure, shipped()) == cost


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
    there = conversion("HS", "UN", None, references)
    back = conversion("UN", "HS", None, references)

    assert there is not None
    assert back is not None
    assert units * there * back == units
