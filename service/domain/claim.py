"""A claim as the adjudicator posts it: professional, institutional or dental."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from service.domain.member_ids import MemberId
from service.domain.misfits import Path, refuse, repeated
from service.domain.provider import ClaimProvider
from service.domain.values import (
    Code,
    Counted,
    DateSpan,
    Day,
    Frozen,
    Identifier,
    JsonObject,
    LineNumber,
    Text,
    Version,
)

ClaimType = Literal["professional", "institutional", "dental"]
NumberKind = Literal["authorization", "referral", "predetermination"]
AuthorizationKind = Literal["authorization", "notification", "referral"]
RequestedKind = Literal["authorization", "notification", "referral", "authorization_and_referral"]

_MEETING: Mapping[AuthorizationKind, tuple[AuthorizationKind, ...]] = {
    "notification": ("notification", "authorization")
}

ChargeId = Annotated[Identifier, StringConstraints(max_length=90)]
"""The id of a charge in the billing system."""

CLAIM_LINES_MAX = 999
"""X12 837 institutional allows 999 service lines a claim, the most of the three types."""
LINE_DAYS_MAX = 999 * 31
"""So many lines of a month each; each day may be counted by itself, in one step of Redis."""


def kinds_meeting(kind: AuthorizationKind) -> tuple[AuthorizationKind, ...]:
    """The kinds of authorization that meet what is needed: an approval meets a duty to notify."""
    return _MEETING.get(kind, (kind,))


class SubmittedNumber(Frozen):
    """A number that the provider put on the claim (REF*G1, 9F or G3)."""

    kind: NumberKind = "authorization"
    value: Annotated[Text, Field(pattern=r"[0-9A-Za-z]")]


class ClaimMember(Frozen):
    """The patient; a newborn may be billed under the mother's id."""

    id: MemberId
    birth_date: Day | None = None
    gender: Code | None = None
    mother_member_id: MemberId | None = None


class ClaimDiagnosis(Frozen):
    """One diagnosis of the claim (HI); the first, or one of type ABK, is the principal one."""

    code: Code
    type: Code | None = None


class ClaimAdmission(Frozen):
    """The admission of an inpatient stay (DTP*435, CL1)."""

    date: Day | None = None
    type: Code | None = None
    source: Code | None = None
    patient_status: Code | None = None


class Tooth(Frozen):
    """A tooth that was treated, and its surfaces (TOO)."""

    tooth: Code
    surfaces: tuple[Code, ...] = Field(default=(), max_length=10)


class Benefit(Frozen):
    """What the benefit of the line says of authorization; null where it says nothing."""

    authorization_required: bool | None = None
    requested_type: RequestedKind | None = None
    limit_adjustments: tuple[JsonObject, ...] = Field(default=(), max_length=50)


class ServiceLine(Frozen):
    """One line of a claim: a service, when, where, by whom, how much of it."""

    line: LineNumber
    procedure: Code | None = None
    code_system: Text | None = None
    modifiers: tuple[Code, ...] = Field(default=(), max_length=8)
    revenue_code: Code | None = None
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None
    units: Counted | None = None
    unit: Code | None = None
    charge: Counted | None = None
    place_of_service: Code | None = None
    diagnosis_pointers: tuple[Annotated[int, Field(strict=True, ge=1)], ...] = Field(
        default=(), max_length=12
    )
    teeth: tuple[Tooth, ...] = Field(default=(), max_length=32)
    oral_cavity: tuple[Code, ...] = Field(default=(), max_length=5)
    rendering_provider: ClaimProvider | None = None
    authorization_numbers: tuple[SubmittedNumber, ...] = Field(default=(), max_length=20)
    benefit: Benefit = Benefit()
    charge_ids: tuple[ChargeId, ...] = Field(
        default=(), max_length=50, description="The charges that it bills: what they hold is freed."
    )
    attached: JsonObject = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ and self.to and self.to < self.from_:
            refuse("ServiceLine", [(("to",), "the service ends before it starts")])
        if self.to and not self.from_:
            reason = "a line with a last day needs its first day, 'from'"
            refuse("ServiceLine", [(("from",), reason)])
        return self


class Claim(Frozen):
    """A claim with its lines; unknown is null or absent, dates are ISO days."""

    claim_id: Identifier
    version: Version = 1
    type: ClaimType
    frequency: Annotated[Code, Field(max_length=1)] = "1"
    original_claim_id: Identifier | None = None
    received_on: Day | None = None
    member: ClaimMember
    billing_provider: ClaimProvider = ClaimProvider()
    rendering_provider: ClaimProvider | None = None
    referring_provider: ClaimProvider | None = None
    facility: ClaimProvider | None = None
    network: Literal["in", "out"] | None = None
    bill_type: Code | None = None
    place_of_service: Code | None = None
    admission: ClaimAdmission | None = None
    discharge_date: Day | None = None
    statement: DateSpan = DateSpan()
    drg: Code | None = None
    diagnoses: tuple[ClaimDiagnosis, ...] = Field(default=(), max_length=50)
    authorization_numbers: tuple[SubmittedNumber, ...] = Field(default=(), max_length=20)
    emergency: bool = False
    attached: JsonObject = Field(default_factory=dict, max_length=50)
    lines: tuple[ServiceLine, ...] = Field(min_length=1, max_length=CLAIM_LINES_MAX)

    @model_validator(mode="after")
    def _every_line_has_its_number_and_day(self) -> Self:
        refuse("Claim", self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        is_dated = bool(self.statement.from_ or self._admitted_on())
        for place in repeated(line.line for line in self.lines):
            number = self.lines[place].line
            yield ("lines", place, "line"), f"line {number} stands twice in the claim"
        if sum(self._days_of(line) for line in self.lines) > LINE_DAYS_MAX:
            yield ("lines",), f"the days of all lines together are more than {LINE_DAYS_MAX}"
        for place, line in enumerate(self.lines):
            if not line.from_ and not is_dated:
                reason = "has no date of service, nor has the claim a statement period"
                yield ("lines", place, "from"), f"line {line.line} {reason}"
            for which, pointed in enumerate(line.diagnosis_pointers):
                if pointed > len(self.diagnoses):
                    reason = f"points to diagnosis {pointed} of {len(self.diagnoses)}"
                    yield (
                        ("lines", place, "diagnosis_pointers", which),
                        f"line {line.line} {reason}",
                    )

    def _days_of(self, line: ServiceLine) -> int:
        """The days of a line, or those of the statement where it has none of its own."""
        span = line if line.from_ else self.statement
        return (span.to - span.from_).days + 1 if span.from_ and span.to else 1

    def _admitted_on(self) -> object:
        return self.admission.date if self.admission else None
