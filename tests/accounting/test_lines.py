"""A line is known by its own identifier, else by what it grants; its place is no name."""

from typing import Any

import pytest

from service.accounting.limits.lines import (
    Untold,
    follow,
    how_counted,
    lines_of,
    read_lines,
    write_lines,
)
from tests.builders import build_authorization

PT = {"procedure": {"from": "97110"}}
MANUAL = {"procedure": {"from": "97140"}}
TEN = {"limits": {"units": "10", "unit": "UN"}}
FOUR = {"limits": {"units": "4", "unit": "UN"}}
MARCH = {"effective": {"from": "2026-03-01", "to": "2026-03-31"}}
APRIL = {"effective": {"from": "2026-04-01", "to": "2026-04-30"}}

WEEKLY = {"count": "2", "period": "week"}
MONTHLY = {"count": "2", "period": "month"}

Lines = list[dict[str, Any]]


def ten(**limits: Any) -> dict[str, Any]:
    """A limit of ten units, and others."""
    return {"limits": {**TEN["limits"], **limits}}


def version(*lines: dict[str, Any], **header: Any) -> Any:
    """A version with these lines, numbered as they stand."""
    return build_authorization(lines=list(lines), **header)


def followed(old: Lines, new: Lines, *drawn: int) -> dict[int, tuple[int, ...]]:
    """Which lines of the new version the old ones are."""
    return follow(lines_of(version(*old)), lines_of(version(*new)), drawn or (1, 2))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([PT, MANUAL], [PT, MANUAL], {1: (1,), 2: (2,)}),
        ([PT, MANUAL], [MANUAL, PT], {1: (2,), 2: (1,)}),
        ([PT | TEN, MANUAL], [MANUAL, PT | FOUR], {1: (2,), 2: (1,)}),
        ([PT | {"code": "X"}, MANUAL], [MANUAL, {"code": "X", **MANUAL}], {1: (2,), 2: (1,)}),
        ([PT, MANUAL], [MANUAL | {"code": "Y"}, PT | {"code": "X"}], {1: (2,), 2: (1,)}),
        ([PT | {"code": "1"}, MANUAL | {"code": "2"}], [MANUAL, PT], {1: (2,), 2: (1,)}),
        ([PT | {"modifiers": ["GO"]}], [PT], {1: (1,)}),
        ([PT | {"modifiers": ["GO"]}, PT], [PT, PT | {"modifiers": ["GO"]}], {1: (2,), 2: (1,)}),
        ([PT | MARCH, PT | APRIL], [PT | APRIL, PT | MARCH], {1: (2,), 2: (1,)}),
        ([PT | TEN, PT | FOUR], [PT | FOUR, PT | TEN], {1: (2,), 2: (1,)}),
        ([PT | FOUR, PT | FOUR], [PT | FOUR, PT | FOUR], {1: (1,), 2: (2,)}),
        ([PT], [PT | MARCH, PT | APRIL], {1: (1, 2)}),
        ([PT | MARCH, PT | APRIL], [PT], {1: (1,), 2: (1,)}),
        ([PT | MARCH], [PT | MARCH, PT | APRIL], {1: (1,)}),
        ([PT, MANUAL], [MANUAL], {1: (), 2: (1,)}),
        ([PT], [MANUAL], {1: ()}),
    ],
)
def test_lines_are_found_again(old: Lines, new: Lines, expected: dict[int, Any]) -> None:
    """By identifier, by all that is said, by service, by code; several where days must tell."""
    assert followed(old, new) == expected


def test_identifiers_that_changed_places_are_believed_by_nobody() -> None:
    """Where nothing was drawn of these lines it does not matter."""
    old = [PT | {"code": "X"}, MANUAL | {"code": "Y"}]
    new = [MANUAL | {"code": "X"}, PT | {"code": "Y"}]

    with pytest.raises(Untold, match="line 1 has the identifier of one line"):
        followed(old, new, 1)
    assert follow(lines_of(version(*old)), lines_of(version(*new)), ()) == {1: (1,), 2: (2,)}


def test_an_identifier_that_stands_twice_names_nothing() -> None:
    """Then the service does."""
    same = {"code": "X"}
    assert followed([PT | same, MANUAL | same], [MANUAL | same, PT | same]) == {1: (2,), 2: (1,)}


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ({"line": PT | TEN}, {"line": PT | FOUR}, True),
        ({"line": PT | MARCH}, {"line": PT | APRIL}, True),
        ({"line": PT | TEN}, {"line": PT | {"limits": {"units": "10", "unit": "HS"}}}, False),
        ({"line": PT | TEN}, {"line": PT | {"limits": {**TEN["limits"], "amount": "5"}}}, True),
        (
            {"line": PT | TEN},
            {"line": PT | {"limits": {**TEN["limits"], "service_days": "5"}}},
            False,
        ),
        ({"line": PT | TEN}, {"line": PT | ten(per=WEEKLY)}, False),
        ({"line": PT | ten(per=WEEKLY)}, {"line": PT | ten(per=MONTHLY)}, False),
        ({"line": PT | TEN}, {"line": PT | TEN, "limits": {"units": "3", "unit": "VS"}}, False),
        ({"lines": [PT, MANUAL]}, {"lines": [MANUAL, PT]}, False),
        ({"lines": [PT | MARCH, PT | APRIL]}, {"lines": [PT | MARCH, PT]}, False),
        ({"lines": []}, {"lines": []}, True),
        ({"line": PT}, {"line": PT, "place_of_service": "22"}, False),
    ],
)
def test_versions_of_one_shape_count_alike(before: Any, after: Any, is_same: bool) -> None:
    """How much and until when is no part of it, but where that alone tells lines apart."""
    shapes = {how_counted(build_authorization(**each)).shape for each in (before, after)}
    assert (len(shapes) == 1) is is_same


def test_a_renewal_that_is_not_known_has_a_shape() -> None:
    """Of the first claim, say: an examiner looks at what is drawn on it."""
    renewal = {"reference": "first claim", "period": 1, "unit": "month"}
    limits = {"units": "10", "unit": "UN", "renewal": renewal}
    known = {**limits, "renewal": renewal | {"reference": "calendar"}}
    shapes = [
        how_counted(build_authorization(line={"limits": each})).shape for each in (limits, known)
    ]

    assert shapes[0] != shapes[1]


@pytest.mark.parametrize(
    "line",
    [
        {"procedure": {"group": "therapy"}},
        {"procedure": {"from": "97110", "to": "97140"}, "code": "X"},
        {"procedure": None, "revenue_code": "0420"},
        {"procedure": None, "service_type": "PT"},
        {
            "procedure": {"from": "D2740"},
            "tooth": "14",
            "surfaces": ["M", "O"],
            "oral_cavity": ["10"],
        },
    ],
)
def test_the_books_hold_lines_as_they_were_told(line: dict[str, Any]) -> None:
    """What tells lines apart is condensed: no code of a service stands in it."""
    lines = lines_of(build_authorization(line=line))

    assert read_lines(write_lines(lines)) == lines
    assert "97110" not in write_lines(lines)
    assert lines[0].service != lines_of(build_authorization(line={"procedure": None}))[0].service


def test_no_lines_are_no_text() -> None:
    """And back."""
    assert read_lines("") == ()
    assert write_lines(()) == ""
