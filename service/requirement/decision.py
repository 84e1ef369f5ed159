"""What a claim line needs, and which template looks for it.

The benefit of the line is asked first, the decision table only where the benefit is silent. Where a
value that is absent leaves open which row of the table holds, the line needs all that any of these
rows demands: what is not known is never taken for small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, cast

from service.domain.claim import AuthorizationKind, Benefit, Claim, ServiceLine
from service.requirement._decision_table import Decided, DecisionTable, FiredRow
from service.requirement._inputs import COUNTED, Inputs, Question
from service.requirement.tables import RequirementTables

Kinds = tuple[AuthorizationKind, ...]

Counted = Mapping[str, int | float | None]
"""By counter what it comes to with the line; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a line needs, and who says so.

    ``linked`` are kinds that the line does not need, but that are linked to it if one is found (an
    emergency is paid without; the authorization that came later is shown all the same). ``row`` is
    the name of the row of the table that fired; table, row and hash are None if the benefit spoke.
    ``unknown`` names the columns that are absent, and ``possible`` the rows between which they
    leave it open; then ``row`` is the first of them that demands the most. ``counted`` is what the
    counters that the table reads came to.
    """

    needed: Kinds
    linked: Kinds = ()
    source: Literal["benefit", "table"]
    table: str | None = None
    row: str | None = None
    table_hash: str | None = None
    unknown: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    counted: Counted = field(default_factory=dict)

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


def decide_requirement(
    claim: Claim, line: ServiceLine, tables: RequirementTables, counted: Counted | None = None
) -> Requirement:
    """What a line needs; raises TableFault when the table cannot be decided.

    ``counted`` is what each counter of the references comes to with this line, None where that is
    not known.
    """
    said = _said_by(line.benefit)
    if said is not None:
        return Requirement(needed=said, source="benefit")
    table = tables.is_authorization_required
    asked = Question(claim=claim, line=line, references=tables.references, counted=counted or {})
    decided = table.decide(Inputs(asked))
    requirement = decided.once(partial(_required, table))
    read = {
        name: count
        for name, count in (counted or {}).items()
        if count != 0 and COUNTED + name in table.columns
    }
    return replace(requirement, counted=read) if read else requirement


def _required(table: DecisionTable, decided: Decided) -> Requirement:
    """What the rows of an answer demand, before it is said what the counters came to."""
    is_open = len({(_needed([row]), _linked([row])) for row in decided.rows}) > 1
    rows = decided.rows if is_open else (decided.sure,)
    needed = _needed(rows)
    return Requirement(
        needed=needed,
        linked=tuple(kind for kind in _linked(rows) if kind not in needed),
        source="table",
        table=table.name,
        row=max(rows, key=lambda row: len(set(needed).intersection(row.outputs["needed"]))).name,
        table_hash=table.short_hash,
        unknown=decided.unknown if is_open else (),
        possible=tuple(row.name for row in rows) if is_open else (),
    )


def _needed(rows: Sequence[FiredRow]) -> Kinds:
    """All that any of these rows demands; an approval that is demanded meets a duty to notify."""
    kinds = _kinds(rows, "needed")
    return tuple(kind for kind in kinds if kind != "notification" or "authorization" not in kinds)


def _linked(rows: Sequence[FiredRow]) -> Kinds:
    return _kinds(rows, "linked")


def _kinds(rows: Sequence[FiredRow], answer: str) -> Kinds:
    named = (kind for row in rows for kind in row.outputs.get(answer, ()))
    return cast(Kinds, tuple(dict.fromkeys(named)))


def choose_template(
    claim: Claim, line: ServiceLine, kind: AuthorizationKind, tables: RequirementTables
) -> TemplateChoice:
    """Choose the template that looks for this kind; raises TableFault when it cannot be told.

    A value that is absent fulfils no condition here: the table has rows for what is not known.
    """
    table = tables.requested_auth_type
    asked = Question(claim=claim, line=line, references=tables.references, requested=kind)
    return table.decide(Inputs(asked)).once(partial(_chosen, table))


def _chosen(table: DecisionTable, decided: Decided) -> TemplateChoice:
    row = decided.sure
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
