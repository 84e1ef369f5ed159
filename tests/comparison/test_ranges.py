"""A billed code inside an authorized code or range of codes: of one shape, letter by letter."""

from typing import Any

import pytest

from service.comparison.comparison import How
from service.comparison.ranges import IN_RANGE, authorized_procedure

THERAPY = {
    "procedure.from": "97110",
    "procedure.to": "97140",
    "procedure.shape": "HCPCS:99999",
}


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        (("97110",), True),
        (("97140",), True),
        (("97125", "HCPCS:99999"), True),
        (("97141",), False),
        (("97109",), False),
        (("9711T",), False),
        (("97120", "NDC:99999"), False),
    ],
)
def test_a_code_in_a_range(given: tuple[str, ...], fits: bool) -> None:
    """Both ends count; a code of another system or shape is never between them."""
    assert fits == IN_RANGE.fits(THERAPY, "procedure", IN_RANGE.read(given, How()), How())
    assert not IN_RANGE.fits({}, "procedure", IN_RANGE.read(given, How()), How())


@pytest.mark.parametrize("given", [(), (None,), (None, "HCPCS:99999"), (("97110", "97112"),)])
def test_without_a_code_nothing_is_in_range(given: tuple[Any, ...]) -> None:
    """A shape alone is no code."""
    assert IN_RANGE.read(given, How()) is None


@pytest.mark.parametrize("given", [("97112",), ("97112", None), ("97112", "HCPCS:99999")])
def test_the_clause_of_a_range(given: tuple[Any, ...]) -> None:
    """The shape, and both ends."""
    assert IN_RANGE.clause("lines.procedure", IN_RANGE.read(given, How()), How()) == {
        "bool": {
            "filter": [
                {"term": {"lines.procedure.shape": "HCPCS:99999"}},
                {"range": {"lines.procedure.from": {"lte": "97112"}}},
                {"range": {"lines.procedure.to": {"gte": "97112"}}},
            ]
        }
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (THERAPY, "97110-97140"),
        ({"procedure.from": "97110", "procedure.to": "97110"}, "97110"),
        ({"procedure.group": "therapy"}, "therapy"),
        ({}, None),
    ],
)
def test_what_a_line_authorizes(line: dict[str, str], expected: str | None) -> None:
    """A range, a code, a group, or nothing."""
    assert expected == authorized_procedure(line, "procedure")
    assert f"97200 billed, {expected} authorized" == IN_RANGE.why(
        line, "procedure", ("97200", "HCPCS:99999"), How()
    )
