"""Which set is in force for which day of service, and what publishing makes of that."""

from datetime import date

import pytest

from service.rules.calendar import Calendar, Term

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))
TODAY = date(2026, 4, 10)
Terms = list[tuple[int, date | None]]


def calendar(*terms: tuple[int, date | None]) -> Calendar:
    """Sets with the first days that they are for."""
    return Calendar(
        terms=tuple(Term(number=each, hash=f"h{each}", starts=starts) for each, starts in terms)
    )


def terms_of(found: Calendar) -> Terms:
    """The other way round."""
    assert all(each.hash == f"h{each.number}" for each in found.terms)
    return [(each.number, each.starts) for each in found.terms]


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(1950, 1, 1), 1),
        (date(2026, 3, 31), 1),
        (APRIL, 2),
        (date(2026, 5, 31), 2),
        (JUNE, 3),
        (date(2090, 1, 1), 3),
    ],
)
def test_a_day_of_service_has_one_set(day: date, number: int) -> None:
    """The last that begins on it or before."""
    assert calendar((1, None), (2, APRIL), (3, JUNE)).on(day).number == number


@pytest.mark.parametrize(
    ("over", "starts", "after"),
    [
        (1, None, [(9, None), (2, APRIL), (3, JUNE)]),
        (2, None, [(1, None), (9, APRIL), (3, JUNE)]),
        (3, None, [(1, None), (2, APRIL), (9, JUNE)]),
        (2, MAY, [(1, None), (2, APRIL), (9, MAY), (3, JUNE)]),
        (2, APRIL, [(1, None), (9, APRIL), (3, JUNE)]),
        (1, MARCH, [(1, None), (9, MARCH), (2, APRIL), (3, JUNE)]),
        (3, date(2027, 1, 1), [(1, None), (2, APRIL), (3, JUNE), (9, date(2027, 1, 1))]),
    ],
)
def test_a_set_takes_the_place_of_another_or_of_its_later_days(
    over: int, starts: date | None, after: Terms
) -> None:
    """Sets before and behind it stay for their own days."""
    before = calendar((1, None), (2, APRIL), (3, JUNE))

    assert terms_of(before.published(9, "h9", over, starts)) == after


def test_a_set_that_is_in_force_twice_is_replaced_twice() -> None:
    """As after a change was scheduled and taken back."""
    before = calendar((1, None), (2, APRIL), (1, JUNE))

    assert terms_of(before.published(9, "h9", 1, None)) == [(9, None), (2, APRIL), (9, JUNE)]


@pytest.mark.parametrize(
    ("base", "starts", "over"),
    [(1, None, 1), (3, None, 3), (7, None, 2), (2, MAY, 2), (1, MAY, 2), (2, JUNE, 3)],
    ids=[
        "its base",
        "its base to come",
        "the set of today where the base is gone",
        "that of its first day",
        "that of its first day, though another is its base",
        "that which begins then",
    ],
)
def test_whose_place_a_draft_would_take(base: int, starts: date | None, over: int) -> None:
    """Its base, if that is in force; else what it has to be put on."""
    assert calendar((1, None), (2, APRIL), (3, JUNE)).over(base, starts, TODAY).number == over


@pytest.mark.parametrize(
    ("number", "standing"), [(1, "active"), (2, "active"), (3, "scheduled"), (4, "retired")]
)
def test_a_set_is_active_scheduled_or_retired(number: int, standing: str) -> None:
    """Active is what any day up to today is judged by."""
    assert calendar((1, None), (2, APRIL), (3, JUNE)).standing(number, TODAY) == standing
