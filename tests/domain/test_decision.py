"""What an examiner decides: what each action takes, and how it rides with the claim."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.adjudication import Adjudication
from service.domain.decision import Decision, Raised, Resolution, with_decision, with_decisions
from service.domain.misfits import misfits
from tests.api.bodies import claim_body

A1 = {"authorization_id": "A1"}
DENY = {"group": "CO", "carc": "197"}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"action": "select"}, "/authorizations"),
        ({"action": "deny", "deny_with": DENY, "authorizations": [A1]}, "/authorizations"),
        ({"action": "deny"}, "/deny_with"),
        ({"action": "deny", "deny_with": {"group": "CO", "carc": "15"}}, "/deny_with/carc"),
        ({"action": "replace"}, "/event"),
        ({"action": "request-information", "until": "2026-12-24"}, "/asked"),
        ({"action": "override", "authorizations": [A1]}, "/reason"),
        ({"action": "no-action", "event": "SPA-0009"}, "/event"),
        ({"action": "select", "authorizations": [A1, A1]}, "/authorizations/1/authorization_id"),
        ({"action": "pay"}, "/action"),
    ],
)
def test_an_action_takes_what_it_needs_and_nothing_else(given: Any, path: str) -> None:
    """With the place of what is missing, or too much."""
    with pytest.raises(ValidationError) as refused:
        Resolution.model_validate(given)
    assert misfits(refused.value)[1][0]["path"] == path


@pytest.mark.parametrize(
    "given",
    [
        {"action": "select", "authorizations": [A1]},
        {"action": "deny", "deny_with": DENY},
        {"action": "override", "authorizations": [A1], "reason": "the group is meant"},
        {"action": "no-action"},
    ],
)
def test_what_an_action_needs_is_taken(given: Any) -> None:
    """And nothing is added to it."""
    taken = Resolution.model_validate(given)

    assert taken.model_dump(exclude_unset=True, mode="json", by_alias=True) == given


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"kind": "review"}, "/claim_id"),
        ({"kind": "review", "claim_id": "C-1", "letter": "x"}, "/letter"),
        ({"kind": "dead-letter", "letter": "x", "line": 1}, "/line"),
        ({"kind": "duplicate", "claim_id": "C-1"}, "/claim_id"),
        ({"kind": "suspended", "claim_id": "C-1"}, "/kind"),
        ({"kind": "review", "claim_id": "C-1", "line": 2}, None),
        ({"kind": "duplicate", "authorizations": ["A1"]}, None),
        ({"kind": "dead-letter", "letter": "x"}, None),
    ],
)
def test_what_people_put_there_names_what_it_is_of(given: Any, path: str | None) -> None:
    """One thing of the right kind."""
    if path is None:
        assert Raised.model_validate(given | {"reason": "x"}).reason == "x"
        return
    with pytest.raises(ValidationError) as refused:
        Raised.model_validate(given | {"reason": "x"})
    assert misfits(refused.value)[1][0]["path"] == path


def decision(action: Any = "select", line: int = 1, **more: Any) -> Decision:
    """A decision about a line."""
    given = {"authorizations": (A1,)} if action in ("select", "override") else {}
    return Decision.model_validate({"line": line, "action": action, **given, **more})


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (decision(resolved=("SPA-0016",)), "line 1: SPA-0016 resolved by selecting A1"),
        (
            decision("override", reason="urgent", reason_code="x"),
            "line 1: no event resolved by selecting A1 in spite of its decision [x]: urgent",
        ),
        (decision("deny", deny_with=DENY), "line 1: no event resolved by denying it (197)"),
        (
            decision("replace", event="B", resolved=("A",)),
            "line 1: A resolved by raising B instead",
        ),
        (
            decision(authorizations=[{"authorization_id": f"A{n}"} for n in range(9)]),
            "line 1: no event resolved by selecting A0, A1, A2, A3, A4, and others",
        ),
    ],
)
def test_the_history_says_what_was_decided(made: Decision, told: str) -> None:
    """In one sentence."""
    assert made.told() == told


def test_what_was_selected_since_goes_before_what_the_claim_says() -> None:
    """For the same line and type alone; of a line that is gone nothing is heard."""
    claim = Adjudication.model_validate(
        claim_body()
        | {
            "selections": [
                {"line": 1, "authorizations": [{"authorization_id": "X"}]},
                {"line": 1, "type": "referral", "authorizations": [{"authorization_id": "R"}]},
            ]
        }
    )
    assert with_decisions(claim, [decision("deny", deny_with=DENY), decision(line=9)]) is claim
    decided = with_decisions(claim, [decision("override", reason="urgent")])
    ids = [each.authorizations[0].authorization_id for each in decided.selections]
    assert ids == ["A1", "R"]
    assert decided.override is not None
    assert with_decisions(claim, [decision()]).override is None


@pytest.mark.parametrize(
    ("known", "new", "kept"),
    [
        ([decision(line=2)], decision(), 1),
        ([decision()], decision(), 0),
        ([decision(type="referral")], decision(), 1),
        ([decision(type="referral")], decision("deny", deny_with=DENY), 0),
        ([decision("deny", deny_with=DENY)], decision(), 0),
    ],
)
def test_a_new_decision_takes_the_place_of_those_of_its_line(
    known: list[Decision], new: Decision, kept: int
) -> None:
    """But a selection of another type; it stands first."""
    made = with_decision(known, new)
    assert (made[0], len(made) - 1) == (new, kept)
