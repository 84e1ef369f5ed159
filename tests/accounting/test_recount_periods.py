"""What fell in a period of one kind is not taken to be in one of another kind."""

from dataclasses import replace

from service.accounting.limits.lines import lines_of
from service.accounting.planning.recount import Target, recount
from tests.accounting.asking import shipped
from tests.accounting.test_recount import PT, claim, counted, drawn, on, units, use, version


def test_a_span_in_a_month_is_in_no_week() -> None:
    """Though the month begins on the first day of a week, and its account has the same name."""
    monthly = version(PT | units("100", per={"count": "90", "period": "month"}))
    weekly = version(PT | units("100", per={"count": "40", "period": "week"}))
    line = claim(on("2026-03-02", "75", "2026-03-12"))

    found = counted(monthly, weekly, drawn(monthly, line, 1))
    assert (use(found)["L1"], found.untold) == (75.0, frozenset({1}))
    holder = replace(drawn(monthly, line, 1), rows=found.rows[0])
    target = Target(
        source="A1",
        old=lines_of(weekly),
        authorization=weekly,
        references=shipped(),
        untold=found.untold,
    )
    assert recount([holder], target).untold == found.untold  # nor is it with the next version
