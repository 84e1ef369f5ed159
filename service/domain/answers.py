"""The answers of matching and adjudication: every key that is answered stands here, and only here.

They are typed dictionaries, not models: at run time they are plain JSON, so that nothing is
converted where an answer is made, kept in a record, or read from one.
"""

from typing import Any, Generic, Literal, NotRequired, TypeVar

from typing_extensions import TypedDict

from service.domain.claim import AuthorizationKind

MatchClass = Literal["exact", "non-exact", "none"]
Disposition = Literal["pay", "cut_back", "suspend", "deny", "void"]

_Value = TypeVar("_Value")

_Classed = TypedDict("_Classed", {"class": MatchClass})


class EventAnswer(TypedDict):
    """An event on a claim line, and the authorization or number that it speaks of."""

    code: str
    name: str
    query_type: str
    severity: str
    action: str
    description: str
    authorization_id: NotRequired[str]
    number: NotRequired[str]


class EvidenceAnswer(TypedDict):
    """One criterion: the level met, its points of those that could be reached, both values."""

    criterion: str
    level: str | None
    points: int
    of: int
    claim: object
    authorization: object
    grade: str
    why: NotRequired[str]


MeasureName = Literal["units", "amount", "service_days"]

ValidityAnswer = TypedDict("ValidityAnswer", {"from": str | None, "to": str | None})
"""The days on which an authorization line is valid; an end that is open is null."""


class CandidateBalance(TypedDict):
    """What one limit grants and what is left of it; null of use is not known, of a limit none."""

    account: str
    measure: MeasureName
    unit: str | None
    granted: str | None
    used: str | None
    reserved: str | None
    remaining: str | None


class CandidateAnswer(_Classed):
    """An authorization that was found, with the line that stands for it and its evidence."""

    authorization_id: str
    number: str | None
    kind: AuthorizationKind
    version: int
    line: int
    action: str | None
    certification_date: str | None
    effective: ValidityAnswer
    score: int
    attainable: int
    percent: int
    exact_blockers: list[str]
    tolerance: bool
    relaxed: str | None
    evidence: list[EvidenceAnswer]
    balances: NotRequired[list[CandidateBalance]]


class NumberAnswer(TypedDict):
    """A number that the provider submitted, where it stood, what it fits, and why it is none."""

    value: str
    level: str
    fits: str | None
    fits_another_line: bool
    no_number: str | None


class PriorNumber(NumberAnswer):
    """A submitted number, with the kind of authorization that it was looked up for."""

    type: AuthorizationKind


class HistoryAnswer(_Classed):
    """A candidate in short."""

    authorization_id: str
    version: int
    action: str | None


class FoundAnswer(_Classed):
    """What was found for one line and one kind of authorization."""

    truncated: bool
    relaxed: list[str]
    chosen: list[str]
    candidates: list[CandidateAnswer]
    near_misses: list[CandidateAnswer]
    submitted_numbers: list[NumberAnswer]
    history: list[HistoryAnswer]
    events: list[EventAnswer]


class ResultAnswer(FoundAnswer):
    """What was found, and the template that looked for it."""

    type: AuthorizationKind
    required: bool
    template: str
    template_version: int
    template_hash: str
    template_row: str


class UnknownAnswer(TypedDict):
    """What leaves open what a line needs: the columns that are absent, and the possible rows."""

    columns: list[str]
    rows: list[str]


class RequirementAnswer(TypedDict):
    """What a line needs, and the row of the decision table that says so."""

    needed: list[AuthorizationKind]
    linked: list[AuthorizationKind]
    source: str
    table: str | None
    row: str | None
    table_hash: str | None
    unknown: UnknownAnswer | None
    counted: dict[str, int | float | None]


class MatchedLine(TypedDict):
    """A claim line that was matched."""

    line: int
    requirement: RequirementAnswer
    results: list[ResultAnswer]


class MergedMember(TypedDict):
    """The member id of a claim, and the one into which it was merged."""

    id: str
    merged_into: str


class MatchAnswer(TypedDict):
    """The answer to a claim that was matched; times are in milliseconds."""

    claim_id: str
    version: int
    lines: list[MatchedLine]
    rules: dict[str, str]
    member: NotRequired[MergedMember]
    withheld: NotRequired[list[str]]
    took_ms: NotRequired[dict[Literal["total", "search", "score"], float]]


class AdjustmentReason(TypedDict):
    """Why a line, or a part of it, is not paid: group, reason (CARC) and remarks (RARC)."""

    group: str
    carc: str
    remarks: list[str]


class AdjustmentAnswer(AdjustmentReason):
    """What is not paid of a line, and why."""

    units: str
    amount: str


class Quantity(TypedDict):
    """Units and charge of a line, or of a part of it."""

    units: str
    unit: str
    amount: str


class BalanceAnswer(TypedDict):
    """What is used, reserved and left; nothing is left to tell where there is no limit."""

    used: str
    reserved: str
    remaining: str | None


class MeasureAnswer(TypedDict):
    """One measure of an account, before and after a claim."""

    limit: str | None
    before: BalanceAnswer
    after: BalanceAnswer


class AccountName(TypedDict):
    """Which boundary of an authorization an account is."""

    account: str
    scope: Literal["header", "line"]
    line: int | None
    boundary: Literal["total", "renewal", "rate"]
    period_from: str | None


class AccountAnswer(AccountName):
    """An account that a claim was debited on."""

    unit: str | None
    units: MeasureAnswer
    amount: MeasureAnswer
    service_days: MeasureAnswer


class LimitBalance(BalanceAnswer):
    """One measure of an account as it stands; what was corrected by hand is among what is used."""

    limit: str | None
    corrected: str


