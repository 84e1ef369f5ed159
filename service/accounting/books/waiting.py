"""Which claims wait for an authorization that may still come; they are found when one does.

Whether a line runs short is known only when units are drawn: so the books decide, with what is said
here.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from service.accounting.books.plan import ClaimPlan
from service.domain.event import Event, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """When a claim waits: for its events, or once a line gets nothing, or less than it asks for."""

    events: bool = False
    exhausted: bool = False
    exceeded: bool = False

    @property
    def is_possible(self) -> bool:
        """Whether it may wait at all."""
        return self.events or self.exhausted or self.exceeded


NEVER_WAITS = Waiting()


def waiting_of(
    raised: Iterable[Event],
    billed: Mapping[int, int],
    plan: ClaimPlan,
    outcomes: Container[Outcome],
) -> Waiting:
    """When a drafted claim waits; ``outcomes`` are those that an authorization would change.

    ``billed`` are the units of each line; one may ask for less, where nothing covers its days.
    """
    stopped = any(event.action != "none" and event.outcome in outcomes for event in raised)
    is_less = any(sum(part.want for part in line.parts) < billed[line.line] for line in plan.lines)
    is_exceeded = "units_exceeded" in outcomes
    return Waiting(
        events=stopped or (is_exceeded and is_less),
        exhausted=bool(plan.lines) and "exhausted" in outcomes,
        exceeded=bool(plan.lines) and is_exceeded,
    )
