"""Whether a search for what is nearby finds all that another one finds: by days, and by numbers."""

from typing import Any

import pytest

from service.querying.search import finds_all

Clause = dict[str, Any]


def valid(first: str, last: str, **more: str) -> Clause:
    """What is valid on these days."""
    days = {"gte": first, "lte": last, "relation": "intersects", **more}
    return {"range": {"windows": days}}


def or_numbers(*numbers: str, days: tuple[Clause, ...]) -> Clause:
    """What is valid then, or carries a number."""
    by_number = {"terms": {"numbers_all": list(numbers)}}
    return {"bool": {"should": [{"bool": {"filter": list(days)}}, by_number]}}


MARCH, WEEK, APRIL = (
    valid("2026-03-01", "2026-03-31"),
    valid("2026-03-10", "2026-03-17"),
    valid("2026-04-01", "2026-04-30"),
)
RAW = {"term": {"lines.setting": "professional"}}


@pytest.mark.parametrize(
    ("wide", "narrow", "finds"),
    [
        ((), (MARCH,), True),
        ((MARCH,), (), False),
        ((MARCH,), (MARCH,), True),
        ((MARCH,), (WEEK,), True),
        ((WEEK,), (MARCH,), False),
        ((MARCH,), (APRIL,), False),
        ((MARCH,), (WEEK, APRIL), True),
        ((MARCH, APRIL), (WEEK,), False),
        ((valid("2026-03-01", "2026-03-31", relation="within"),), (WEEK,), False),
        (({"range": {"starts_on": MARCH["range"]["windows"]}},), (WEEK,), False),
        ((or_numbers("1", "2", days=(MARCH,)),), (or_numbers("1", days=(WEEK,)),), True),
        ((or_numbers("1", days=(MARCH,)),), (or_numbers("1", "2", days=(WEEK,)),), False),
        ((or_numbers("1", days=(MARCH,)),), (WEEK,), True),
        ((MARCH,), (or_numbers("1", days=(WEEK,)),), False),
        ((MARCH, RAW), (WEEK, RAW), False),
        ((MARCH,), (WEEK, RAW), False),
    ],
)
def test_one_search_finds_all_that_another_finds(
    wide: tuple[Clause, ...], narrow: tuple[Clause, ...], finds: bool
) -> None:
    """Days within days, numbers among numbers; of raw clauses nothing is known."""
    assert finds_all(wide, narrow) is finds
