"""What the worklist goes by: how soon an item is due, and what may be decided about it.

All of it is data (``queries/reference/worklist.yaml``), with the source of each clock.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from service.domain.claim import ClaimType
from service.domain.event import DenyWith, Outcome
from service.domain.values import WEEKDAYS, Counted, Day, Frozen, LongText, Text, Weekday
from service.domain.work_item import ItemKind, WorkItem

Action = Literal[
    "select",
    "override",
    "deny",
    "replace",
    "readjudicate",
    "request-information",
    "no-action",
]
"""What an examiner may do about an item; the first four are decisions about a claim line."""

PRIORITY = 5
"""That of an item for which no clock says another; 1 is the most urgent, 9 the least."""

_SEARCHED_DAYS_MAX = 10_000


class WorkCalendar(Frozen):
    """The days on which nobody works."""

    weekend: tuple[Weekday, ...] = Field(default=("saturday", "sunday"), max_length=6)
    holidays: frozenset[Day] = frozenset()

    def after(self, start: date, days: int) -> date:
        """The day that is so many working days after another."""
        day = start
        for _ in range(_SEARCHED_DAYS_MAX):
            if days <= 0:
                break
            day += timedelta(days=1)
            days -= WEEKDAYS[day.weekday()] not in self.weekend and day not in self.holidays
        return day


class _Fitting(Frozen):
    """Which items a row is for; a list that is empty is for any."""

    kinds: tuple[ItemKind, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    def fits(self, kind: ItemKind, outcomes: tuple[Outcome, ...]) -> bool:
        """Whether the row is for an item of this kind with these outcomes."""
        return (not self.kinds or kind in self.kinds) and (
            not self.outcomes or not set(outcomes).isdisjoint(self.outcomes)
        )


Span = Annotated[int, Field(strict=True, ge=1, le=3650)]


class Clock(_Fitting):
    """How urgent items are and how long they may wait: hours, days of the calendar, working days.

    ``source`` says where the time is laid down.
    """

    id: Text
    source: LongText | None = None
    note: LongText | None = None
    claim_types: tuple[ClaimType, ...] = ()
    amount_from: Counted | None = None
    priority: int = Field(default=PRIORITY, strict=True, ge=1, le=9)
    hours: Span | None = None
    days: Span | None = None
    working_days: Span | None = None

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        given = [each for each in (self.hours, self.days, self.working_days) if each is not None]
        if len(given) != 1:
            raise ValueError("say how long: `hours`, `days` or `working_days`, one of them")
        return self

    def due(self, since: datetime, calendar: WorkCalendar) -> datetime:
        """When an item is due that waits since then; of whole days at the end of the day (UTC)."""
        if self.hours is not None:
            return since + timedelta(hours=self.hours)
        if self.days is not None:
            return since + timedelta(days=self.days)
        day = calendar.after(since.date(), self.working_days or 0)
        return datetime.combine(day + timedelta(days=1), time(), UTC)


_EVENTUALLY = Clock(id="none", days=30)
"""The clock of an item for which there is none."""


class ActionRow(_Fitting):
    """An action that is allowed, and what it takes.

    ``scopes`` are needed beside those that the action always needs; one of ``reasons`` must be
    given if there are any; ``deny_with`` and ``events`` are what may be chosen.
    """

    action: Action
    scopes: tuple[Text, ...] = ()
    reasons: tuple[Text, ...] = ()
    two_people: bool = False
    deny_with: tuple[DenyWith, ...] = ()
    events: tuple[Outcome, ...] = ()

    @model_validator(mode="after")
    def _offers_what_is_chosen(self) -> Self:
        if self.action == "deny" and not self.deny_with:
            raise ValueError("the action deny needs `deny_with`: the adjustments to choose from")
        if self.action == "replace" and not self.events:
            raise ValueError("the action replace needs `events`: what may be raised instead")
        return self


class WorklistTable(Frozen):
    """``worklist.yaml``: the first clock that fits counts, and of each action the first row.

    ``by_itself`` are the kinds of items that come without a claim and without a person.
    """

    kind: Literal["worklist"] = "worklist"
    version: Text = "none"
    note: LongText | None = None
    calendar: WorkCalendar = WorkCalendar()
    by_itself: frozenset[Literal["overlap", "dead-letter"]] = frozenset()
    clocks: tuple[Clock, ...] = ()
    reasons: dict[Text, LongText] = Field(default_factory=dict)
    actions: tuple[ActionRow, ...] = (
        ActionRow(action="readjudicate"),
        ActionRow(action="no-action"),
    )

    def clock(
        self,
        kind: ItemKind,
        outcomes: tuple[Outcome, ...],
        claim_type: ClaimType | None = None,
        amount: Decimal = Decimal(0),
    ) -> Clock:
        """The first clock that fits an item."""
        for each in self.clocks:
            if (
                each.fits(kind, outcomes)
                and (not each.claim_types or claim_type in each.claim_types)
                and (each.amount_from is None or amount >= each.amount_from)
            ):
                return each
        return _EVENTUALLY

    def timed(self, **of: Any) -> WorkItem:
        """An item of these fields, with the priority and the due time of the clock that fits it."""
        amount = Decimal(of.get("amount") or 0)
        clock = self.clock(of["kind"], of.get("outcomes", ()), of.get("claim_type"), amount)
        due = clock.due(datetime.fromisoformat(of["since"]), self.calendar)
        return WorkItem(due=due.isoformat(timespec="seconds"), priority=clock.priority, **of)

    def allowed(self, kind: ItemKind, outcomes: tuple[Outcome, ...]) -> dict[Action, ActionRow]:
        """What may be done about an item, in the order of the table."""
        found: dict[Action, ActionRow] = {}
        for each in self.actions:
            if each.fits(kind, outcomes):
                found.setdefault(each.action, each)
        return found

    def faults(self) -> Iterator[str]:
        """What it says of itself that is not so."""
        for place, row in enumerate(self.actions):
            for each in row.reasons:
                if each not in self.reasons:
                    yield f"actions/{place}/reasons: {each} has no text under `reasons`"
