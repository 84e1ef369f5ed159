"""The rows of a mapping: which element fills which field, by which rule.

A row both reads and documents: the pages of ``docs/formats`` are written from these rows.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from service.ingest.x12.wire.elements import Elements, Span
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment


class Draft(Elements):
    """The fields of one loop while it is read; ``notes`` are read too, and stand in no field.

    ``is_unsure`` says that something could not be read that would narrow what is granted: such a
    draft must not grant anything.
    """

    __slots__ = ("fields", "is_unsure", "notes")

    def __init__(self, findings: Findings, loop: str) -> None:
        super().__init__(findings, loop)
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
        above, _, name = field.rpartition(".")
        target = self.fields.setdefault(above, {}) if above else self.fields
        values = target.setdefault(name, [])
        if value not in values:
            values.append(value)

    def unsure(
        self, code: str, segment: Segment, element: int | None = None, component: int | None = None
    ) -> None:
        """Note what cannot be read and would narrow a grant, or change what is billed."""
        self.is_unsure = True
        self.note(code, segment, element, component)


Take = Callable[[Draft, Segment], None]


AS_IT_STANDS = "as it stands"
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{1,2}?(?=(?:\d\d)?\b)")


@dataclass(frozen=True, slots=True)
class Told:
    """An element or more, the field that they fill, and the rule: for the page alone.

    Another row of the same segment reads them. ``on`` are values of the segment's first element;
    none is any that has no row of its own.
    """

    elements: str
    field: str
    rule: str = AS_IT_STANDS
    _: KW_ONLY
    on: tuple[str, ...] = ()

    @property
    def segment(self) -> str:
        """The segment that the elements are of: SV1 of ``SV101, SV103``."""
        found = _SEGMENT.match(self.elements)
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Row(Told):
    """A row that is read: ``take`` does it."""

    _: KW_ONLY
    take: Take


_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2}?)(?:(\d\d)(?:-(\d))?)?")
_ALL = (0, 0), (99, 9)


@dataclass(frozen=True, slots=True)
class Left:
    """Elements of some loops that are not kept, and why: for the page, and held by a test.

    ``elements`` are single ones, whole segments, or from one to another of the same segment.
    """

    loops: str
    elements: str
    why: str

    def parts(self) -> list[str]:
        """Its elements, segments and ranges one by one."""
        return self.elements.split(", ")

    def names(self, loop: str, element: str, part: str | None = None) -> bool:
        """Whether it, or one part of it, speaks of an element (SV101, HI01-3) of a loop."""
        if loop not in self.loops.split():
            return False
        segment, (place, _) = _spelled(element)
        for each in [part] if part else self.parts():
            first, _, last = each.partition(" to ")
            name, (start, end) = _spelled(first)
            end = _spelled(last)[1][1] if last else end
            if name == segment and start <= place <= end:
                return True
        return False


def _spelled(element: str) -> tuple[str, tuple[tuple[int, int], tuple[int, int]]]:
    """The segment of an element, and where it begins and ends in it: element and component."""
    found = _ELEMENT.fullmatch(element)
    if found is None:
        raise ValueError(f"{element} is no element")
    if found[2] is None:
        return found[1], _ALL
    number, component = int(found[2]), int(found[3] or 0)
    return found[1], ((number, component), (number, component or 9))


class Rows:
    """Rows, found by segment and qualifier."""

    def __init__(self, *rows: Told) -> None:
        self.rows = rows
        found: dict[str, dict[str, list[Take]]] = {}
        for row in rows:
            for qualifier in row.on or ("",):
                takes = found.setdefault(row.segment, {}).setdefault(qualifier, [])
                if isinstance(row, Row):
                    takes.append(row.take)
        self._takes: dict[str, list[Take]] = {}
        self._qualified: dict[str, dict[str, list[Take]]] = {}
        for segment_id, by in found.items():
            self._takes[segment_id] = by.pop("", [])
            self._qualified[segment_id] = {name: takes for name, takes in by.items() if takes}

    def read(self, segments: Iterable[Segment], draft: Draft) -> None:
        """Read the segments of a loop into a draft."""
        for segment in segments:
            name = segment[0][0]
            takes = self._takes.get(name, ())
            if by := self._qualified.get(name):
                takes = by.get(segment.get(1).upper(), takes)
            for take in takes:
                take(draft, segment)


Read = Callable[[Draft, Segment, int], str | None]


def element(number: int, field: str, read: Read = Draft.code) -> Take:
    """Take an element as what it is read as: a code, if nothing else is said."""
    above, _, name = field.rpartition(".")

    def take(draft: Draft, segment: Segment) -> None:
        if len(segment[0]) > number:
            draft.put(above, name, read(draft, segment, number), segment)

    return take


def first_day(field: str) -> Take:
    """Take a DTP segment as one day: the first of a period."""

    def take(draft: Draft, segment: Segment) -> None:
        span = draft.span(segment, 3, form=2)
        draft.set(field, span.first if span else None, segment)

    return take


def dated(take: Callable[[Draft, Segment, Span], None]) -> Take:
    """Read the days of a DTP segment first: days that cannot be read leave the draft unsure."""

    def read(draft: Draft, segment: Segment) -> None:
        span = draft.span(segment, 3, form=2)
        if span is None:
            draft.is_unsure = True
        else:
            take(draft, segment, span)

    return read


def days(*, first: str = "", last: str = "", end: str = "") -> Take:
    """Take a DTP segment: its first day, its last, and the end of a period (not of one day)."""
    places = [(*name.rpartition("."), at) for at, name in enumerate((first, last, end)) if name]

    @dated
    def take(draft: Draft, segment: Segment, span: Span) -> None:
        found = (span.first, span.last, span.last if span.is_range else "")
        for above, _, name, at in places:
            draft.put(above, name, found[at], segment)

    return take


def period(field: str) -> Take:
    """Take a DTP segment as a period, also of one day (never open-ended)."""

    @dated
    def take(draft: Draft, segment: Segment, span: Span) -> None:
        draft.put("", field, {"from": span.first, "to": span.last}, segment)

    return take


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value}


_RAW_CHARACTERS_MAX = 500


def raw(segment: Segment) -> list[str]:
    """A segment as it stands, for what is kept and not read."""
    return [each.strip()[:_RAW_CHARACTERS_MAX] for each in segment.elements[1:]]


def keep(field: str) -> Take:
    """Keep a segment as it stands under a key of the attached data."""

    def take(draft: Draft, segment: Segment) -> None:
        draft.add(f"attached.{field}", raw(segment))

    return take
