"""Groups of codes, and their order where they have one.

A member is a code (``97530``), a range of one shape (``97110..97140``) or a beginning (``D27*``).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from service.domain import codes
from service.domain.values import Frozen, LongText, Text

CodeForm = Literal["procedure", "diagnosis", "revenue", "place", "drg", "bill-type", "plain"]
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

Interval = tuple[str, str]
"""First and last code, both included, as strings compare."""


class Group(Frozen):
    """A named group of codes."""

    title: Text | None = None
    members: tuple[MemberText, ...] = Field(min_length=1, max_length=20_000)


class GroupTable(Frozen):
    """One file of ``queries/reference``: groups of codes of one form, with a version."""

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

    def _is_shaped(self, member: str) -> bool:
        return self.form == "procedure" and ".." in member

    def _interval(self, member: str) -> Interval:
        """Give first and last code of a member, normalised."""
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
        """Name the groups that hold a (normalised) code, in the order of the file."""
        return _groups_of(_Identity(self), code)

    def find_groups_of(self, code: str) -> tuple[str, ...]:
        """Look the groups up without the memory of earlier look-ups."""
        found = set(self._exact.get(code, ()))
        for first, last, shape, name in self._intervals:
            if first <= code <= last and (shape is None or codes.procedure_shape(code) == shape):
                found.add(name)
        return tuple(name for name in self.groups if name in found)

    def intervals_of(self, names: tuple[str, ...]) -> tuple[Interval, ...]:
        """Give the members of the named groups as intervals, first and last code included."""
        intervals = {
            self._interval(member) for name in names for member in self.groups[name].members
        }
        return tuple(sorted(intervals))

    def is_enumerable(self) -> bool:
        """Whether every member is a single code, so that a group can be expanded to codes."""
        return not self._intervals

    def rank(self, name: str) -> int:
        """Give the place of a group in an ordered table, lowest first."""
        return tuple(self.groups).index(name)


class _Identity:
    """Hashes a table by identity: tables are immutable, and replaced whole when files change."""

    __slots__ = ("table",)

    def __init__(self, table: GroupTable) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.table is self.table


@lru_cache(maxsize=_KNOWN_CODES)
def _groups_of(table: _Identity, code: str) -> tuple[str, ...]:
    return table.table.find_groups_of(code)
