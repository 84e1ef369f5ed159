"""Which authorization number goes on a claim, where, and why.

The payer says by a table (``claim-numbers.yaml``) whether its numbers go on the claim (837 loop
2300, box 23 of the CMS-1500), on the line (2400), or nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from typing_extensions import TypedDict

from service.domain import codes
from service.domain.claim import (
    AuthorizationKind,
    Claim,
    ClaimType,
    NumberKind,
    ServiceLine,
    SubmittedNumber,
)
from service.domain.code_groups import twice
from service.domain.values import Frozen, LineNumber, LongText, Text

PlacedKind = Literal["authorization", "referral"]
"""The kinds of number that a claim has room for (REF*G1, REF*9F)."""

KINDS: Sequence[PlacedKind] = get_args(PlacedKind)
NUMBER_KINDS: Mapping[AuthorizationKind, PlacedKind] = {
    "authorization": "authorization",
    "notification": "authorization",
    "referral": "referral",
}
QUALIFIERS: Mapping[PlacedKind, str] = {"authorization": "G1", "referral": "9F"}
FORMS: Mapping[ClaimType, str] = {
    "professional": "CMS-1500 box 23",
    "institutional": "UB-04 form locator 63",
    "dental": "ADA form box 2",
}
"""Where a number of the whole claim stands on paper."""

Responsibility = Literal["P", "S", "T", "A", "B", "C", "D", "E", "F", "G", "H", "U"]
"""Whether the payer is the primary, the secondary, the tertiary one (SBR01)."""

Level = Literal["claim", "line", "none"]


class NumberRow(Frozen):
    """Where numbers go on the claims that it fits; what it does not name may be anything."""

    id: Text
    note: LongText | None = None
    payers: Annotated[tuple[Text, ...], Field(min_length=1, max_length=500)] | None = None
    claim_types: Annotated[tuple[ClaimType, ...], Field(min_length=1)] | None = None
    responsibilities: Annotated[tuple[Responsibility, ...], Field(min_length=1)] | None = None
    kinds: Annotated[tuple[PlacedKind, ...], Field(min_length=1)] | None = None
    level: Level

    def fits(self, claim: "ForPayer", kind: PlacedKind) -> bool:
        """Whether it speaks of this claim and kind; payers are named in any case."""
        payers = None if self.payers is None else {each.casefold() for each in self.payers}
        return all(
            wanted is None or given in wanted
            for wanted, given in (
                (payers, (claim.payer_id or "").casefold()),
                (self.claim_types, claim.claim_type),
                (self.responsibilities, claim.responsibility),
                (self.kinds, kind),
            )
        )


class NumberTable(Frozen):
    """``claim-numbers.yaml``: the first row that fits says where a number goes, else the claim."""

    kind: Literal["claim-numbers"] = "claim-numbers"
    version: Text = "none"
    note: LongText | None = None
    rows: tuple[NumberRow, ...] = Field(default=(), max_length=500)

    @model_validator(mode="after")
    def _each_row_has_its_own_id(self) -> Self:
        if repeated := twice(row.id for row in self.rows):
            raise ValueError(f"rows: {', '.join(repeated)} stands twice")
        return self

    def level(self, claim: "ForPayer", kind: PlacedKind) -> tuple[Level, str | None]:
        """Where numbers of a kind go, and the row that says so."""
        row = next((each for each in self.rows if each.fits(claim, kind)), None)
        return (row.level, row.id) if row else ("claim", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForPayer:
    """What of a claim says where its payer wants numbers."""

    claim_type: ClaimType
    payer_id: str | None = None
    responsibility: Responsibility | None = None


Why = Literal[
    "matched",
    "as-sent",
    "not-needed",
    "not-found",
    "not-certain",
    "no-number",
    "payer-wants-none",
    "no-room",
]
WHY: Mapping[Why, str] = {
    "matched": "the number of the authorization that covers the line",
    "as-sent": "what was sent fits, and stays",
    "not-needed": "the line needs none",
    "not-found": "no authorization covers the line",
    "not-certain": "what was found needs an examiner",
    "no-number": "the authorization that covers the line has no number that can stand there",
    "payer-wants-none": "the payer wants no number there",
    "no-room": "the claim has one place for all its lines, and it is taken by more of them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found for a line and a kind of number; without a number why there is none."""

    line: LineNumber
    kind: PlacedKind
    why: Why
    number: str | None = None
    authorization_id: str | None = None


class Placed(TypedDict):
    """What becomes of the number of a line, and why; ``form`` is where it stands on paper."""

    line: int
    kind: PlacedKind
    number: str | None
    authorization_id: str | None
    level: Literal["claim", "line"] | None
    segment: str
    form: str | None
    row: str | None
    reason: Why
    why: str


Numbers = Mapping[NumberKind, str | None]
"""The one number that stands there, by kind: None takes all away, one not named stays as sent."""


@dataclass(slots=True)
class Placement:
    """What a claim and its lines get, and what is said of each line."""

    told: list[Placed] = field(default_factory=list)
    of_claim: dict[NumberKind, str | None] = field(default_factory=dict)
    of_lines: dict[int, dict[NumberKind, str | None]] = field(default_factory=dict)


