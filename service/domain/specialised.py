"""The table of specialised processing: procedures that belong to an authorized one.

Each row names procedures that are billed near an authorized one without being authorized
themselves, and the event by which an examiner is asked. Operations extend the table.
"""

from collections.abc import Container
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from service.domain.code_groups import (
    PROCEDURE_GROUPS,
    Coded,
    CodeSet,
    Groups,
    Members,
    NamesCodes,
    twice,
)
from service.domain.values import Frozen, LongText, Text

ROWS_MAX = 200
"""Every row is asked for every line of a claim."""


class CompanionRow(NamesCodes):
    """Procedures that go with others: these must be billed and matched on another line."""

    rule: Literal["companion"]
    id: Text
    event: Text | None = None
    note: LongText | None = None
    procedures: Members
    companions: Members

    _CODED: ClassVar[Coded] = {
        "procedures": ("procedure", PROCEDURE_GROUPS),
        "companions": ("procedure", PROCEDURE_GROUPS),
    }

    def holds(self, procedure: str | None, groups: Groups) -> bool:
        """Whether the row speaks of a (normalised) procedure that has no match of its own."""
        return self.names("procedures", procedure, groups)

    def is_companion(self, procedure: str | None, groups: Groups) -> bool:
        """Whether a (normalised) procedure is one that the row's procedures go with."""
        return self.names("companions", procedure, groups)

    def faults(self, groups: Groups) -> list[str]:
        """What is wrong: groups that the row names and that are not there."""
        return sorted({*super().faults(groups)})


class AlternateRow(Frozen):
    """Procedures of one billable group that exclude one another: one of them is authorized."""

    rule: Literal["alternate"]
    id: Text
    event: Text | None = None
    note: LongText | None = None
    group: Text

    def holds(self, procedure: str | None, groups: Groups) -> bool:
        """Whether a (normalised) procedure belongs to the billable group."""
        return self._members.holds(procedure, groups)

    def faults(self, groups: Groups) -> list[str]:
        """What is wrong: a group that is not there."""
        return self._members.faults(groups)

    @property
    def _members(self) -> CodeSet:
        return CodeSet(own=None, groups=frozenset({self.group}), table=PROCEDURE_GROUPS)


SpecialisedRow = Annotated[CompanionRow | AlternateRow, Field(discriminator="rule")]


class SpecialisedTable(Frozen):
    """``queries/reference/specialised.yaml``: the rows, each asked for every line of a claim."""

    kind: Literal["specialised"]
    version: Text
    note: LongText | None = None
    rows: tuple[SpecialisedRow, ...] = Field(default=(), max_length=ROWS_MAX)

    @model_validator(mode="after")
    def _each_row_has_its_own_id(self) -> Self:
        if repeated := twice(row.id for row in self.rows):
            raise ValueError(f"rows: {', '.join(repeated)} stands twice")
        return self

    def faults(self, events: Container[str], groups: Groups) -> list[str]:
        """What is wrong: events and groups that the rows name and that are not there."""
        faults = []
        for row in self.rows:
            if row.event is not None and row.event not in events:
                faults.append(f"rows/{row.id}/event: {row.event} is not in event-codes")
            faults += [f"rows/{row.id}: {fault}" for fault in row.faults(groups)]
        return faults
