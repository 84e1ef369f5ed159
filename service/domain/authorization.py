"""An authorization, notification or referral, as an upstream system pushes it.

Entities and names follow seed 004; the X12 278 segment stands beside a field where it has one.
What happened to it on its way (statuses, pends, callouts, messages, notes) is stored with the
source and given back; nothing matches on it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from service.domain import codes
from service.domain.claim import AuthorizationKind
from service.domain.member_ids import MemberId
from service.domain.misfits import Path, refuse, repeated
from service.domain.provider import AuthorizedProvider
from service.domain.values import (
    Code,
    Counted,
    DateSpan,
    Day,
    Frozen,
    Identifier,
    JsonObject,
    LineNumber,
    LongText,
    Number,
    Quantity,
    Text,
    Version,
    Weekday,
)

Setting = Literal["inpatient", "outpatient", "professional", "dental"]
DayOfWeek = Weekday | Literal["other"]
"""A day of the week on which a service is given; ``other`` is a pattern of another kind."""

Action = Literal["A1", "A2", "A3", "A4", "A6", "CT", "NA", "C"]
"""HCR01: certified, partly, not certified, pended, modified, contact, not needed, cancelled."""

AUTHORIZATION_LINES_MAX = 500
ALIASES_MAX = 20
OTHER_PROVIDERS_MAX = 20
GRANTING_ACTIONS: frozenset[str] = frozenset({"A1", "A2", "A6"})
VOID_ACTION = "C"


class Decision(Frozen):
    """What the reviewer decided (HCR); no action means that it is not known."""

    action: Action | None = None
    reasons: tuple[Code, ...] = Field(default=(), max_length=20)
    decided_at: AwareDatetime | None = None
    reviewer: Text | None = None
    human_reviewed: bool | None = None


class Member(Frozen):
    """Whom the authorization is for: the resolved person id, never a name."""

    id: MemberId
    subscriber_id: Text | None = None
    suffix: Code | None = None
    birth_date: Day | None = None
    gender: Code | None = None


class Diagnosis(Frozen):
    """A diagnosis with its type (HI); ABK is the principal one."""

    code: Code
    type: Code | None = None


class Admission(Frozen):
    """An authorized stay (DTP*435, DTP*096, CL1)."""

    date: Day | None = None
    discharge_date: Day | None = None
    type: Code | None = None
    source: Code | None = None
    patient_status: Code | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.date and self.discharge_date and self.discharge_date < self.date:
            refuse("Admission", [(("discharge_date",), "discharged before admitted")])
        return self


class Renewal(Frozen):
    """A limit that starts again each period: counted from what, how long (seed 004)."""

    reference: Text
    period: Annotated[int, Field(strict=True, ge=1, le=1000)]
    unit: Literal["day", "week", "month", "year"]


class Rate(Frozen):
    """So many units a period (HSD03 to 08): 3 visits a week for 2 months."""

    count: Counted
    period: Literal["day", "week", "month", "year"]
    span: Annotated[int, Field(strict=True, ge=1)] | None = None
    span_unit: Literal["day", "week", "month", "year"] | None = None


class Limits(Frozen):
    """How much is requested or granted: units, amount, service days; none given is no limit."""

    units: Counted | None = None
    unit: Code | None = Field(default=None, description="Unit of measure: UN, DA, VS, HS, MJ ...")
    amount: Counted | None = None
    currency: Annotated[Code, Field(max_length=3)] = "USD"
    service_days: Counted | None = None
    renewal: Renewal | None = None
    per: Rate | None = None

    @model_validator(mode="after")
    def _units_say_of_what(self) -> Self:
        if self.units is not None and self.unit is None:
            refuse("Limits", [(("unit",), "units need their unit of measure, 'unit'")])
        return self


class Procedure(Frozen):
    """A code, a range of codes of one shape, or a group of codes (seed 004: never both)."""

    from_: Code | None = Field(default=None, alias="from")
    to: Code | None = None
    group: Text | None = None
    code_system: Text | None = None

    @model_validator(mode="after")
    def _one_kind_of_scope(self) -> Self:
        if self.group and (self.from_ or self.to):
            reason = "a line is scoped by procedure or by group, not by both"
            refuse("Procedure", [(("group",), reason)])
        if self.to and not self.from_:
            refuse("Procedure", [(("from",), "a range needs its first code, 'from'")])
        if self.from_ and self.to:
            first, last = codes.bare(self.from_), codes.bare(self.to)
            shapes = {codes.procedure_shape(code, self.code_system) for code in (first, last)}
            if len(shapes) > 1:
                reason = "first and last code are not of one code system and shape"
                refuse("Procedure", [(("to",), reason)])
            if last < first:
                refuse("Procedure", [(("to",), "the range ends before it starts")])
        return self

    def names(self, code: str) -> bool:
        """Whether a (normalised) code is the one that is named, or within the range."""
        if self.from_ is None:
            return False
        first = codes.bare(self.from_)
        last = codes.bare(self.to) if self.to else first
        shape = codes.procedure_shape(first, self.code_system)
        return first <= code <= last and codes.procedure_shape(code) == shape


class Basket(Frozen):
    """A basket of services that the authorization covers, for a time."""

    basket: Text
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class Message(Frozen):
    """Why the authorization was processed as it was, with the values of its placeholders."""

    code: Text | None = None
    text: LongText | None = None
    inherit: bool = False
    processing: bool = False
    values: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=10)


class PendReason(Frozen):
    """A reason for which the authorization waits now."""

    reason: Text
    process_step: Text | None = None


class StatusEntry(Frozen):
    """A status that was reached, and when."""

    status: Text
    reached_at: AwareDatetime


class ProcessEntry(Frozen):
    """A step of the processing that left a trace."""

    status: Text | None = None
    process_step: Text | None = None
    process_sequence: Text | None = None
    display: bool | None = None


class PendEntry(ProcessEntry):
    """A pend reason of the past, and who resolved it."""

    reason: Text
    description: LongText | None = None
    resolved_by: Text | None = None
    resolved_at: AwareDatetime | None = None


class CalloutEntry(ProcessEntry):
    """A call to another system."""

    code: Text
    description: LongText | None = None
    sent_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None


class EventEntry(ProcessEntry):
    """An event that was raised while processing."""

    event: Text
    topic: Text | None = None


class ValidationEntry(ProcessEntry):
    """A validation rule that was run."""

    code: Text
    description: LongText | None = None


class Note(Frozen):
    """A note; a change makes a new version, none is ever overwritten."""

    note_id: Text | None = None
    version: Annotated[int, Field(strict=True, ge=1)] = 1
    text: LongText
    written_at: AwareDatetime | None = None
    written_by: Text | None = None


class Scope(Frozen):
    """What a line shares with its header: the line's own value wins, whole."""

    decision: Decision | None = None
    certification_date: Day | None = Field(default=None, description="Issue date, DTP*102.")
    effective: DateSpan | None = Field(default=None, description="Validity, DTP*007 and 036.")
    requested_dates: DateSpan | None = Field(default=None, description="DTP*472, DTP*AAH.")
    servicing_provider: AuthorizedProvider | None = None
    other_servicing_providers: tuple[AuthorizedProvider, ...] = Field(
        default=(), max_length=OTHER_PROVIDERS_MAX, description="Who may give the service as well."
    )
    requesting_provider: AuthorizedProvider | None = None
    facility: AuthorizedProvider | None = None
    other_facilities: tuple[AuthorizedProvider, ...] = Field(
        default=(), max_length=OTHER_PROVIDERS_MAX, description="Where it may be given as well."
    )
    other_settings: tuple[Setting, ...] = Field(
        default=(), max_length=3, description="Other claims that the same decision is for."
    )
    days_of_week: tuple[DayOfWeek, ...] = Field(
        default=(), max_length=8, description="On which days it is given (HSD07); none is any."
    )
    diagnoses: tuple[Diagnosis, ...] = Field(default=(), max_length=50)
    admission: Admission | None = None
    level_of_care: Text | None = None
    drg: Code | None = None
    place_of_service: Code | None = None
    bill_type: Code | None = None
    service_type: Code | None = Field(default=None, description="UM03, element 1365.")
    service_types: tuple[Code, ...] = Field(default=(), max_length=50)
    certification_type: Code | None = Field(default=None, description="UM02, element 1322.")
    urgency: Code | None = Field(default=None, description="UM06, element 1338.")
    limits: Limits | None = None
    requested: Limits | None = None
    attached: JsonObject = Field(default_factory=dict, max_length=200)
    number: Number | None = None
    other_numbers: tuple[Annotated[Text, Field(pattern=r"[0-9A-Za-z]")], ...] = Field(
        default=(), max_length=50
    )

    @property
    def servicing_providers(self) -> tuple[AuthorizedProvider, ...]:
        """All who may give the service."""
        return _together(self.servicing_provider, self.other_servicing_providers)

    @property
    def facilities(self) -> tuple[AuthorizedProvider, ...]:
        """All places where it may be given."""
        return _together(self.facility, self.other_facilities)

    @model_validator(mode="after")
    def _providers_share_their_scope(self) -> Self:
        if self.other_servicing_providers:
            scopes = {each.group_scope for each in self.servicing_providers}
            if len(scopes) > 1:
                raise ValueError("providers with another group_scope each need lines of their own")
        return self


