"""Which set of rules is in force for which days of service: of a payer, and of all others."""

from datetime import date
from typing import Literal

from pydantic import Field

from service.domain.values import Day, Frozen

Standing = Literal["active", "scheduled", "retired"]


class Term(Frozen):
    """A set, and the first day of service that it is for; None for all days before the next."""

    number: int
    hash: str
    starts: Day | None = None


class Calendar(Frozen):
    """The sets of a payer, the earliest first; the first is for all days before the second."""

    terms: tuple[Term, ...] = Field(min_length=1)

    def on(self, day: date) -> Term:
        """The term that a day of service falls in."""
        return next(
            each for each in reversed(self.terms) if each.starts is None or each.starts <= day
        )

    def over(self, base: int, starts: date | None, today: date) -> Term:
        """The term that a set made of ``base`` would take the place of, wholly or from a day on.

        It has another number than ``base`` where somebody else published meanwhile.
        """
        if starts is not None:
            return self.on(starts)
        return next((each for each in self.terms if each.number == base), self.on(today))

    def published(self, number: int, hash_: str, over: int, starts: date | None) -> "Calendar":
        """The calendar with a set in place of another: at all its days, or at those from a day."""
        if starts is None:
            terms = tuple(
                Term(number=number, hash=hash_, starts=each.starts) if each.number == over else each
                for each in self.terms
            )
            return Calendar(terms=terms)
        before = [each for each in self.terms if each.starts is None or each.starts < starts]
        after = [each for each in self.terms if each.starts is not None and each.starts > starts]
        new = Term(number=number, hash=hash_, starts=starts)
        return Calendar(terms=(*before, new, *after))

    def standing(self, number: int, today: date) -> Standing:
        """Whether a set is in force for days of service up to today, for later ones, or no more."""
        starts = [each.starts for each in self.terms if each.number == number]
        if not starts:
            return "retired"
        return "active" if any(each is None or each <= today for each in starts) else "scheduled"
