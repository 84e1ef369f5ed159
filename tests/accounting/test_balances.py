"""What candidates were granted and what is left of it, each authorization line once for a day."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounting.answers.balances import (
    LOOKED_AT_MAX,
    Granting,
    balances_told,
    with_balances,
)
from service.accounting.books.scale import SCALE
from service.accounting.limits.bounds import accounts_of
from service.domain.candidate import Candidate
from service.domain.canonical import canonical_form
from service.domain.terms import read_terms, terms_in
from tests.builders import build_authorization

DAY = date(2026, 3, 12)
UNITS = {"units": "9", "unit": "UN"}
FIRST_CLAIM = {"reference": "first claim", "period": 1, "unit": "month"}


def candidate(name: str = "A1", *, is_known: bool = True, **changes: Any) -> Candidate:
    """A candidate as a search gives it."""
    paper = build_authorization(authorization_id=name, **changes)
    return _named(name, terms_in(canonical_form(paper)) if is_known else None)


def granting(*candidates: Candidate, line: int = 1) -> Granting:
    """What these were granted, all on one day."""
    found = Granting(week_starts_on="sunday")
    for each in candidates:
        found.add(each, line, DAY)
    return found


def told(found: Granting, **looked: list[int]) -> list[str]:
    """In words; what was looked up is of A1, by account."""
    balances = {("A1", account): numbers for account, numbers in looked.items()}
    return [
        f"{each['account']} {each['measure']} {each['unit']} {each['granted']}"
        f" {each['used']} {each['reserved']} {each['remaining']}"
        for of_one in balances_told(found.granted, balances).values()
        for each in of_one
    ]


HELD = [2 * SCALE, SCALE, 120 * SCALE, 0, SCALE, 0]


@pytest.mark.parametrize(
    ("changes", "line", "expected"),
    [
        ({"line": {"limits": UNITS}}, 1, ["L1 units UN 9 2 1 6"]),
        ({"line": {"limits": {"amount": "500.00"}}}, 1,
         ["L1 amount None 500.00 120.00 0.00 380.00"]),
        ({"line": {"limits": {"service_days": "1"}}}, 1, ["L1 service_days None 1 1 0 0"]),
        ({}, 1, ["L1 units None None 2 1 None"]),
        ({"limits": UNITS, "lines": []}, 0, ["H units UN 9 2 1 6"]),
        ({"limits": UNITS | {"units": "2"}, "lines": []}, 0, ["H units UN 2 2 1 -1"]),
        (
            {"limits": UNITS | {"renewal": FIRST_CLAIM}, "lines": []},
            0,
            ["H@ units UN 9 None None None"],
        ),
        (
            {"line": {"limits": UNITS | {"renewal": FIRST_CLAIM}}},
            1,
            ["L1@ units UN 9 None None None"],
        ),
    ],
)  # fmt: skip
def test_what_is_told_of_a_limit(changes: Any, line: int, expected: list[str]) -> None:
    """Each that was given; without any what is used, and of no known period nothing."""
    assert told(granting(candidate(**changes), line=line), L1=HELD, H=HELD) == expected


QUANTITY = st.decimals(min_value=0, max_value=999, places=2).map(str)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "units": QUANTITY,
        "amount": QUANTITY,
        "service_days": QUANTITY,
        "per": st.just({"count": "3", "period": "week", "span": 2, "span_unit": "month"}),
        "renewal": st.just({"reference": "calendar", "period": 1, "unit": "month"}),
    },
).map(lambda limits: {**limits, "unit": "UN"})


@given(st.none() | LIMITS, st.none() | LIMITS, st.sampled_from((0, 1)))
def test_what_is_told_is_what_is_counted(header: Any, own: Any, line: int) -> None:
    """Whatever is granted to header and line, every limit is that of the account that is drawn."""
    given_lines = [{"limits": own} if own else {}] if line else []
    one = candidate(lines=given_lines, **({"limits": header} if header else {}))
    found = granting(one, line=line)
    counted = [
        (account.name_on(DAY), name, number)
        for account in accounts_of(read_terms(one.terms), line, "sunday")
        for name, number in (
            ("units", account.bounds.units),
            ("amount", account.bounds.amount),
            ("service_days", account.bounds.days),
        )
        if number is not None
    ]

    (limits,) = found.granted.values()
    assert [
        (account, name, number) for account, name, _, number in limits if number is not None
    ] == (counted)


def test_what_was_not_found_is_not_known() -> None:
    """And is never told as nothing used."""
    found = granting(candidate(line={"limits": UNITS}))

    assert told(found) == ["L1 units UN 9 None None None"]
    assert {name: list(each) for name, each in found.accounts.items()} == {"A1": ["L1"]}


def test_an_authorization_is_told_for_each_of_its_lines_and_days() -> None:
    """A weekly limit has an account for each week in which a claim line begins."""
    weekly = {"per": {"count": "5", "period": "week"}, "unit": "UN"}
    one = candidate(lines=[{"limits": UNITS}, {"limits": weekly}])
    found = Granting(week_starts_on="sunday")
    for line, day in ((1, 12), (1, 12), (2, 12), (2, 19), (2, 12)):
        found.add(one, line, date(2026, 3, day))

    assert list(found.accounts["A1"]) == ["L1", "L2~2026-03-08", "L2~2026-03-15"]


def test_a_candidate_without_terms_says_nothing() -> None:
    """It is shown without balances."""
    found = granting(candidate(is_known=False))
    result: Any = {
        "candidates": [{"authorization_id": "A1", "line": 1}],
        "near_misses": [],
        "class": "exact",
    }
    (shown,) = with_balances([result], DAY.isoformat(), balances_told(found.granted, {}))

    assert found.granted == {}
    assert shown["candidates"][0]["balances"] == []
    assert "balances" not in result["candidates"][0]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_looked_at_is_bounded(seed: int) -> None:
    """However many candidates a claim has: those that were found first are told."""
    one = candidate(line={"limits": UNITS}).terms
    numbers = random.Random(seed).sample(range(2 * LOOKED_AT_MAX), 2 * LOOKED_AT_MAX)
    found = Granting(week_starts_on="sunday")
    for number in [*numbers, *numbers]:
        found.add(_named(f"A{number}", one), 1, DAY)

    assert list(found.accounts) == [f"A{number}" for number in numbers[:LOOKED_AT_MAX]]
    assert len(found.granted) == LOOKED_AT_MAX


def _named(name: str, terms: Any) -> Candidate:
    return Candidate(
        authorization_id=name,
        version=1,
        number=None,
        shown_number=None,
        certification_date=None,
        starts_on=None,
        lines=(),
        terms=terms,
    )
