"""Which lines of an adjudicated claim wait for a person: suspended, or marked for review."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from service.accounting.answers.answer import complete
from service.accounting.books.books import Moved
from service.accounting.books.record import Draft
from service.domain.answers import LineAnswer


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


def stopped_lines(draft: Draft, moved: Moved) -> list[StoppedLine]:
    """The lines that wait, as they were answered."""
    return [
        _stopped(line)
        for line in complete(draft, moved)["lines"]
        if line["disposition"] == "suspend" or line["actions"]
    ]


def _stopped(line: LineAnswer) -> StoppedLine:
    is_suspended = line["disposition"] == "suspend"
    stopping = [each["code"] for each in line["events"] if each["action"] == "suspend"]
    return StoppedLine(
        line=line["line"],
        kind="suspended" if is_suspended else "review",
        events=tuple(dict.fromkeys(stopping if is_suspended else line["actions"])),
        query_type=next((each["query_type"] for each in line["events"]), None),
        units=line["billed"]["units"],
        unit=line["billed"]["unit"],
        amount=line["billed"]["amount"],
        authorizations={
            each["authorization_id"]: int(each["version"])
            for result in line["results"]
            for each in result["candidates"]
        },
    )
