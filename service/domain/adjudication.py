"""A claim to be adjudicated: with what an examiner decided, by whom and why."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.domain.canonical import canonical_json
from service.domain.claim import AuthorizationKind, Claim
from service.domain.misfits import Path, refuse, repeated
from service.domain.person import Person
from service.domain.values import Counted, Frozen, Identifier, LineNumber, Text

Stage = Literal["preliminary", "final"]
"""Preliminary units are reserved: nobody else can have them, and payment does not see them."""


class SelectedAuthorization(Frozen):
    """An authorization that an examiner selected; ``line`` is one of its lines."""

    authorization_id: Identifier
    line: LineNumber | None = None


class Selection(Frozen):
    """What an examiner selected for a claim line, in the order in which it is drawn."""

    line: LineNumber
    type: AuthorizationKind = "authorization"
    authorizations: tuple[SelectedAuthorization, ...] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse("Selection", self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        selected = [(each.authorization_id, each.line) for each in self.authorizations]
        for place in repeated(selected):
            path = "authorizations", place, "authorization_id"
            yield path, "the same authorization is selected twice"
        lines = {name for name, line in selected if line is not None}
        for place, (name, line) in enumerate(selected):
            if line is None and name in lines:
                reason = "an authorization is selected whole, and one of its lines as well"
                yield ("authorizations", place, "authorization_id"), reason


class StatusOverride(Frozen):
    """Why an examiner uses an authorization that is denied or pended."""

    reason: Text


class Adjudication(Claim):
    """A claim with the examiner's selections; without any it is a claim as it stands."""

    stage: Stage = "final"
    selections: tuple[Selection, ...] = Field(default=(), max_length=200)
    override: StatusOverride | None = None
    by: Text | None = Field(default=None, description="For whom it is asked; needs act-for.")
    reason: Text | None = Field(default=None, description="Why, for the audit.")

    @model_validator(mode="after")
    def _selections_fit_the_claim(self) -> Self:
        refuse("Adjudication", self._selected_wrongly())
        return self

    def _selected_wrongly(self) -> Iterator[tuple[Path, str]]:
        lines = {line.line for line in self.lines}
        for place, each in enumerate(self.selections):
            if each.line not in lines:
                reason = f"a selection is for line {each.line}, which the claim has not"
                yield ("selections", place, "line"), reason
        for place in repeated((each.line, each.type) for each in self.selections):
            reason = f"line {self.selections[place].line} has two selections of one type"
            yield ("selections", place, "type"), reason


def content_of(claim: Adjudication) -> bytes:
    """A claim as it was sent, without who asks and why: the same for claims that say the same."""
    return canonical_json(claim, free=("attached", "limit_adjustments"), without={"by", "reason"})


def fingerprint(content: bytes) -> str:
    """What tells whether a claim is sent again, or another under the same version."""
    return hashlib.sha256(content).hexdigest()[:32]


def fingerprints_as(claim: Adjudication, person: Person | None) -> Iterator[str]:
    """The fingerprints that the claim had, if it came under another id of the person."""
    others = {person.member, *person.former} - {claim.member.id} if person else set()
    for other in sorted(others):
        member = claim.member.model_copy(update={"id": other})
        yield fingerprint(content_of(claim.model_copy(update={"member": member})))


class LineKept(Frozen):
    """What of a claim line is to stay: units, in which it was billed, what is paid for it, or both.

    Without an amount the charge goes with the units.
    """

    line: LineNumber
    units: Counted | None = None
    amount: Annotated[Counted, Field(decimal_places=2)] | None = Field(
        default=None, description="What is paid for it, once that is known, in whole cents."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.units is None and self.amount is None:
            reason = "say the units that the line keeps, the amount, or both"
            refuse("LineKept", [(("units",), reason)])
        return self


class ClaimChange(Frozen):
    """What is to become of an adjudicated claim; ``lines`` are only those that give units back."""

    version: int | None = Field(default=None, ge=1)
    lines: tuple[LineKept, ...] = Field(default=(), max_length=999)
    by: Text | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _each_line_once(self) -> Self:
        twice = repeated(each.line for each in self.lines)
        refuse(
            "ClaimChange",
            ((("lines", place, "line"), "the same line stands twice") for place in twice),
        )
        return self
