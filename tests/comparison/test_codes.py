"""Comparisons of codes: what fits, the clause that says the same, and why."""

from typing import Any

import pytest

from service.comparison._codes import ANY_OF, ANY_OF_PREFIX, EQUAL, SUBSET, WITHIN
from service.comparison.comparison import Comparison, How, held, shown

FIELD = "lines.modifiers_significant"
HOW = How(length=3)


@pytest.mark.parametrize(
    ("comparison", "billed", "authorized", "fits"),
    [
        (EQUAL, ("A",), "A", True),
        (EQUAL, ("A",), "B", False),
        (EQUAL, ("A",), ["B", "A"], True),
        (EQUAL, ("3",), 3, True),
        (EQUAL, ("true",), True, True),
        (EQUAL, ("false",), True, False),
        (EQUAL, ("4",), [3, 4], True),
        (EQUAL, ("A",), None, False),
        (ANY_OF, ("A", "B"), "B", True),
        (ANY_OF, ("A", "B"), ["C", "B"], True),
        (ANY_OF, ("A", "B"), ["C"], False),
        (ANY_OF_PREFIX, ("M54",), "M54.50", True),
        (ANY_OF_PREFIX, ("M54",), ["Z01.1", "M54"], True),
        (ANY_OF_PREFIX, ("M54",), "M5", False),
        (ANY_OF_PREFIX, ("M5",), "M5", True),
        (ANY_OF_PREFIX, ("M5",), "M54", False),
        (SUBSET, ("A", "B"), ["A"], True),
        (SUBSET, ("A", "B"), ["A", "B"], True),
        (SUBSET, ("A",), ["A", "B"], False),
        (SUBSET, ("A",), None, False),
        (WITHIN, ("A",), ["A", "B"], True),
        (WITHIN, ("A", "B"), ["A", "B"], True),
        (WITHIN, ("A", "C"), ["A", "B"], False),
        (WITHIN, ("A",), None, False),
    ],
)
def test_which_codes_fit(
    comparison: Comparison, billed: tuple[str, ...], authorized: Any, fits: bool
) -> None:
    """Equal and any-of: one in common; subset: all authorized is billed; within: the reverse."""
    line = {} if authorized is None else {"x": authorized}

    assert fits == comparison.fits(line, "x", billed, HOW)


@pytest.mark.parametrize(
    ("comparison", "value", "clause"),
    [
        (EQUAL, ("A",), {"term": {FIELD: "A"}}),
        (ANY_OF, ("A", "B"), {"terms": {FIELD: ["A", "B"]}}),
        (ANY_OF_PREFIX, ("M54",), {"prefix": {FIELD: "M54"}}),
        (
            ANY_OF_PREFIX,
            ("M54", "Z0"),
            {"bool": {"should": [{"prefix": {FIELD: "M54"}}, {"term": {FIELD: "Z0"}}]}},
        ),
        (
            SUBSET,
            ("A", "B"),
            {
                "terms_set": {
                    FIELD: {
                        "terms": ["A", "B"],
                        "minimum_should_match_field": "lines.modifiers_significant_count",
                    }
                }
            },
        ),
        (
            WITHIN,
            ("A", "B"),
            {"bool": {"filter": [{"term": {FIELD: "A"}}, {"term": {FIELD: "B"}}]}},
        ),
    ],
)
def test_the_clause_of_a_comparison(
    comparison: Comparison, value: tuple[str, ...], clause: dict[str, Any]
) -> None:
    """The same, said to Elasticsearch."""
    assert clause == comparison.clause(FIELD, value, HOW)


@pytest.mark.parametrize(
    ("comparison", "given", "read"),
    [
        (EQUAL, ("A",), ("A",)),
        (EQUAL, (("A", "B"),), None),
        (EQUAL, (None,), None),
        (ANY_OF, ("A", ("B", "A"), None), ("A", "B")),
        (ANY_OF, ((), None), None),
        (ANY_OF_PREFIX, (("M54.50", "M54.16", "Z0"),), ("M54", "Z0")),
        (ANY_OF_PREFIX, (None,), None),
    ],
)
def test_what_is_read_of_a_claim(
    comparison: Comparison, given: tuple[Any, ...], read: tuple[str, ...] | None
) -> None:
    """Each code once, of all fields; none at all is nothing to compare."""
    assert read == comparison.read(given, HOW)


def test_both_sides_are_shown() -> None:
    """In the words of an examiner; nothing is called nothing."""
    assert EQUAL.why({"x": ["C"]}, "x", ("A", "B"), HOW) == "A, B billed, C authorized"
    assert ANY_OF.why({}, "x", ("A",), HOW) == "A billed, nothing authorized"
    assert shown([]) == "nothing"


@pytest.mark.parametrize(
    ("value", "texts"),
    [(None, []), ("A", ["A"]), (["A", "B"], ["A", "B"]), (7, ["7"]), (False, ["false"])],
)
def test_what_a_line_holds_is_read_as_text(value: Any, texts: list[str]) -> None:
    """None, one or several; numbers and truths as Elasticsearch writes them."""
    assert texts == list(held({"x": value}, "x"))