def place_numbers(
    claim: Claim, found: Iterable[Found], table: NumberTable, sent: ForPayer
) -> Placement:
    """Say which numbers the claim and its lines get.

    An institutional claim has no place on its lines (837I). A number is never put on both (X12 RFI
    2459), and on the claim goes the one of most lines.
    """
    known = tuple(found)
    placement = Placement()
    for kind in KINDS:
        level, row = table.level(sent, kind)
        of_kind = [each for each in known if each.kind == kind]
        _Placing(claim, kind, level, row, placement).place(of_kind)
    placement.told.sort(key=lambda each: (each["line"], KINDS.index(each["kind"])))
    return placement


@dataclass(slots=True)
class _Placing:
    claim: Claim
    kind: PlacedKind
    level: Level
    row: str | None
    placement: Placement

    def place(self, found: Sequence[Found]) -> None:
        main: str | None = None
        if self.level == "none":
            self._take_away()
        elif self.level == "claim" or self.claim.type == "institutional":
            main = self._most_wanted(found)
        elif any(each.number for each in found) and not any(each.why in _OPEN for each in found):
            self.placement.of_claim[self.kind] = None
        if main is not None:
            self.placement.of_claim[self.kind] = main
        for each in found:
            self._of_line(each, main)

    def _most_wanted(self, found: Iterable[Found]) -> str | None:
        wanted = [each.number for each in found if each.number and not self._stays(each)]
        counted = Counter(map(_bare, wanted))
        most = max(counted.values(), default=0)
        return next((each for each in wanted if counted[_bare(each)] == most), None)

    def _stays(self, found: Found) -> bool:
        """Whether a line has its number already, and no row of the table says otherwise."""
        number = str(found.number)
        return self.row is None and is_there(self._line(found), self.kind, number)

    def _of_line(self, found: Found, main: str | None) -> None:
        number = found.number
        if number is None or self.level == "none":
            self._tell(found, None, "payer-wants-none" if self.level == "none" else found.why)
        elif main is not None and _bare(number) == _bare(main):
            self._set(found.line, None)
            is_sent = is_there(self.claim, self.kind, number)
            self._tell(found, "claim", "as-sent" if is_sent else found.why)
        elif self.claim.type == "institutional" and not self._stays(found):
            self._tell(found, None, "no-room")
        else:
            self._set(found.line, number)
            is_sent = is_there(self._line(found), self.kind, number)
            self._tell(found, "line", "as-sent" if is_sent else found.why)

    def _line(self, found: Found) -> ServiceLine:
        return next(each for each in self.claim.lines if each.line == found.line)

    def _take_away(self) -> None:
        self.placement.of_claim[self.kind] = None
        for line in self.claim.lines:
            self._set(line.line, None)

    def _set(self, line: int, number: str | None) -> None:
        self.placement.of_lines.setdefault(line, {})[self.kind] = number

    def _tell(self, found: Found, level: Literal["claim", "line"] | None, why: Why) -> None:
        self.placement.told.append(
            {
                "line": found.line,
                "kind": self.kind,
                "number": found.number if level else None,
                "authorization_id": found.authorization_id,
                "level": level,
                "segment": f"REF*{QUALIFIERS[self.kind]}",
                "form": FORMS[self.claim.type] if level == "claim" else None,
                "row": self.row,
                "reason": why,
                "why": WHY[why],
            }
        )


_OPEN: frozenset[Why] = frozenset({"not-found", "not-certain", "no-number"})
"""Lines of which the number of the whole claim may be the one that is meant."""


def _bare(number: str) -> str:
    return codes.authorization_number(number)


def is_there(scope: Claim | ServiceLine, kind: NumberKind, number: str) -> bool:
    """Whether a number of a kind stands there, however it is written."""
    return any(
        each.kind == kind and _bare(each.value) == _bare(number)
        for each in scope.authorization_numbers
    )


def with_numbers(claim: Claim, placement: Placement) -> Claim:
    """The claim with its numbers; those that stay are written as they were."""
    lines = tuple(
        line.model_copy(update=_numbers_of(line, placement.of_lines.get(line.line, {})))
        for line in claim.lines
    )
    return claim.model_copy(update={"lines": lines, **_numbers_of(claim, placement.of_claim)})


def _numbers_of(scope: Claim | ServiceLine, wanted: Numbers) -> dict[str, object]:
    kept = tuple(
        each
        for each in scope.authorization_numbers
        if each.kind not in wanted or is_kept(each.value, wanted[each.kind])
    )
    added = tuple(
        SubmittedNumber(kind=kind, value=number)
        for kind, number in wanted.items()
        if number is not None and not is_there(scope, kind, number)
    )
    return {"authorization_numbers": (*kept, *added)} if wanted else {}


def is_kept(number: str, wanted: str | None) -> bool:
    """Whether a number that was sent is the one that is wanted, however it is written."""
    return wanted is not None and _bare(number) == _bare(wanted)
