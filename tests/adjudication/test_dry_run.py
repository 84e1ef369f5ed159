"""A claim that is only tried moves nothing, and is told what it would then be told."""

from typing import Any

import pytest

from tests.adjudication.desk import Desk
from tests.adjudication.holdings import accumulated, check_holdings

LIMITS = {"limits": {"units": 5, "unit": "UN"}}


@pytest.mark.parametrize(
    "claim",
    [
        {"line": {"units": 2, "charge": "80.00"}},
        {"line": {"units": 4, "charge": "80.00"}},
        {"line": {"units": 2, "from": "2026-06-03"}},
        {"lines": [{"units": 1}, {"procedure": "97110", "units": 3}, {"procedure": "97012"}]},
        {"line": {"units": 5}, "frequency": "7", "original_claim_id": "C-1"},
        {"line": {"units": 2}, "frequency": "8", "original_claim_id": "C-1"},
        {"line": {"units": 2}, "frequency": "8", "original_claim_id": "NOBODY"},
        {"line": {"units": 2}, "stage": "preliminary"},
    ],
)
def test_a_trial_gives_the_lines_that_the_run_then_gives(desk: Desk, claim: dict[str, Any]) -> None:
    """Whole lines with all balances, and what goes back; in between nothing has moved."""
    desk.push(authorization_id="A1", line=LIMITS)
    desk.adjudicate(line={"units": 2})
    before = accumulated(desk)
    tried = desk.adjudicate(claim_id="C-2", dry_run=True, **claim)
    between = accumulated(desk)
    unknown = desk.client().get("/claims/C-2")
    done = desk.adjudicate(claim_id="C-2", **claim)

    assert (tried.json()["dry_run"], done.json()["dry_run"]) == (True, False)
    assert between == before
    assert unknown.status_code == 404
    assert shown(tried.json()) == shown(done.json())
    check_holdings(desk)


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """All of an answer but that it was a trial."""
    return {name: value for name, value in answer.items() if name != "dry_run"}


def test_a_trial_of_a_newer_version_leaves_the_older_one(desk: Desk) -> None:
    """The claim stays as it was, also where it is tried to adjudicate it anew."""
    desk.push(authorization_id="A1", line=LIMITS)
    first = desk.adjudicate(line={"units": 2}).json()
    newer = desk.adjudicate(version=2, dry_run=True, line={"units": 4})
    again = desk.adjudicate(readjudicate=True, dry_run=True, line={"units": 2})
    stored = desk.read("/claims/C-1")

    assert newer.json()["lines"][0]["approved"]["units"] == "4"
    assert again.json()["lines"][0]["approved"]["units"] == "2"
    assert (stored["version"], stored["versions"]) == (1, [1])
    assert stored["lines"] == first["lines"]
    check_holdings(desk)
