"""Reference tables that templates and matching use, all of one set of files."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from service.domain.accounting_policy import AccountingPolicy, UnitTable
from service.domain.code_groups import Group as Group
from service.domain.code_groups import GroupTable as GroupTable
from service.domain.code_groups import Interval as Interval
from service.domain.specialised import SpecialisedTable
from service.domain.values import Frozen, Text

AttachedType = Literal["keyword", "long", "date", "boolean"]


class AttachedFields(Frozen):
    """``queries/reference/attached.yaml``: the attached-data fields that templates may use."""

    kind: Literal["attached-fields"]
    version: Text
    fields: dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")], AttachedType
    ] = Field(default_factory=dict, max_length=200)


class StoredReferences(Frozen):
    """What is written with every stored authorization: another one needs the indices rebuilt."""

    attached: AttachedFields = AttachedFields(kind="attached-fields", version="none")
    informational_modifiers: frozenset[str] = frozenset()

    def writes_as(self, other: "StoredReferences") -> bool:
        """Whether an authorization is stored with the same values under both."""
        return (
            self.attached.fields == other.attached.fields
            and self.informational_modifiers == other.informational_modifiers
        )


class References(StoredReferences):
    """All reference tables of one set of files; those of its own are looked up for each claim."""

    groups: Mapping[str, GroupTable] = Field(default_factory=dict)
    specialised: SpecialisedTable = SpecialisedTable(kind="specialised", version="none")
    units: UnitTable = UnitTable()
    accounting: AccountingPolicy = AccountingPolicy()
