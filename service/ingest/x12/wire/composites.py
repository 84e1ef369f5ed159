"""Tells by which character the composite elements of a message are cut: ISA16 may name another one.

Some senders write a body whose composites (``11>B>1``, ``HC>97110``) are not cut by the separator
that their ISA names. Then no component can be told from the next: the code would be one that cannot
exist, and a void would be read as an original. So the qualifier with which a composite begins is
looked at: where all of an event or claim, and of its transaction set before it, go on with one and
the same character, that is the separator. Never is it guessed for one element alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment

_MARK = "([^A-Za-z0-9 ])"
_FACILITY = re.compile(f" *[A-Za-z0-9]{{1,2}}{_MARK}").match
_SERVICE = re.compile(f" *[A-Za-z0-9]{{2}}{_MARK}").match
_HEALTH = re.compile(f" *[A-Za-z]{{2,3}}{_MARK}").match

_COMPOSITES: Mapping[str, tuple[Callable[[str], re.Match[str] | None], int, int]] = {
    "CLM": (_FACILITY, 5, 5),
    "UM": (_FACILITY, 4, 4),
    "SV1": (_SERVICE, 1, 1),
    "SV2": (_SERVICE, 2, 2),
    "SV3": (_SERVICE, 1, 1),
    "HI": (_HEALTH, 1, 12),
}
"""The composites that begin with a qualifier: its form, the first and the last such element."""


class Composites:
    """The separator of the composites of one transaction set, once one of its units has told it."""

    def __init__(self) -> None:
        self._used = ""

    def settle(self, unit: Loop, findings: Findings) -> bool:
        """Cut the composites of a unit as its set does; False where they do not agree on it."""
        first: Segment | None = None
        for mark, segment, element in _marks(unit):
            self._used = self._used or mark
            if mark != self._used:
                findings.add("separator-unclear", segment, element, loop=unit.name)
                return False
            if first is None and mark != segment.delimiters.component:
                first = segment
                findings.add("separator-other", segment, element, loop=unit.name)
        if first is not None:
            marks = first.delimiters._replace(component=self._used)
            if marks.repetition == self._used:
                marks = marks._replace(repetition="")
            for loop in unit.whole():
                loop.segments = [each._replace(delimiters=marks) for each in loop.segments]
        return True


def _marks(unit: Loop) -> Iterator[tuple[str, Segment, int]]:
    """What follows the qualifier of each composite, and where it stands."""
    for loop in unit.whole():
        for segment in loop.segments:
            elements = segment[0]
            if elements[0] not in _COMPOSITES:
                continue
            shape, first, last = _COMPOSITES[elements[0]]
            for element, text in enumerate(elements[first : last + 1], start=first):
                found = shape(text)
                if found:
                    yield found[1], segment, element
