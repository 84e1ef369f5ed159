"""The events that matching raises: what they are called and which code stands for which outcome.

Codes, names and descriptions are data (``queries/reference/event-codes.yaml``, from seed 001); the
prefix AUM marks our own, which seed 001 does not have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from service.domain.values import Frozen, LongText, Text

Outcome = Literal[
    "not_found",
    "pending",
    "exhausted",
    "multiple",
    "denied",
    "invalid_number_claim",
    "invalid_number_line",
    "non_exact",
    "units_exceeded",
    "truncated",
]


class EventText(Frozen):
    """Name and description of an event code."""

    name: Text
    description: LongText


class EventCodes(Frozen):
    """Which code an outcome has for each type of query, and the texts."""

    kind: Literal["event-codes"]
    version: Text
    codes: dict[Outcome, dict[Text, Text]] = Field(
        description="Outcome to type of query to code; the type `any` holds for all others."
    )
    events: dict[Text, EventText]

    def code_of(self, outcome: Outcome, query_type: str) -> str:
        """Give the code of an outcome; raises KeyError for an outcome without any."""
        by_type = self.codes[outcome]
        return by_type.get(query_type) or by_type["any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event on a claim line; ``about`` is the authorization or number that it speaks of."""

    code: str
    name: str
    type: str
    description: str
    authorization_id: str | None = None
    number: str | None = None

    def as_answer(self) -> Mapping[str, str]:
        """Give the fields of an answer, without those that are not known."""
        fields = {
            "code": self.code,
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "authorization_id": self.authorization_id,
            "number": self.number,
        }
        return {name: value for name, value in fields.items() if value is not None}


def make_event(
    codes: EventCodes,
    outcome: Outcome,
    query_type: str,
    *,
    authorization_id: str | None = None,
    number: str | None = None,
) -> Event:
    """Make the event of an outcome for one type of query."""
    code = codes.code_of(outcome, query_type)
    text = codes.events[code]
    return Event(
        code=code,
        name=text.name,
        type=query_type,
        description=text.description,
        authorization_id=authorization_id,
        number=number,
    )