class StatementAnswer(AccountName):
    """An account as it stands."""

    unit: str | None
    units: LimitBalance
    amount: LimitBalance
    service_days: LimitBalance
    exhausted: bool
    over: bool
    ended_on: str | None


class UsedAuthorization(TypedDict):
    """An authorization that a line was drawn from, or tried on: how much, and every balance met."""

    authorization_id: str
    number: str | None
    version: int
    line: int
    type: AuthorizationKind
    kind: AuthorizationKind
    action: str | None
    origin: str
    flags: list[str]
    units: str
    unit: str
    amount: str
    unit_price: str | None
    accounts: list[AccountAnswer]


class _Limits(TypedDict):
    limit_adjustments: list[Any]
    removed_limit_adjustments: list[Any]


class LimitsAnswer(_Limits):
    """Which benefit limits stand, which are taken off, and the action codes that say so."""

    actions: list[str]


class BenefitAnswer(_Limits):
    """The limits of a line's benefit; taken off where the authorization goes before them."""

    override: bool


class ResolutionAnswer(TypedDict):
    """What an examiner decided about a claim line: which events by which selection, and why."""

    action: str
    events: list[str]
    authorizations: list[dict[str, Any]]
    reason_code: str | None
    reason: str | None
    by: str
    on_behalf_of: str | None
    at: str


class LineAnswer(TypedDict):
    """What becomes of a claim line: approved, denied and suspended are what was billed."""

    line: int
    disposition: Disposition
    billed: Quantity
    approved: Quantity
    denied: Quantity
    suspended: Quantity
    adjustments: list[AdjustmentAnswer]
    events: list[EventAnswer]
    resolved_events: list[EventAnswer]
    actions: list[str]
    benefit: BenefitAnswer | None
    adjudicated_authorizations: list[UsedAuthorization]
    tried_authorizations: list[UsedAuthorization]
    prior_authorizations: list[PriorNumber]
    requirement: RequirementAnswer | None
    results: list[ResultAnswer]
    resolutions: NotRequired[list[ResolutionAnswer]]


class ReturnedAnswer(TypedDict):
    """What was given back before a claim was drawn: by itself, the original or a charge."""

    of: Literal["own", "original", "charge"]
    line: int
    authorization_id: str
    authorization_line: int
    units: str
    amount: str


class LineSummary(TypedDict):
    """What a later run of a line is compared with."""

    disposition: Disposition
    approved_units: str
    approved_amount: str
    authorizations: list[str]


class Summary(TypedDict):
    """What a later run of a claim is compared with; ``lines`` are by number."""

    version: int
    rules: dict[str, str]
    lines: dict[str, LineSummary]


class Change(TypedDict, Generic[_Value]):
    """A rule's version, or a line as it came out, in two runs of a claim."""

    before: _Value | None
    after: _Value | None


class ChangedLine(Change[LineSummary]):
    """A line that came out otherwise."""

    line: int


class ChangesAnswer(TypedDict):
    """What is other than in the run before."""

    since_version: int
    rules: dict[str, Change[str]]
    lines: list[ChangedLine]


class Before(TypedDict, total=False):
    """What was before a claim was adjudicated, where there was something."""

    returned: list[ReturnedAnswer]
    changed: ChangesAnswer


class ClaimHead(TypedDict):
    """Which claim was adjudicated; ``member`` where it came under an id that was merged."""

    claim_id: str
    version: int
    claim_type: str | None
    frequency: str
    original_claim_id: str | None
    stage: str
    member: NotRequired[MergedMember]
    withheld: NotRequired[list[str]]


class RecordedAnswer(ClaimHead, Before):
    """The answer to a claim, as its record and what it moved tell it at any time."""

    lines: list[LineAnswer]
    rules: dict[str, str]


class AdjudicationAnswer(RecordedAnswer):
    """What is answered when a claim is sent."""

    status: str
    replayed: bool
    dry_run: bool


class StoredAnswer(RecordedAnswer):
    """What is answered when a claim is asked for later."""

    status: str
    versions: list[int]
    replaced_by: str | None


class HeldBefore(TypedDict):
    """The units and the charge of a claim line before and after a step of the claim's life."""

    line: int
    held_before: str
    held: str
    amount_before: str
    amount: str


class GivenBack(TypedDict):
    """What a claim held of an authorization before and after a step of its life."""

    authorization_id: str
    units_before: str
    units: str
    amount_before: str
    amount: str


class StepAnswer(TypedDict):
    """What is answered to a step of a claim's life."""

    claim_id: str
    version: int
    status: str
    changed: bool
    lines: list[HeldBefore]
    authorizations: list[GivenBack]
    withheld: NotRequired[list[str]]


class DrawnByClaim(TypedDict):
    """What a line of a claim drew on one authorization line."""

    line: int
    units: str
    unit: str
    amount: str
    origin: str


RelatedLine = TypedDict(
    "RelatedLine",
    {
        "line": int,
        "disposition": Disposition,
        "class": MatchClass | None,
        "used": list[DrawnByClaim],
    },
)
"""A line of a claim that speaks of an authorization."""


class RelatedClaim(TypedDict):
    """What a claim drew on an authorization; one that holds units of a void one needs a look."""

    claim_id: str
    version: int
    claim_type: str | None
    frequency: str
    status: str
    drawn: bool
    needs_review: bool
    lines: list[RelatedLine]


class UtilizationStep(TypedDict):
    """What was moved in a day or month, and what was used or reserved at its end."""

    period: str
    units: str
    amount: str
    committed: str


class UtilizationAnswer(AccountName):
    """How the units of an account went over time."""

    steps: list[UtilizationStep]
