"""Reference tables that templates and matching use, all of one set of files."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from service.domain.accounting_policy import AccountingPolicy, UnitTable
from service.domain.alert import AlertTable
from service.domain.claim_numbers import NumberTable
from service.domain.code_groups import Group as Group
from service.domain.code_groups import GroupTable as GroupTable
from service.domain.code_groups import Interval as Interval
from service.domain.counters import CounterTable
from service.domain.gates import BandTable, GateTable
from service.domain.manual_entry import ManualEntryPolicy
from service.domain.number_forms import NumberForms
from service.domain.specialised import SpecialisedTable
from service.domain.values import Frozen, Text
from service.domain.worklist_table import WorklistTable

_KEYWORD_CHARACTERS_MAX = 256

AttachedType = Literal["keyword", "long", "date", "boolean"]


class AttachedFields(Frozen):
    """``queries/reference/attached.yaml``: the attached-data fields that templates may use."""

    kind: Literal["attached-fields"]
    version: Text
    fields: dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")], AttachedType
    ] = Field(default_factory=dict, max_length=200)


def attached_values(
    attached: Mapping[str, Any], declared: AttachedFields, *, prefix: str
) -> dict[str, Any]:
    """The attached-data fields that are declared; the others stay in the source only.

    A value of another type than declared is not indexed: it could not be compared.
    """
    values: dict[str, Any] = {}
    if not attached:
        return values
    for name, kind in declared.fields.items():
        value = attached.get(name)
        if value is None:
            continue
        many = [each for each in (value if isinstance(value, list) else [value]) if _is(each, kind)]
        if many:
            values[f"{prefix}{name}"] = many if isinstance(value, list) else many[0]
    return values


def _is(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "long":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -(2**63) <= value < 2**63
    if not isinstance(value, str):
        return False
    return _is_day(value) if kind == "date" else len(value) <= _KEYWORD_CHARACTERS_MAX


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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
    numbers: NumberForms = NumberForms()
    counters: CounterTable = CounterTable()
    gates: GateTable = GateTable()
    bands: BandTable = BandTable()
    worklist: WorklistTable = WorklistTable()
    claim_numbers: NumberTable = NumberTable()
    alerts: AlertTable = AlertTable()
    manual_entry: ManualEntryPolicy = ManualEntryPolicy()
