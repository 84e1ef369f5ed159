"""Groups of codes, and their order where they have one.

A member is a code (``97530``), a range of one shape (``97110..97140``) or a beginning (``D27*``).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from service.domain import codes
from service.domain.values import Frozen, LongText, Text

CodeForm = Literal["procedure", "diagnosis", "revenue", "place", "drg", "bill-type", "plain"]
Groups = Mapping[str, "GroupTable"]
"""Tables of groups by their id."""

PROCEDURE_GROUPS = "procedure-groups"
MemberText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=61)]

_FORMS: Mapping[CodeForm, Callable[[str], str]] = {
    "procedure": codes.bare,
    "diagnosis": codes.diagnosis,
    "revenue": codes.revenue_code,
    "place": codes.place_of_service,
    "drg": codes.drg,
    "bill-type": codes.bill_type_class,
    "plain": str.strip,
}
_HIGHEST = "\U0010ffff"
_KNOWN_CODES = 20_000
_PROCEDURE_CHARACTERS = 5

Interval = tuple[str, str]
"""First and last code, both included, as strings compare."""


class Group(Frozen):
    """A named group of codes."""

    title: Text | None = None
    members: tuple[MemberText, ...] = Field(min_length=1, max_length=20_000)


class GroupTable(Frozen):
    """One file of ``queries/reference``: groups of codes of one form, with a version.

    Compared by identity: tables are immutable, and replaced whole when files change.
    """

    kind: Literal["groups"]
    id: Text
    version: Text
    note: LongText | None = None
    form: CodeForm = "procedure"
    ordered: bool = Field(default=False, description="The groups stand from lowest to highest.")
    groups: dict[str, Group] = Field(min_length=1, max_length=5_000)

    _exact: dict[str, tuple[str, ...]] = PrivateAttr(default_factory=dict)
    _intervals: list[tuple[str, str, str | None, str]] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def _members_are_well_formed(self) -> Self:
        exact: dict[str, list[str]] = {}
        for name, group in self.groups.items():
            for member in group.members:
                first, last = self._interval(member)
                if first == last:
                    exact.setdefault(first, []).append(name)
                else:
                    shape = codes.procedure_shape(first) if self._is_shaped(member) else None
                    self._intervals.append((first, last, shape, name))
        self._exact.update({code: tuple(names) for code, names in exact.items()})
        return self

    def __hash__(self) -> int:
        """As cheap as can be: every code of every claim asks for it."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Whether it is this very table."""
        return self is other

    def _is_shaped(self, member: str) -> bool:
        return self.form == "procedure" and ".." in member

    def _interval(self, member: str) -> Interval:
        """First and last code of a member; raises ValueError for a range that is none."""
        write = _FORMS[self.form]
        if member.endswith("*"):
            beginning = codes.bare(member) if self.form == "procedure" else member[:-1].strip()
            return beginning, beginning + _HIGHEST
        first, dots, last = member.partition("..")
        low, high = write(first), write(last) if dots else write(first)
        if high < low or len(high) != len(low):
            raise ValueError(f"{self.id}: {member} is not a range")
        return low, high

    def groups_of(self, code: str) -> tuple[str, ...]:
        """The names of the groups that hold a (normalised) code, in the order of the file."""
        return _groups_of(self, code)

    def find_groups_of(self, code: str) -> tuple[str, ...]:
        """The groups that hold a (normalised) code, looked up anew: nothing is remembered."""
        found = set(self._exact.get(code, ()))
        for first, last, shape, name in self._intervals:
            if first <= code <= last and (shape is None or codes.procedure_shape(code) == shape):
                found.add(name)
        return tuple(name for name in self.groups if name in found)

    def intervals_of(self, names: tuple[str, ...]) -> tuple[Interval, ...]:
        """The members of groups as intervals; raises KeyError for a group that is not there."""
        intervals = {
            self._interval(member) for name in names for member in self.groups[name].members
        }
        return tuple(sorted(intervals))

    def is_enumerable(self) -> bool:
        """Whether every member is a single code, so that a group can be expanded to codes."""
        return not self._intervals

    def rank(self, name: str) -> int:
        """The place of a group in an ordered table, lowest first."""
        return tuple(self.groups).index(name)


_groups_of = lru_cache(maxsize=_KNOWN_CODES)(GroupTable.find_groups_of)


class GroupName(Frozen):
    """A group of a table, standing for its members."""

    group: Text


Members = Annotated[tuple[MemberText | GroupName, ...], Field(min_length=1, max_length=1_000)]
"""What a row of another table names: codes and ranges, and groups."""


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The codes that a row names: its own codes and ranges, and groups of the table ``table``."""

    own: GroupTable | None
    groups: frozenset[str]
    table: str

    @classmethod
    def of(cls, members: Members, *, form: CodeForm, table: str) -> "CodeSet":
        """Read the members of a row; raises ValueError for a range that is none."""
        codes = tuple(member for member in members if not isinstance(member, GroupName))
        names = frozenset(member.group for member in members if isinstance(member, GroupName))
        if not codes:
            return cls(None, names, table)
        row = {"row": Group(members=codes)}
        own = GroupTable(kind="groups", id="row", version="row", form=form, groups=row)
        return cls(own, names, table)

    def holds(self, code: str | None, tables: Groups) -> bool:
        """Whether a (normalised) code is among them; one that is not known never is."""
        if code is None:
            return False
        if self.own is not None and self.own.groups_of(code):
            return True
        table = tables.get(self.table) if self.groups else None
        return table is not None and not self.groups.isdisjoint(table.groups_of(code))

    def firsts(self, tables: Groups) -> frozenset[str]:
        """The first code of each range, of a beginning the first of five characters.

        Two sets of procedures that share any code share one of these.
        """
        found = [*(self.own.intervals_of(tuple(self.own.groups)) if self.own else ())]
        if self.groups:
            found += tables[self.table].intervals_of(tuple(self.groups))
        return frozenset(
            first.ljust(_PROCEDURE_CHARACTERS, "0") if last.endswith(_HIGHEST) else first
            for first, last in found
        )

    def faults(self, tables: Groups) -> list[str]:
        """What is wrong: groups that are not there."""
        known = tables[self.table].groups.keys() if self.table in tables else frozenset()
        return [f"there is no group {name} in {self.table}" for name in sorted(self.groups - known)]


Coded = Mapping[str, tuple[CodeForm, str]]
"""Fields that name codes, with the form of the codes and the table of their groups."""


class NamesCodes(Frozen):
    """A row of another table that names codes in its fields ``_CODED``; each is read once."""

    _CODED: ClassVar[Coded]
    _codes: dict[str, CodeSet] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _members_are_well_formed(self) -> Self:
        for field, (form, table) in self._CODED.items():
            if members := getattr(self, field):
                self._codes[field] = CodeSet.of(members, form=form, table=table)
        return self

    def names(self, field: str, code: str | None, groups: Groups) -> bool:
        """Whether a field names a (normalised) code; one that is left out names any."""
        named = self._codes.get(field)
        return named is None or named.holds(code, groups)

    def first_codes(self, field: str, groups: Groups) -> frozenset[str]:
        """The first codes of what a field names; none where it is left out."""
        return self._codes[field].firsts(groups) if field in self._codes else frozenset()

    def faults(self, groups: Groups) -> list[str]:
        """What is wrong: groups that the row names and that are not there."""
        return [fault for each in self._codes.values() for fault in each.faults(groups)]


def twice(names: Iterable[str]) -> list[str]:
    """The names that stand there more than once."""
    return [name for name, count in Counter(names).items() if count > 1]
