"""When a claim waits, as far as it is known before units are drawn."""

from typing import Any

import pytest

from service.accounting.books.plan import ClaimPlan, LinePlan
from service.accounting.books.scale import SCALE
from service.accounting.books.waiting import NEVER_WAITS, waiting_of
from service.domain.accounting_policy import WAITS_FOR
from tests.movements import bounds, part


def drafted(outcome: str | None, action: str = "suspend", **line: Any) -> Any:
    """A draft of one line that bills four units, with one event."""
    events = [{"outcome": outcome, "action": action}] if outcome else []
    return {"lines": [{"line": 1, "billed": {"units": 4 * SCALE}, "events": events, **line}]}


def asking(units: int) -> ClaimPlan:
    """A plan that asks for so many of them."""
    wanted = part(units, {"A1": bounds()})
    return ClaimPlan(lines=(LinePlan(line=1, whole_only=False, parts=(wanted,)),))


@pytest.mark.parametrize(
    ("draft", "waits"),
    [
        (drafted("not_found"), True),
        (drafted("not_found", "deny"), True),
        (drafted("invalid_number_claim"), True),
        (drafted("invalid_number_claim", "none"), False),
        (drafted("companion"), False),
        (drafted("unknown_original"), False),
        (drafted("not_found", void=True), False),
        (drafted(None), False),
    ],
)
def test_a_line_waits_if_an_authorization_may_change_what_stops_it(draft: Any, waits: bool) -> None:
    """Not for an event that only tells, nor for one that no authorization changes."""
    assert waiting_of(draft, ClaimPlan(), WAITS_FOR, b"claim").events == waits


def test_what_runs_short_is_told_by_the_books() -> None:
    """Before that only days which nothing covers are known to be missing."""
    whole = waiting_of(drafted(None), asking(4), WAITS_FOR, b"claim")
    part_ = waiting_of(drafted(None), asking(3), WAITS_FOR, b"claim")
    never = waiting_of(drafted(None), asking(3), frozenset({"exhausted"}), b"claim")

    assert (whole.events, whole.exhausted, whole.exceeded) == (False, True, True)
    assert part_.events
    assert (never.events, never.exhausted, never.exceeded) == (False, True, False)


def test_most_claims_cannot_wait() -> None:
    """Nothing stops them, and nothing can run short."""
    assert not NEVER_WAITS.is_possible
    assert waiting_of(drafted(None), asking(4), WAITS_FOR, b"claim").is_possible
