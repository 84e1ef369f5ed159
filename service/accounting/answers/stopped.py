"""Which lines of an adjudicated claim wait for a person: suspended, or marked for review."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.accounting.answers.answer import benefit_of, outcome_of, rows_by_line
from service.accounting.books.books import Moved
from service.accounting.books.record import Draft, LineDraft
from service.accounting.books.scale import written, written_amount
from service.domain.answers import EventAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedLine:
    """A line that waits: why, the codes of what stops it, what it bills, and what was found."""

    line: int
    kind: Literal["suspended", "review"]
    events: tuple[str, ...]
    query_type: str | None
    units: str
    unit: str
    amount: str
    authorizations: dict[str, int] = field(default_factory=dict)


def may_stop(draft: Draft, drawn: Collection[int]) -> bool:
    """Whether a line may wait, where those that were drawn are known; cheap, as most do not."""
    return any(
        (line["asks"] and line["line"] not in drawn)
        or line["benefit"]["limit_adjustments"]
        or any(event["action"] == "suspend" for event in line["events"])
        for line in draft["lines"]
    )


def stopped_lines(draft: Draft, moved: Moved) -> Iterator[StoppedLine]:
    """Give the lines that wait, as they were answered, without writing the whole answer."""
    rows = rows_by_line(moved.drawn)
    for line in draft["lines"]:
        number = line["line"]
        mine = rows.get(number, ())
        lean = frozenset(kind for each, kind in moved.lean if each == number)
        decided = outcome_of(line, mine, draft, number in moved.short, lean)
        if decided.disposition == "suspend":
            codes = [each["code"] for each in decided.events if each["action"] == "suspend"]
            yield _stopped(line, "suspended", codes, decided.events)
        elif actions := benefit_of(line, mine)[1]:
            yield _stopped(line, "review", actions, decided.events)


def _stopped(
    line: LineDraft,
    kind: Literal["suspended", "review"],
    codes: Sequence[str],
    events: Sequence[EventAnswer],
) -> StoppedLine:
    billed = line["billed"]
    return StoppedLine(
        line=line["line"],
        kind=kind,
        events=tuple(dict.fromkeys(codes)),
        query_type=next((each["query_type"] for each in events), None),
        units=written(billed["units"]),
        unit=billed["unit"],
        amount=written_amount(billed["amount"]),
        authorizations={
            each["authorization_id"]: int(each["version"])
            for result in line["results"]
            for each in result["candidates"]
        },
    )
