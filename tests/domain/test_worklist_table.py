"""How soon an item is due, and what the table allows about it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.domain.event import Outcome
from service.domain.worklist_table import (
    ActionRow,
    Clock,
    WorkCalendar,
    WorklistTable,
)
from service.settings import shipped

SUNDAY = date(2026, 1, 4)
FRIDAY = datetime(2026, 12, 18, 15, 30, tzinfo=UTC)
CHRISTMAS = WorkCalendar(holidays=frozenset({date(2026, 12, 25)}))
SHIPPED = WorklistTable.model_validate(
    YAML(typ="safe", pure=True).load(
        (shipped("queries") / "reference" / "worklist.yaml").read_text(encoding="utf-8")
    )
)


@pytest.mark.parametrize(
    ("span", "due"),
    [
        ({"hours": 72}, "2026-12-21T15:30"),
        ({"days": 7}, "2026-12-25T15:30"),
        ({"working_days": 1}, "2026-12-22T00:00"),
        ({"working_days": 4}, "2026-12-25T00:00"),
        ({"working_days": 5}, "2026-12-29T00:00"),
    ],
    ids=["72 hours", "7 days", "Monday", "Thursday", "Monday after Christmas"],
)
def test_a_clock_says_when_an_item_is_due(span: dict[str, int], due: str) -> None:
    """From a Friday on; a time in working days ends with the last of them."""
    assert Clock(id="x", **span).due(FRIDAY, CHRISTMAS).isoformat()[:16] == due


def test_a_calendar_ends_somewhere() -> None:
    """Where every day that is left of the week is a holiday for ever, it gives up."""
    calendar = WorkCalendar(
        weekend=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
        holidays=frozenset(date.fromordinal(SUNDAY.toordinal() + 7 * n) for n in range(2000)),
    )
    assert calendar.after(date(2026, 1, 1), 1) > date(2050, 1, 1)


@pytest.mark.parametrize(
    ("kind", "outcome", "amount", "clock", "priority"),
    [
        ("suspended", "pending", "20000", "authorization-pended", 2),
        ("suspended", "non_exact", "10000", "costly", 3),
        ("suspended", "non_exact", "9999.99", "prompt-pay", 5),
        ("late-authorization", None, "0", "prompt-pay", 5),
        ("falls-outside", None, "0", "review", 6),
        ("dead-letter", None, "0", "letter", 3),
    ],
)
def test_the_first_clock_that_fits_counts(
    kind: Any, outcome: Outcome | None, amount: str, clock: str, priority: int
) -> None:
    """As shipped; by kind, outcome and charge."""
    outcomes = (outcome,) if outcome else ()
    found = SHIPPED.clock(kind, outcomes, "professional", Decimal(amount))
    assert (found.id, found.priority) == (clock, priority)


def test_without_a_clock_there_is_a_month() -> None:
    """Also for a type of claim that none is for."""
    dental = Clock(id="dental", claim_types=("dental",), days=3)
    table = WorklistTable(clocks=(dental,))
    assert table.clock("suspended", (), "dental").id == "dental"
    assert table.clock("suspended", (), "professional").days == 30
    assert list(table.allowed("suspended", ())) == ["readjudicate", "no-action"]


@pytest.mark.parametrize(
    ("kind", "amount", "priority", "due"),
    [
        ("suspended", {"amount": "10000"}, 3, "2027-01-17"),
        ("suspended", {}, 5, "2027-01-17"),
        ("dead-letter", {"amount": "10000"}, 3, "2026-12-23"),
    ],
)
def test_an_item_has_the_times_of_its_clock(
    kind: Any, amount: Any, priority: int, due: str
) -> None:
    """From when it began to wait; without an amount it is of none."""
    item = SHIPPED.timed(
        item_id="I1",
        kind=kind,
        since=FRIDAY.isoformat(),
        outcomes=("non_exact",),
        claim_type="professional",
        **amount,
    )
    assert (item.priority, item.due[:10], item.amount) == (priority, due, amount.get("amount"))


@pytest.mark.parametrize(
    ("kind", "outcomes", "denials"),
    [
        ("suspended", ("denied",), ["39", "197"]),
        ("suspended", ("exhausted",), ["198", "287"]),
        ("suspended", ("non_exact",), ["284", "296", "197"]),
        ("suspended", ("not_found",), ["197", "288", "16"]),
        ("suspended", (), ["197", "288", "16"]),
        ("late-authorization", (), []),
    ],
)
def test_the_first_row_of_an_action_counts(
    kind: Any, outcomes: tuple[Outcome, ...], denials: list[str]
) -> None:
    """Which adjustments fit is by outcome; an offer is taken or left."""
    allowed = SHIPPED.allowed(kind, outcomes)
    row = allowed.get("deny")
    assert [each.carc for each in (row.deny_with if row else ())] == denials
    assert ("override" in allowed) == (outcomes == ("denied",))
    assert "no-action" in allowed


@pytest.mark.parametrize(
    ("model", "wrong", "said"),
    [
        (Clock, {"id": "x"}, "say how long"),
        (Clock, {"id": "x", "days": 1, "hours": 1}, "say how long"),
        (ActionRow, {"action": "deny"}, "deny_with"),
        (ActionRow, {"action": "replace"}, "events"),
    ],
)
def test_a_row_that_says_too_little_is_refused(model: Any, wrong: Any, said: str) -> None:
    """With what is missing."""
    with pytest.raises(ValidationError, match=said):
        model(**wrong)


def test_a_reason_without_a_text_is_told() -> None:
    """With its place; those of the shipped table all have one."""
    row = ActionRow(action="no-action", reasons=("a", "b"))
    assert list(WorklistTable(reasons={"a": "A"}, actions=(row,)).faults()) == [
        "actions/0/reasons: b has no text under `reasons`"
    ]
    assert list(SHIPPED.faults()) == []
