"""A chosen authorization line: its days, its decision, and what is out of the ordinary."""

from datetime import date
from typing import Any

import pytest

from service.accounting.limits.choice import flags_of, scope_of, window_of
from service.domain.values import DateSpan
from tests.accounting.asking import choose
from tests.builders import build_authorization

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.mark.parametrize(
    ("header", "line", "number", "window"),
    [
        ({}, {}, 1, "2026-03-01..2026-05-31"),
        ({}, {"effective": MARCH}, 1, "2026-03-01..2026-03-31"),
        ({}, {"effective": MARCH}, 0, "2026-03-01..2026-05-31"),
        ({}, {"removed_on": "2026-03-20"}, 1, "2026-03-01..2026-03-20"),
        ({}, {"removed_on": "2026-02-20"}, 1, None),
        ({"effective": None, "requested_dates": MARCH}, {}, 1, "2026-03-01..2026-03-31"),
        ({"effective": None, "admission": {"date": "2026-03-05"}}, {}, 1, "2026-03-05.."),
        ({"effective": {"to": "2026-03-31"}}, {}, 1, "..2026-03-31"),
    ],
)
def test_the_days_of_a_line(header: Any, line: Any, number: int, window: str | None) -> None:
    """Those by which it was matched."""
    found = window_of(build_authorization(**header, line=line), number)

    assert window == (found and f"{found.from_ or ''}..{found.to or ''}")
    assert found is None or isinstance(found, DateSpan)


def test_a_line_that_is_not_there_is_a_fault() -> None:
    """It was not chosen by any rule of ours."""
    with pytest.raises(ValueError, match="authorization A1 has no line 7"):
        scope_of(build_authorization(), 7)


@pytest.mark.parametrize(
    ("header", "line", "action"),
    [
        ({}, {}, "A1"),
        ({}, {"decision": {"action": "A6"}}, "A6"),
        ({"decision": {"action": "A2"}}, {}, "A4"),
        ({"decision": None}, {}, None),
    ],
)
def test_the_decision_in_force(header: Any, line: Any, action: str | None) -> None:
    """The line's own, else the header's; a partial one says nothing of a line."""
    assert choose(build_authorization(**header, line=line)).action == action


@pytest.mark.parametrize(
    ("day", "header", "line", "flags"),
    [
        ("2026-03-12", {}, {}, ()),
        ("2026-03-01", {}, {}, ()),
        ("2026-05-31", {}, {}, ()),
        ("2026-02-28", {}, {}, ("not_yet_effective",)),
        ("2026-06-01", {}, {}, ("expired",)),
        ("2026-03-12", {"certification_date": "2026-03-13"}, {}, ("retro",)),
        ("2026-03-12", {"certification_date": None}, {"certification_date": "2026-04-01"},
         ("retro",)),
        ("2026-02-12", {"certification_date": None}, {}, ("not_yet_effective",)),
        ("2026-02-01", {}, {}, ("retro", "not_yet_effective")),
        ("2026-03-12", {}, {"decision": {"action": "C"}}, ()),
    ],
)  # fmt: skip
def test_what_is_out_of_the_ordinary(
    day: str, header: Any, line: Any, flags: tuple[str, ...]
) -> None:
    """In the dates of a line, on a day of service."""
    authorization = build_authorization(**header, line=line)

    assert flags_of(authorization, 1, date.fromisoformat(day)) == flags
