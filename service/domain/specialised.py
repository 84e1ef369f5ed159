"""The table of specialised processing: procedures that belong to an authorized one.

Each row names procedures that are billed near an authorized one without being authorized
themselves, and the event by which an examiner is asked. Operations extend the table.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from service.domain.code_groups import Group, GroupTable, MemberText
from service.domain.values import Frozen, LongText, Text

ROWS_MAX = 200
"""Every row is asked for every line of a claim."""


class GroupName(Frozen):
    """A group of ``procedure-groups``, standing for its members."""

    group: Text


Members = Annotated[tuple[MemberText | GroupName, ...], Field(min_length=1, max_length=1_000)]


class CompanionRow(Frozen):
    """Procedures that go with others: these must be billed and matched on another line."""

    rule: Literal["companion"]
    id: Text
    event: Text | None = None
    note: LongText | None = None
    procedures: Members
    companions: Members

    _procedures: GroupTable | None = PrivateAttr(default=None)
    _companions: GroupTable | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _members_are_well_formed(self) -> Self:
        self._procedures = _written_out(self.id, self.procedures)
        self._companions = _written_out(self.id, self.companions)
        return self

    @property
    def groups(self) -> frozenset[str]:
        """The groups of ``procedure-groups`` that the row names."""
        return _named(self.procedures) | _named(self.companions)

    def holds(self, procedure: str, groups: GroupTable) -> bool:
        """Whether the row speaks of a (normalised) procedure that has no match of its own."""
        return _is_among(procedure, self._procedures, _named(self.procedures), groups)

    def is_companion(self, procedure: str, groups: GroupTable) -> bool:
        """Whether a (normalised) procedure is one that the row's procedures go with."""
        return _is_among(procedure, self._companions, _named(self.companions), groups)


class AlternateRow(Frozen):
    """Procedures of one billable group that exclude one another: one of them is authorized."""

    rule: Literal["alternate"]
    id: Text
    event: Text | None = None
    note: LongText | None = None
    group: Text

    @property
    def groups(self) -> frozenset[str]:
        """The groups of ``procedure-groups`` that the row names."""
        return frozenset({self.group})

    def holds(self, procedure: str, groups: GroupTable) -> bool:
        """Whether a (normalised) procedure belongs to the billable group."""
        return self.group in groups.groups_of(procedure)


SpecialisedRow = Annotated[CompanionRow | AlternateRow, Field(discriminator="rule")]


class SpecialisedTable(Frozen):
    """``queries/reference/specialised.yaml``: the rows, each asked for every line of a claim."""

    kind: Literal["specialised"]
    version: Text
    note: LongText | None = None
    rows: tuple[SpecialisedRow, ...] = Field(default=(), max_length=ROWS_MAX)

    @model_validator(mode="after")
    def _each_row_has_its_own_id(self) -> Self:
        twice = [
            name for name, count in Counter(each.id for each in self.rows).items() if count > 1
        ]
        if twice:
            raise ValueError(f"rows: {', '.join(twice)} stands twice")
        return self

    def faults(self, events: Iterable[str], groups: Mapping[str, Group]) -> list[str]:
        """Say which events and groups the rows name that are not there."""
        known = frozenset(events)
        faults = []
        for each in self.rows:
            if each.event is not None and each.event not in known:
                faults.append(f"rows/{each.id}/event: {each.event} is not in event-codes")
            faults += [
                f"rows/{each.id}: there is no group {name} in procedure-groups"
                for name in sorted(each.groups - groups.keys())
            ]
        return faults


def _named(members: tuple[MemberText | GroupName, ...]) -> frozenset[str]:
    return frozenset(each.group for each in members if isinstance(each, GroupName))


def _written_out(row: str, members: tuple[MemberText | GroupName, ...]) -> GroupTable | None:
    """Make a table of the codes and ranges that stand in the row itself."""
    codes = tuple(each for each in members if not isinstance(each, GroupName))
    if not codes:
        return None
    return GroupTable(kind="groups", id=row, version="row", groups={row: Group(members=codes)})


def _is_among(
    procedure: str, written_out: GroupTable | None, named: frozenset[str], groups: GroupTable
) -> bool:
    if written_out is not None and written_out.groups_of(procedure):
        return True
    return bool(named) and not named.isdisjoint(groups.groups_of(procedure))
