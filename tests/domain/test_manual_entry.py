"""What a person enters by hand: what it must be, how it waits, and what it becomes."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.actor import NOBODY, Actor
from service.domain.authorization import Authorization
from service.domain.manual_entry import (
    ManualEntry,
    counting,
    entered_by,
    is_waiting,
    waiting,
)
from service.domain.misfits import misfits
from tests.builders import build_authorization

ANN = Actor(by="key:desk", on_behalf_of="ann")
BODY = build_authorization(decision=None, attached={"ward": "3"}).model_dump(
    mode="json", by_alias=True, exclude_unset=True, exclude={"version", "decision"}
)


def entered(**changes: Any) -> Authorization:
    """What an entry of this says."""
    entry = ManualEntry.model_validate({"authorization": {**BODY, **changes}})
    return entry.authorization


def test_what_is_not_written_is_a_first_grant_in_total() -> None:
    """Version 1 and A1; another grant is said."""
    one, part = entered(), entered(decision={"action": "A2", "reviewer": "Dr. Lee"})
    assert one.decision is not None
    assert part.decision is not None
    assert (one.version, one.decision.action, part.decision.action) == (1, "A1", "A2")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": 3}, "/authorization/version"),
        ({"decision": {"action": "A3"}}, "/authorization/decision/action"),
        ({"decision": None}, "/authorization/decision/action"),
        ({"status": "Approved"}, "/authorization/status"),
        ({"attached": {"entered_action": "A1"}}, "/authorization/attached/entered_action"),
        (
            {"lines": [{"line": 1, "decision": {"action": "A1"}}]},
            "/authorization/lines/0/decision",
        ),
    ],
)
def test_what_cannot_be_entered_is_refused(changes: dict[str, Any], path: str) -> None:
    """With its place."""
    with pytest.raises(ValidationError) as refused:
        entered(**changes)
    assert path in {each["path"] for each in misfits(refused.value)[1]}


@pytest.mark.parametrize("wrong", [[], {"authorization": 3}, {}])
def test_what_is_no_entry_is_refused(wrong: object) -> None:
    """Whatever it is."""
    with pytest.raises(ValidationError):
        ManualEntry.model_validate(wrong)


def test_an_entry_waits_as_pended_and_counts_as_it_was_granted() -> None:
    """Who entered it stays with it, and who confirmed it; what was attached, too."""
    granted = entered(decision={"action": "A6"})
    waits = waiting(granted, ANN, "2026-06-01T09:00:00.000+00:00")
    counts = counting(waits, 2, "kim")
    alone = counting(waiting(granted, NOBODY, ""), 2, None)

    assert waits.decision is not None
    assert (waits.decision.action, waits.status) == ("A4", "MANUAL_PENDING")
    assert [is_waiting(each) for each in (granted, waits, counts)] == [False, True, False]
    assert not is_waiting(build_authorization(status="MANUAL_PENDING"))
    assert (entered_by(waits), entered_by(granted)) == (ANN, NOBODY)
    assert counts.decision == granted.decision
    assert (counts.version, counts.status) == (2, None)
    assert counts.attached == {
        "ward": "3", "entered_by": "key:desk", "entered_for": "ann", "entered_action": "A6",
        "entered_at": "2026-06-01T09:00:00.000+00:00", "confirmed_by": "kim",
    }  # fmt: skip
    assert alone.attached == {"ward": "3", "entered_action": "A6"}
