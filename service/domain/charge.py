"""A charge: a service that was given and is not billed yet, for which an authorization is attached.

In the books it is held like a claim of one line, under an id that no claim has, until a claim comes
that names it (``charge_ids`` of a line).
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from service.domain import codes
from service.domain.adjudication import Adjudication, SelectedAuthorization, Selection
from service.domain.authorization import GRANTING_ACTIONS
from service.domain.claim import (
    AuthorizationKind,
    ChargeId,
    Claim,
    ClaimAdmission,
    ClaimDiagnosis,
    ClaimMember,
    ClaimType,
    ServiceLine,
    kinds_meeting,
)
from service.domain.code_groups import PROCEDURE_GROUPS, Groups
from service.domain.effective import LineValues
from service.domain.misfits import refuse
from service.domain.provider import ClaimProvider
from service.domain.values import Code, Day, LineNumber

CHARGE = "charge:"
"""So begins the id under which a charge is held; no claim has such an id."""

SELECTED_MAX = 20
"""So many lines of an authorization a selection may name."""

Unfit = Literal["void", "superseded", "kind", "denied", "pending", "upcoming", "expired", "code"]
"""Why an authorization is not for a charge, whatever is left of it."""

_REPLACEMENT, _VOID = "7", "8"
_NEARNESS: dict[Unfit, int] = {"void": 0, "superseded": 0, "kind": 1, "denied": 2, "pending": 2}
_NEARNESS |= {"upcoming": 3, "expired": 3, "code": 4}


class Charge(ServiceLine):
    """A charge as a billing system has it: one service, for whom, when, by whom and how much."""

    charge_id: ChargeId
    line: LineNumber = 1
    type: ClaimType = "professional"
    member: ClaimMember
    billing_provider: ClaimProvider = ClaimProvider()
    referring_provider: ClaimProvider | None = None
    facility: ClaimProvider | None = None
    network: Literal["in", "out"] | None = None
    bill_type: Code | None = None
    admission: ClaimAdmission | None = None
    diagnoses: tuple[ClaimDiagnosis, ...] = Field(default=(), max_length=50)
    emergency: bool = False
    received_on: Day | None = None

    @model_validator(mode="after")
    def _is_one_dated_service(self) -> Self:
        if self.from_ is None:
            refuse("Charge", [(("from",), "a charge needs the day of its service")])
        if self.units == 0:
            refuse("Charge", [(("units",), "a charge of no units needs and holds nothing")])
        if self.charge_ids:
            refuse("Charge", [(("charge_ids",), "a charge is no claim: it names no charges")])
        return self

    def as_claim(self, version: int = 1, selections: Sequence[Selection] = ()) -> Adjudication:
        """The claim of one line as which it is held."""
        head = _CLAIM_FIELDS.intersection(type(self).model_fields)
        line = {name: getattr(self, name) for name in ServiceLine.model_fields}
        return Adjudication(
            **{name: getattr(self, name) for name in head},
            claim_id=held_as(self.charge_id),
            version=version,
            stage="preliminary",
            lines=(ServiceLine.model_construct(self.model_fields_set & line.keys(), **line),),
            selections=tuple(selections),
        )


_CLAIM_FIELDS = frozenset(Claim.model_fields) - frozenset(ServiceLine.model_fields)


def held_as(charge_id: str) -> str:
    """The id under which a charge is held."""
    return f"{CHARGE}{charge_id}"


def charges_of(claim: Claim) -> tuple[str, ...]:
    """The charges that a claim takes the place of, as they are held; a void takes that of none."""
    if claim.frequency == _VOID:
        return ()
    return tuple(dict.fromkeys(held_as(name) for line in claim.lines for name in line.charge_ids))


def takes_a_place(claim: Claim) -> bool:
    """Whether a claim gives back what others hold: charges that it names, what it replaces."""
    return claim.frequency == _REPLACEMENT or bool(charges_of(claim))


class Asked(NamedTuple):
    """What a charge asks of an authorization; without ``kinds`` it needs none, and any may do."""

    kinds: frozenset[AuthorizationKind]
    first: str
    last: str
    procedure: str | None
    shape: str | None
    groups: tuple[str, ...]
    revenue_code: str | None


def asked_by(charge: Charge, needed: Iterable[AuthorizationKind], groups: Groups) -> Asked:
    """What a charge asks, where it needs authorizations of some kinds."""
    procedure = codes.written(codes.bare, charge.procedure)
    table = groups.get(PROCEDURE_GROUPS)
    days = [day for day in (charge.from_, charge.to) if day is not None]
    return Asked(
        kinds=frozenset(kind for each in needed for kind in kinds_meeting(each)),
        first=days[0].isoformat(),
        last=days[-1].isoformat(),
        procedure=procedure,
        shape=codes.procedure_shape(procedure, charge.code_system) if procedure else None,
        groups=table.groups_of(procedure) if table and procedure else (),
        revenue_code=codes.written(codes.revenue_code, charge.revenue_code),
    )


def lines_for(asked: Asked, lines: Iterable[LineValues]) -> tuple[tuple[int, ...], Unfit | None]:
    """The lines of an authorization that are for a charge; without any what the nearest one lacks.

    It is active, valid on all days of the service, and its code is covered, or none is named (seed
    000).
    """
    fitting, lacks = [], list[Unfit]()
    for line in lines:
        unfit = _unfit(asked, line)
        if unfit is None:
            fitting.append(line["line"])
        else:
            lacks.append(unfit)
    if fitting:
        return tuple(fitting), None
    return (), max(lacks, key=_NEARNESS.__getitem__) if lacks else "void"


def _unfit(asked: Asked, line: LineValues) -> Unfit | None:
    if asked.kinds and line["kind"] not in asked.kinds:
        return "kind"
    action = line.get("action")
    if action not in GRANTING_ACTIONS and action != "NA":
        return "denied" if action == "A3" else "pending"
    days = line["effective"]
    if asked.first < days.get("first", asked.first):
        return "upcoming"
    if days.get("last", asked.last) < asked.last:
        return "expired"
    return None if _covers(asked, line) else "code"


def _covers(asked: Asked, line: LineValues) -> bool:
    """Whether the code of a charge is covered, or none is named."""
    if "procedure.group" in line:
        return line["procedure.group"] in asked.groups
    if "procedure.from" in line:
        first, last = str(line["procedure.from"]), str(line["procedure.to"])
        is_alike = line["procedure.shape"] == asked.shape
        return is_alike and first <= (asked.procedure or "") <= last
    return line.get("revenue_code") in (None, asked.revenue_code)


def selection_of(
    line: int, authorization_id: str, kind: AuthorizationKind, lines: Iterable[int]
) -> Selection:
    """The selection of an authorization for the line of a charge: of all its lines that fit."""
    return Selection(
        line=line,
        type=kind,
        authorizations=tuple(
            SelectedAuthorization(authorization_id=authorization_id, line=each or None)
            for each in tuple(lines)[:SELECTED_MAX]
        ),
    )
