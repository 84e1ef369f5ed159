"""The events that a claim line raises: what they are called, and what becomes of the line.

Codes, texts, severity and action are data (``queries/reference/event-codes.yaml``). SPA codes are
those of seed 001; the prefix AUM marks our own, which seed 001 does not have.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from service.domain.answers import EventAnswer
from service.domain.claim import ClaimType
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
    "companion",
    "alternate",
    "unit_kinds",
    "unknown_original",
    "refused_selection",
    "renewal_unknown",
    "late_authorization",
    "granted_quantity_unknown",
    "non_daily_span",
    "charge_unknown",
    "examiner_denied",
]

Severity = Literal["information", "warning", "error"]

LineAction = Literal["none", "suspend", "deny"]
"""What becomes of the claim line by an event alone."""

DEACTIVATED_CARCS = frozenset({"15", "62", "165", "38", "B5"})
"""Reasons of the authorization that are no longer valid on new remittances (X12 list)."""


def _in_force(carc: str) -> str:
    if carc in DEACTIVATED_CARCS:
        raise ValueError(f"adjustment reason {carc} is deactivated and may not be written any more")
    return carc


Carc = Annotated[
    str,
    StringConstraints(pattern=r"^([1-9][0-9]{0,2}|[A-Z][0-9]{1,2})$"),
    AfterValidator(_in_force),
]
Rarc = Annotated[str, StringConstraints(pattern=r"^(M|MA|N)[0-9]{1,4}$")]


class DenyWith(Frozen):
    """The adjustment of a line that an event denies: group, reason (CARC) and remarks (RARC)."""

    group: Literal["CO", "PR", "OA", "PI"]
    carc: Carc
    remarks: tuple[Rarc, ...] = Field(default=(), max_length=5)


class EventText(Frozen):
    """Name and description of an event code, and what becomes of a line that raises it."""

    name: Text
    description: LongText
    severity: Severity = "error"
    action: LineAction = "suspend"
    deny_with: DenyWith | None = None

    @model_validator(mode="after")
    def _a_denial_has_its_reason(self) -> Self:
        if self.action == "deny" and self.deny_with is None:
            raise ValueError("the action deny needs `deny_with`: a denied line must say why")
        return self


class EventCodes(Frozen):
    """Which code an outcome has for each type of query, and the texts."""

    kind: Literal["event-codes"]
    version: Text
    codes: dict[Outcome, dict[Text, Text]] = Field(
        description="Outcome to type of query to code; `type/claim type` is more particular, and"
        " `any` holds for all others."
    )
    events: dict[Text, EventText]

    @model_validator(mode="after")
    def _whatever_happens_can_be_said(self) -> Self:
        missing = [outcome for outcome in get_args(Outcome) if outcome not in self.codes]
        if missing:
            raise ValueError(f"codes: no code for {', '.join(missing)}")
        for outcome, by_type in self.codes.items():
            for query_type, code in by_type.items():
                where = f"codes/{outcome}/{query_type}"
                claim_type = query_type.partition("/")[2]
                if "/" in query_type and claim_type not in get_args(ClaimType):
                    raise ValueError(f"{where}: {claim_type} is not a type of claim")
                if code not in self.events:
                    raise ValueError(f"{where}: {code} has no text under `events`")
            for query_type in self.codes["not_found"]:
                if not by_type.keys() & {query_type.partition("/")[0], "any"}:
                    raise ValueError(f"codes/{outcome}: no code for {query_type}, nor for any")
        return self

    def code_of(self, outcome: Outcome, query_type: str, claim_type: str | None = None) -> str:
        """The code of an outcome; raises KeyError for an outcome without any.

        That of the type of query on this type of claim comes first, then that of the type of query,
        then the one for any.
        """
        by_type = self.codes[outcome]
        own = by_type.get(f"{query_type}/{claim_type}") or by_type.get(query_type)
        return own or by_type["any"]

    def outcomes_of(self, code: str) -> list[Outcome]:
        """The outcomes that have a code, in any type of query; one of a table's own has none."""
        return [outcome for outcome, by_type in self.codes.items() if code in by_type.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event on a claim line, and the authorization or number that it speaks of."""

    outcome: Outcome
    code: str
    name: str
    query_type: str
    severity: Severity
    action: LineAction
    description: str
    authorization_id: str | None = None
    number: str | None = None

    def as_answer(self) -> EventAnswer:
        """The event as it is answered, without what is not known of it."""
        answer: EventAnswer = {
            "code": self.code,
            "name": self.name,
            "query_type": self.query_type,
            "severity": self.severity,
            "action": self.action,
            "description": self.description,
        }
        if self.authorization_id is not None:
            answer["authorization_id"] = self.authorization_id
        if self.number is not None:
            answer["number"] = self.number
        return answer


@dataclass(frozen=True, slots=True)
class Events:
    """Makes the events of one type of query; one type of claim may have codes of its own."""

    codes: EventCodes
    query_type: str
    claim_type: str | None = None

    def make(
        self,
        outcome: Outcome,
        *,
        code: str | None = None,
        authorization_id: str | None = None,
        number: str | None = None,
        informational: bool = False,
    ) -> Event:
        """The event of an outcome; raises KeyError for a code without a text.

        ``code`` is one that a table names instead of the outcome's own. An event that is
        ``informational`` tells and does nothing, whatever its code says.
        """
        code = code or self.codes.code_of(outcome, self.query_type, self.claim_type)
        text = self.codes.events[code]
        return Event(
            outcome=outcome,
            code=code,
            name=text.name,
            query_type=self.query_type,
            severity="information" if informational else text.severity,
            action="none" if informational else text.action,
            description=text.description,
            authorization_id=authorization_id,
            number=number,
        )
