"""A unit price that was authorized, as the most that is paid for a claim unit."""

from typing import Any

import pytest

from tests.accounting.answering import answered, drawn, line_draft, told, whole
from tests.accounting.asking import draws, plan, with_policy
from tests.builders import build_authorization, build_claim

UNITS = {"units": "10", "unit": "UN"}
VISITS = {"units": "10", "unit": "VS"}


@pytest.mark.parametrize(
    ("limits", "line", "price", "expected"),
    [
        (UNITS, {}, "40.00", (40, 1)),
        (UNITS, {}, "0.00", None),
        (UNITS, {}, None, None),
        ({"units": "10", "unit": "HS"}, {"procedure": "97110"}, "100", (25, 1)),
        ({}, {}, "40", (40, 1)),
        ({"amount": "500", "unit": "HS"}, {"charge": "60.00"}, "40", None),
        # Four units of one visit: each is a quarter of it.
        (VISITS, {"units": "4"}, "100", (25, 1)),
        (UNITS, {"modifiers": ["80"]}, "40", None),
    ],
)
def test_a_price_bounds_a_claim_unit(
    limits: Any, line: Any, price: str | None, expected: tuple[int, int] | None
) -> None:
    """It is that of a unit of the authorization line; as shipped it bounds nothing."""
    line = {"units": "1", "procedure": "97112", "modifiers": [], **line}
    claim = build_claim(line=line)
    authorization = build_authorization(
        line={"procedure": None, "limits": limits or None, "unit_price": price}
    )
    bound = with_policy(unit_price="bound")

    (draw,) = draws(plan(claim, authorization, references=bound))
    assert draw.price == expected
    assert draws(plan(claim, authorization))[0].price is None
    header = build_authorization(lines=[])
    assert draws(plan(claim, header, references=bound))[0].price is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("4", "160", "80")], ["cut_back", "approved 4 160.00", "denied 0 80.00",
                                "CO 45 N45 0 80.00"]),
        ([("3", "120", "60")], ["cut_back", "approved 3 120.00", "denied 1 120.00",
                                "CO 198 1 60.00", "CO 45 N45 0 60.00"]),
        ([("2", "80", "40"), ("2", "120", "0")], ["cut_back", "approved 4 200.00",
                                                  "denied 0 40.00", "CO 45 N45 0 40.00"]),
        ([("4", "240", "0")], ["pay", "approved 4 240.00"]),
    ],
)  # fmt: skip
def test_what_is_over_the_price_has_a_reason_of_its_own(
    rows: list[tuple[str, str, str]], expected: list[str]
) -> None:
    """Beside what the units that were not granted would have cost."""
    given = [drawn(units, amount)._replace(priced=whole(priced)) for units, amount, priced in rows]

    assert told(answered(line_draft(), *given)) == expected
