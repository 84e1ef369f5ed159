"""What a claim and a change of one must hold, to be adjudicated."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.adjudication import Adjudication, ClaimChange
from tests.builders import build_claim

A1, A2 = {"authorization_id": "A1"}, {"authorization_id": "A2", "line": 2}


def adjudication(**changes: Any) -> Adjudication:
    """A claim of two lines with an examiner's decisions."""
    claim = build_claim(lines=[{}, {}]).model_dump(mode="json", by_alias=True)
    return Adjudication.model_validate({**claim, **changes})


def test_a_claim_without_decisions_is_adjudicated_as_it_stands() -> None:
    """Its units are final."""
    claim = adjudication()

    assert (claim.stage, claim.selections, claim.override) == ("final", (), None)


def test_an_examiner_selects_by_line_and_type() -> None:
    """In the order in which they are drawn."""
    claim = adjudication(
        stage="preliminary",
        override={"reason": "agreed by telephone"},
        selections=[
            {"line": 1, "authorizations": [A2, A1]},
            {"line": 1, "type": "referral", "authorizations": [A1]},
            {"line": 2, "authorizations": [A1]},
        ],
    )
    first = claim.selections[0]

    assert [(each.authorization_id, each.line) for each in first.authorizations] == [
        ("A2", 2),
        ("A1", None),
    ]
    assert [(each.line, each.type) for each in claim.selections] == [
        (1, "authorization"),
        (1, "referral"),
        (2, "authorization"),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stage": "draft"}, "'preliminary' or 'final'"),
        ({"override": {}}, "Field required"),
        ({"override": {"reason": " "}}, "at least 1 character"),
        ({"selections": [{"line": 1, "authorizations": []}]}, "at least 1 item"),
        ({"selections": [{"line": 1, "authorizations": [A1] * 21}]}, "at most 20 items"),
        (
            {"selections": [{"line": 1, "authorizations": [A1, A2, A1]}]},
            "the same authorization is selected twice",
        ),
        (
            {"selections": [{"line": 1, "authorizations": [{**A1, "line": 3}] * 2}]},
            "the same authorization is selected twice",
        ),
        (
            {"selections": [{"line": 1, "authorizations": [A1, A2, {**A1, "line": 3}]}]},
            "selected whole, and one of its lines as well",
        ),
        (
            {"selections": [{"line": 3, "authorizations": [A1]}]},
            "a selection is for line 3, which the claim has not",
        ),
        (
            {"selections": [{"line": 1, "authorizations": [each]} for each in (A1, A2)]},
            "line 1 has two selections of one type",
        ),
    ],
)
def test_a_decision_that_cannot_be_meant(changes: Any, reason: str) -> None:
    """It is refused with the reason."""
    with pytest.raises(ValidationError, match=reason):
        adjudication(**changes)


def test_a_change_names_lines_and_their_units() -> None:
    """Or nothing at all."""
    change = ClaimChange.model_validate({"version": 2, "lines": [{"line": 1, "units": "2.5"}]})

    assert ClaimChange().lines == ()
    assert [(each.line, str(each.units)) for each in change.lines] == [(1, "2.5")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lines": [{"line": 1, "units": "1"}, {"line": 1, "units": "2"}]}, "stands twice"),
        ({"lines": [{"line": 1, "units": "-1"}]}, "not negative"),
        ({"lines": [{"line": 1, "units": "3000000001"}]}, "should be less than or equal to"),
        ({"lines": [{"line": 1}]}, "the units that the line keeps, the amount, or both"),
        ({"lines": [{"line": 1, "amount": "1.005"}]}, "no more than 2 decimal places"),
        ({"lines": [{"line": 1, "amount": "-1.00"}]}, "not negative"),
        ({"lines": [{"line": 1, "amount": "3000000001"}]}, "should be less than or equal to"),
        ({"version": 0}, "greater than or equal to 1"),
    ],
)
def test_a_change_that_cannot_be_meant(change: Any, reason: str) -> None:
    """It is refused with the reason."""
    with pytest.raises(ValidationError, match=reason):
        ClaimChange.model_validate(change)
