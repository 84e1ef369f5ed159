"""Two components of one study share its unit; the same component again is another study."""

from typing import Any

import pytest

from service.accounting.planning.planning import plan_claim
from tests.accounting.asking import ask, shipped
from tests.builders import build_authorization, build_claim

DAY = "2026-03-12"


@pytest.mark.parametrize(
    ("frequency", "components", "expected"),
    [
        ("1", ["26"], ["1"]),
        ("1", ["26", "TC"], ["1", "1"]),
        ("1", ["TC", "TC"], ["1", "2"]),
        ("1", ["TC", "26", "TC"], ["1", "1", "2"]),
        ("5", ["TC"], [""]),
    ],
)
def test_what_the_lines_of_a_claim_share(
    frequency: str, components: list[str], expected: list[str]
) -> None:
    """By the number of the study on its day; a late charge shares with nobody."""
    line: dict[str, Any] = {"procedure": "70551", "units": "1"}
    claim = build_claim(
        "outpatient",
        frequency=frequency,
        lines=[line | {"modifiers": [each]} for each in components],
    )
    limits = {"units": "4", "unit": "UN"}
    paper = build_authorization("outpatient", line={"limits": limits})
    asked = [
        ask(claim, paper, query="outpatient", line=each + 1) for each in range(len(components))
    ]

    planned = plan_claim(claim, asked, shipped())
    tokens = [
        debit.unit_tokens
        for each in planned.plan.lines
        for debit in each.parts[0].ways[0].draws[0].debits
        if debit.account == "L1"
    ]

    assert tokens == [(f"{DAY}|70551|{each}",) if each else () for each in expected]
