"""What of an answered claim goes into the rates by which rules are watched."""

from typing import Any

import pytest

from service.matching.outcomes import RATES, outcomes_of, rates_of, set_number


def result(**changes: Any) -> dict[str, Any]:
    """An exact result of a needed authorization."""
    return {
        "type": "authorization",
        "required": True,
        "template": "professional",
        "template_version": 7,
        "class": "exact",
        "truncated": False,
        "relaxed": [],
        "near_misses": [],
        "chosen": ["A"],
        **changes,
    }


NOTHING = {"class": "none", "chosen": []}
OPEN = {"class": "non-exact", "chosen": []}


@pytest.mark.parametrize(
    ("changes", "selected", "rates"),
    [
        ({}, None, ["exact"]),
        ({"class": "non-exact"}, None, ["non_exact"]),
        (NOTHING, None, ["none"]),
        ({"truncated": True}, None, ["exact", "truncated"]),
        ({"relaxed": ["wider"]}, None, ["exact", "relaxed"]),
        ({**NOTHING, "relaxed": ["wider"]}, None, ["none", "relaxed"]),
        ({**NOTHING, "near_misses": [{}]}, None, ["none", "near_miss"]),
        ({"near_misses": [{}]}, None, ["exact"]),
        ({}, "A", ["exact"]),
        ({}, "B", ["exact", "overturned"]),
        ({"chosen": ["A", "B"]}, "B", ["exact"]),
        (OPEN, "A", ["non_exact"]),
        (NOTHING, "A", ["none", "overturned"]),
    ],
)
def test_a_result_counts_as(
    changes: dict[str, Any], selected: str | None, rates: list[str]
) -> None:
    """Its class, and what else may be said; overturned is what a person put right, not chose."""
    assert rates_of(result(**changes), selected) == rates
    assert set(rates) <= set(RATES)


def test_results_are_counted_by_template() -> None:
    """Of what lines need; a selection of an approval also answers a duty to notify."""
    results = [
        (1, result()),
        (2, result(**NOTHING)),
        (2, result(template="referral", template_version=1, type="referral")),
        (3, result(type="notification", chosen=["N"])),
        (4, result(required=False)),
    ]
    selected: Any = {(2, "authorization"): "A", (3, "authorization"): "A", (9, "referral"): "R"}

    assert outcomes_of(results, selected) == [
        {
            "template": "professional@7",
            "lines": 3,
            "counts": {"exact": 2, "none": 1, "overturned": 2},
        },
        {"template": "referral@1", "lines": 1, "counts": {"exact": 1}},
    ]
    assert outcomes_of([(4, result(required=False))], {}) == []
    assert outcomes_of([(1, result())], {}) == [
        {"template": "professional@7", "lines": 1, "counts": {"exact": 1}}
    ]


@pytest.mark.parametrize(
    ("name", "number"), [("7:3f2a9c51d0e4", "7"), ("unkept:0", "unkept"), (None, "")]
)
def test_a_set_is_known_by_its_number(name: str | None, number: str) -> None:
    """An answer names it with its hash; a void was judged by none."""
    assert set_number(name) == number
