"""Scopes, roles from a file, and what an answer withholds."""

from pathlib import Path
from typing import Any

import pytest

from service.access.scopes import ALL, RolesRefused, read_roles, shown

ANSWER: dict[str, Any] = {
    "claim_id": "C-1",
    "lines": [
        {
            "line": 1,
            "requirement": {"needed": ["authorization"]},
            "results": [
                {
                    "class": "exact",
                    "required": True,
                    "chosen": ["A1"],
                    "candidates": [{"authorization_id": "A1"}],
                    "submitted_numbers": [{"value": "AU-1", "fits": "A1"}],
                    "events": [{"code": "AUM001", "authorization_id": "A1"}],
                }
            ],
        }
    ],
}
CLINICAL, BILLING = "clinical.authorization.read", "billing.charge.read"


def test_who_may_see_all_sees_the_answer_itself() -> None:
    """Nothing is copied on the way of a claim."""
    assert shown(ANSWER, ALL) is ANSWER


@pytest.mark.parametrize(
    ("missing", "result", "requirement"),
    [
        (
            {CLINICAL},
            {
                "class": "exact",
                "required": True,
                "chosen": [],
                "candidates": [],
                "submitted_numbers": [{"value": "AU-1", "fits": None}],
                "events": [{"code": "AUM001", "authorization_id": None}],
            },
            {"needed": ["authorization"]},
        ),
        (
            {BILLING},
            ANSWER["lines"][0]["results"][0] | {"required": None, "events": []},
            None,
        ),
        (
            {BILLING, CLINICAL},
            {
                "class": "exact",
                "required": None,
                "chosen": [],
                "candidates": [],
                "submitted_numbers": [{"value": "AU-1", "fits": None}],
                "events": [],
            },
            None,
        ),
    ],
    ids=["clinical", "billing", "both"],
)
def test_what_is_withheld_is_empty_and_named(
    missing: set[str], result: dict[str, Any], requirement: Any
) -> None:
    """By the scope that it needs; the answer of others stays as it was."""
    told = shown(ANSWER, ALL - missing)

    assert told["lines"] == [{"line": 1, "requirement": requirement, "results": [result]}]
    assert set(told["withheld"]) == missing
    assert "withheld" not in ANSWER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("examiner: [claims.match, claims.mach]", "/examiner/1: there is no such scope"),
        ("examiner: claims.match", "/examiner: it must be a list"),
        ("examiner: []", "/examiner: it must be a list"),
        ("examiner: [[claims.match]]", "/examiner/0: there is no such scope"),
        ("7: [claims.match]", "the name of a role must be a text"),
        ("[]", "it must be a mapping"),
        ("", "it must be a mapping"),
        ("a: [", "cannot be read as YAML"),
        ("a: &a [*a]", "/a/0: there is no such scope"),
    ],
)
def test_roles_that_cannot_be_meant(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is guessed: the service does not start on them."""
    file = tmp_path / "roles.yaml"
    file.write_text(text)

    with pytest.raises(RolesRefused, match=said):
        read_roles(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is told like one that cannot be read."""
    with pytest.raises(RolesRefused, match="cannot be read"):
        read_roles(tmp_path / "roles.yaml")