def _together(
    first: AuthorizedProvider | None, others: tuple[AuthorizedProvider, ...]
) -> tuple[AuthorizedProvider, ...]:
    return others if first is None else (first, *others)


class AuthorizationLine(Scope):
    """One authorized service, or range or group of services."""

    line: LineNumber
    code: Text | None = Field(default=None, description="The line's code in the sending system.")
    procedure: Procedure | None = None
    modifiers: tuple[Code, ...] = Field(default=(), max_length=8)
    revenue_code: Code | None = None
    tooth: Code | None = None
    surfaces: tuple[Code, ...] = Field(default=(), max_length=10)
    oral_cavity: tuple[Code, ...] = Field(default=(), max_length=5)
    unit_price: Quantity | None = None
    removed_on: Day | None = None


class Source(Frozen):
    """Which system sent it, and when that system made it."""

    system: Text | None = None
    event_time: AwareDatetime | None = None
    reference: Text | None = None


class Authorization(Scope):
    """A pre-approved (or refused, or pended) service, with its lines, limits and history."""

    authorization_id: Identifier
    version: Version
    kind: AuthorizationKind
    setting: Setting
    form: Text | None = None
    brand: Text | None = None
    status: Text | None = None
    previous_numbers: tuple[Number, ...] = Field(default=(), max_length=50)
    aliases: tuple[Identifier, ...] = Field(default=(), max_length=ALIASES_MAX)
    distinct: bool = False
    supersedes: Identifier | None = None
    superseded_by: Identifier | None = None
    carries_use: bool | None = None
    administrative_reference: Text | None = None
    requester_reference: Text | None = None
    trace_numbers: tuple[Text, ...] = Field(default=(), max_length=20)
    member: Member
    requested_by_relation: Text | None = None
    location_provider: AuthorizedProvider | None = None
    override_benefit_limits: bool | None = None
    received_at: AwareDatetime | None = None
    decision_extended_to: AwareDatetime | None = Field(
        default=None, description="Until when the decision was put off."
    )
    remarks: LongText | None = None
    unfinalize_reason: Text | None = None
    access_group: Text | None = None
    lines: tuple[AuthorizationLine, ...] = Field(default=(), max_length=AUTHORIZATION_LINES_MAX)
    baskets: tuple[Basket, ...] = Field(default=(), max_length=100)
    messages: tuple[Message, ...] = Field(default=(), max_length=500)
    pend_reasons: tuple[PendReason, ...] = Field(default=(), max_length=100)
    status_history: tuple[StatusEntry, ...] = Field(default=(), max_length=1000)
    pend_history: tuple[PendEntry, ...] = Field(default=(), max_length=1000)
    callout_history: tuple[CalloutEntry, ...] = Field(default=(), max_length=1000)
    event_history: tuple[EventEntry, ...] = Field(default=(), max_length=1000)
    validation_history: tuple[ValidationEntry, ...] = Field(default=(), max_length=1000)
    notes: tuple[Note, ...] = Field(default=(), max_length=1000)
    source: Source = Source()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        refuse("Authorization", self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        for place in repeated(line.line for line in self.lines):
            number = self.lines[place].line
            yield ("lines", place, "line"), f"line {number} stands twice in the authorization"
        for place in repeated(entry.reason for entry in self.pend_reasons):
            yield ("pend_reasons", place, "reason"), "the same pend reason stands twice"
        notes = ((note.note_id or place, note.version) for place, note in enumerate(self.notes))
        for place in repeated(notes):
            yield ("notes", place, "version"), "the same version of a note stands twice"
        if self.supersedes == self.authorization_id:
            yield ("supersedes",), "an authorization cannot supersede itself"
        if self.authorization_id in self.aliases:
            place = self.aliases.index(self.authorization_id)
            yield ("aliases", place), "an authorization is no alias of itself"
        yield from self._undated()

    def _undated(self) -> Iterator[tuple[Path, str]]:
        """A granted authorization without a first or last day would pay for ever: refuse it."""
        if _has_day(self):
            return
        scopes: list[tuple[Path, Scope]] = [
            (("lines", place), line) for place, line in enumerate(self.lines)
        ]
        for path, scope in scopes or [((), self)]:
            decision = scope.decision or self.decision
            action = decision.action if decision else None
            if action in GRANTING_ACTIONS and not _has_day(scope):
                reason = f"an authorization granted with {action} needs effective dates"
                yield (*path, "effective"), reason

    @property
    def is_void(self) -> bool:
        """Whether the whole authorization was cancelled (HCR01 C)."""
        return self.decision is not None and self.decision.action == VOID_ACTION

    @property
    def made_at(self) -> datetime | date | None:
        """When it was made, as far as is known: sent, decided, received, or else certified."""
        decided_at = self.decision.decided_at if self.decision else None
        times = (self.source.event_time, decided_at, self.received_at, self.certification_date)
        return next(filter(None, times), None)


def _has_day(scope: Scope) -> bool:
    if scope.admission and scope.admission.date:
        return True
    effective, requested = scope.effective, scope.requested_dates
    if effective and (effective.from_ or effective.to):
        return True
    return bool(requested and (requested.from_ or requested.to))
