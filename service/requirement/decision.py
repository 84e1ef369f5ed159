"""What a claim line needs, and which template looks for it.

The benefit of the line is asked first, the decision table only where the benefit is silent.
"""

from dataclasses import dataclass
from typing import Literal, cast

from service.domain.claim import AuthorizationKind, Benefit, Claim, ServiceLine
from service.requirement._inputs import Inputs, Question
from service.requirement.tables import RequirementTables

Kinds = tuple[AuthorizationKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a line needs, and who says so.

    ``linked`` are kinds that the line does not need, but that are linked to it if one is found (an
    emergency is paid without; the authorization that came later is shown all the same). ``row`` is
    the name of the row of the table that fired; table, row and hash are None if the benefit spoke.
    """

    needed: Kinds
    linked: Kinds = ()
    source: Literal["benefit", "table"]
    table: str | None = None
    row: str | None = None
    table_hash: str | None = None

    @property
    def looked_for(self) -> Kinds:
        """Every kind that is searched for, the needed ones first."""
        return self.needed + self.linked


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChoice:
    """The template that looks for one kind, and the row of the table that chose it."""

    template: str
    row: str
    table: str
    table_hash: str


def decide_requirement(claim: Claim, line: ServiceLine, tables: RequirementTables) -> Requirement:
    """What a line needs; raises TableFault when the table cannot be decided."""
    said = _said_by(line.benefit)
    if said is not None:
        return Requirement(needed=said, source="benefit")
    table = tables.is_authorization_required
    row = table.decide(Inputs(Question(claim=claim, line=line, references=tables.references)))
    needed = cast(Kinds, row.outputs["needed"])
    also = cast(Kinds, row.outputs.get("linked", ()))
    return Requirement(
        needed=needed,
        linked=tuple(kind for kind in also if kind not in needed),
        source="table",
        table=table.name,
        row=row.name,
        table_hash=table.short_hash,
    )


def choose_template(
    claim: Claim, line: ServiceLine, kind: AuthorizationKind, tables: RequirementTables
) -> TemplateChoice:
    """Choose the template that looks for this kind; raises TableFault when it cannot be told."""
    table = tables.requested_auth_type
    asked = Question(claim=claim, line=line, references=tables.references, requested=kind)
    row = table.decide(Inputs(asked))
    (template,) = row.outputs["template"]
    return TemplateChoice(
        template=template,
        row=row.name,
        table=table.name,
        table_hash=table.short_hash,
    )


def _said_by(benefit: Benefit) -> Kinds | None:
    """What the benefit requires; None when it says nothing.

    A type without a yes or no means yes: the benefit names what it wants.
    """
    if benefit.authorization_required is False:
        return ()
    if benefit.requested_type == "authorization_and_referral":
        return ("authorization", "referral")
    if benefit.requested_type is not None:
        return (benefit.requested_type,)
    return ("authorization",) if benefit.authorization_required else None
