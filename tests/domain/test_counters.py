"""The table of counters: what it holds, and what it refuses."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.accounting_policy import BilledService
from service.domain.counters import Counter, CounterTable
from service.rules.texts import load_texts, read_folder
from tests.builders import QUERIES, references

VISITS: dict[str, Any] = {"procedures": ["97802"], "counts": "visits"}


@pytest.mark.parametrize(
    ("counters", "fault"),
    [
        ({"it": {"counts": "visits"}}, "a counter names `procedures` or `revenue`"),
        ({"it": {**VISITS, "counts": "smiles"}}, "Input should be"),
        ({"it": {**VISITS, "period": "week"}}, "Input should be"),
        ({"it": {**VISITS, "procedures": ["97804..97802"]}}, "is not a range"),
        ({"It": VISITS}, "should match pattern"),
        ({"with-dash": VISITS}, "should match pattern"),
        ({f"it{number}": VISITS for number in range(101)}, "at most 100"),
    ],
)
def test_what_is_no_counter_is_refused(counters: Any, fault: str) -> None:
    """A column needs a name that a cell can write, and something to count."""
    with pytest.raises(ValidationError, match=fault):
        CounterTable.model_validate({"counters": counters})


@pytest.mark.parametrize(
    ("named", "procedure", "revenue", "fits"),
    [
        ({"procedures": [{"group": "nutrition-counseling"}]}, "97803", None, True),
        ({"procedures": [{"group": "nutrition-counseling"}]}, "97110", None, False),
        ({"procedures": ["97802"]}, None, "0420", False),
        ({"revenue": ["0420..0429"]}, None, "0424", True),
        ({"revenue": ["0420..0429"], "procedures": ["97110"]}, "97140", "0424", False),
    ],
)
def test_what_a_counter_counts(
    named: Any, procedure: str | None, revenue: str | None, fits: bool
) -> None:
    """All that it names must fit; a code that is not known fits nothing."""
    counter = Counter.model_validate({"counts": "units", **named})
    service = BilledService(
        query_type="", procedure=procedure, revenue_code=revenue, modifiers=frozenset()
    )

    assert counter.fits(service, references().groups) == fits


@pytest.mark.parametrize(
    ("period", "start"), [("year", date(2026, 1, 1)), ("month", date(2026, 3, 1))]
)
def test_a_period_begins_by_the_calendar(period: str, start: date) -> None:
    """Of the day of service."""
    counter = Counter.model_validate({**VISITS, "period": period})

    assert counter.start_of(date(2026, 3, 31)) == start


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("reference/counters.yaml", "group: nutrition-counseling", "group: nobody", 9,
         "counters/nutrition_visits: there is no group nobody in procedure-groups"),
        ("reference/counters.yaml", "counts: visits", "counts: smiles", 12,
         "counters/nutrition_visits/counts: Input should be"),
        ("reference/counters.yaml", "nutrition_visits:", "meal_visits:", None,
         "unknown column counted.nutrition_visits"),
        ("tables/requested-auth-type.json", "line.accommodation", "counted.nutrition_visits", None,
         "unknown column counted.nutrition_visits"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_a_problem(
    file: str, old: str, new: str, line: int | None, message: str
) -> None:
    """With path and line; no table reads a counter that is not there, nor another table one."""
    texts = read_folder(QUERIES)
    assert old in texts[file]
    texts[file] = texts[file].replace(old, new)

    problem = load_texts(texts).problems[0]

    assert (problem.code, problem.line) == ("T014", line)
    assert message in problem.message
