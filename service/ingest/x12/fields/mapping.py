"""The rows of a mapping: which element fills which field, by which rule.

A row both reads and documents: the pages of ``docs/formats`` are written from these rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from service.ingest.x12.wire.elements import Elements
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment


class Draft(Elements):
    """The fields of one loop while it is read; ``notes`` are read too, and stand in no field.

    ``is_unsure`` says that something could not be read that would narrow what is granted: such a
    draft must not grant anything.
    """

    __slots__ = ("fields", "is_unsure", "notes")

    def __init__(self, findings: Findings, loop: str) -> None:
        """Start with no field."""
        self.loop = loop
        self.findings = findings
        self.fields: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}
        self.is_unsure = False

    def set(self, field: str, value: object, segment: Segment) -> None:
        """Fill a field, such as ``admission.date``; what is there already stays."""
        above, _, name = field.rpartition(".")
        self.put(above, name, value, segment)

    def put(self, above: str, name: str, value: object, segment: Segment) -> None:
        """Fill a field ``name``, of the object ``above`` where that is not empty."""
        if not value:
            return
        target = self.fields.setdefault(above, {}) if above else self.fields
        if name not in target:
            target[name] = value
        elif target[name] != value:
            self.note("repeated", segment)

    def add(self, field: str, value: object) -> None:
        """Put a value into the list of a field, once."""
        target = self.fields
        above, _, name = field.rpartition(".")
        if above:
            target = target.setdefault(above, {})
        values = target.setdefault(name, [])
        if value not in values:
            values.append(value)

    def unsure(self, code: str, segment: Segment, element: int | None = None) -> None:
        """Note what cannot be read and would narrow a grant."""
        self.is_unsure = True
        self.note(code, segment, element)


Take = Callable[[Draft, Segment], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One element or more, the field that they fill, and the rule; ``take`` reads them.

    ``qualifiers`` are values of the segment's first element; none is any that has no own row. Where
    ``take`` is None, another row of the segment reads this one too.
    """

    segment: str
    qualifiers: tuple[str, ...]
    elements: str
    field: str
    rule: str
    take: Take | None
    loops: str = ""


class Rows:
    """Rows, found by segment and qualifier."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Index the rows."""
        self.rows = tuple(rows)
        found: dict[str, dict[str, list[Take]]] = {}
        for row in self.rows:
            for qualifier in row.qualifiers or ("",):
                takes = found.setdefault(row.segment, {}).setdefault(qualifier, [])
                if row.take is not None:
                    takes.append(row.take)
        self._by_qualifier = {name: by for name, by in found.items() if set(by) != {""}}
        self._plain = {name: by[""] for name, by in found.items() if set(by) == {""}}

    def read(self, segments: Iterable[Segment], draft: Draft) -> None:
        """Read the segments of a loop into a draft."""
        plain, by_qualifier = self._plain, self._by_qualifier
        for segment in segments:
            name = segment[0][0]
            takes = plain.get(name)
            if takes is None:
                by = by_qualifier.get(name)
                if by is None:
                    continue
                takes = by.get(segment.get(1).upper()) or by.get("") or []
            for take in takes:
                take(draft, segment)


def code(element: int, field: str, component: int | None = None) -> Take:
    """Take an element as a code."""
    above, _, name = field.rpartition(".")

    def take(draft: Draft, segment: Segment) -> None:
        if len(segment[0]) > element:
            draft.put(above, name, draft.code(segment, element, component), segment)

    return take


def number(element: int, field: str) -> Take:
    """Take an element as a number."""

    def take(draft: Draft, segment: Segment) -> None:
        if len(segment[0]) > element:
            draft.put("", field, draft.number(segment, element), segment)

    return take


def first_day(field: str) -> Take:
    """Take a DTP segment as one day: the first of a period."""

    def take(draft: Draft, segment: Segment) -> None:
        span = draft.span(segment, 3, form=2)
        draft.set(field, span.first if span else None, segment)

    return take


_RAW_CHARACTERS_MAX = 500


def raw(segment: Segment) -> list[str]:
    """Give a segment as it stands, for what is kept and not read."""
    return [each.strip()[:_RAW_CHARACTERS_MAX] for each in segment.elements[1:]]


def keep(field: str) -> Take:
    """Keep a segment as it stands under a key of the attached data."""

    def take(draft: Draft, segment: Segment) -> None:
        draft.add(f"attached.{field}", raw(segment))

    return take
