"""When a claim waits, as far as it is known before units are drawn."""

from dataclasses import replace

import pytest

from service.accounting.books.plan import ClaimPlan, LinePlan
from service.accounting.books.scale import SCALE
from service.accounting.books.waiting import NEVER_WAITS, Waiting, waiting_of
from service.domain.accounting_policy import WAITS_FOR
from service.domain.event import Events, LineAction, Outcome
from tests.builders import event_codes
from tests.movements import bounds, part


def waiting(
    outcome: Outcome | None = None,
    action: LineAction = "suspend",
    *,
    plan: ClaimPlan | None = None,
    waits_for: frozenset[Outcome] = WAITS_FOR,
) -> Waiting:
    """When a claim of one line that bills four units waits, with perhaps one event."""
    raised = []
    if outcome is not None:
        raised = [replace(Events(event_codes(), "professional").make(outcome), action=action)]
    return waiting_of(raised, {1: 4 * SCALE}, plan or ClaimPlan(), waits_for)


def asking(units: int) -> ClaimPlan:
    """A plan that asks for so many of them."""
    wanted = part(units, {"A1": bounds()})
    return ClaimPlan(lines=(LinePlan(line=1, whole_only=False, parts=(wanted,)),))


@pytest.mark.parametrize(
    ("outcome", "action", "waits"),
    [
        ("not_found", "suspend", True),
        ("not_found", "deny", True),
        ("invalid_number_claim", "suspend", True),
        ("invalid_number_claim", "none", False),
        ("companion", "suspend", False),
        ("unknown_original", "suspend", False),
        (None, "none", False),
    ],
)
def test_a_line_waits_if_an_authorization_may_change_what_stops_it(
    outcome: Outcome | None, action: LineAction, waits: bool
) -> None:
    """Not for an event that only tells, nor for one that no authorization changes."""
    assert waiting(outcome, action).events == waits


def test_what_runs_short_is_told_by_the_books() -> None:
    """Before that only days which nothing covers are known to be missing."""
    whole, part_ = waiting(plan=asking(4)), waiting(plan=asking(3))
    never = waiting(plan=asking(3), waits_for=frozenset({"exhausted"}))

    assert (whole.events, whole.exhausted, whole.exceeded) == (False, True, True)
    assert part_.events
    assert (never.events, never.exhausted, never.exceeded) == (False, True, False)


def test_most_claims_cannot_wait() -> None:
    """Nothing stops them, and nothing can run short."""
    assert not NEVER_WAITS.is_possible
    assert waiting(plan=asking(4)).is_possible
