"""What is wrong with a message, as values: where it is, which rule it breaks, never what it says.

A message may hold names, ids and diagnoses. So a problem has a place and a fixed text, and nothing
of the message itself but the ids of its segments and the numbers of its elements.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.ingest.x12.wire.rules import RULES, Rule, Severity
from service.ingest.x12.wire.segment import Segment

_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where: no word of the message itself.

    ``segment_index`` counts the segments of the file from 1, ``position`` those of the transaction
    set (ST is 1), ``byte_offset`` is that of the segment's first byte.
    """

    code: str
    segment_index: int = 0
    byte_offset: int = 0
    segment_id: str = ""
    position: int = 0
    loop: str = ""
    element: int | None = None
    component: int | None = None
    detail: str = ""

    @property
    def rule(self) -> Rule:
        """The rule that was broken."""
        return RULES[self.code]

    @property
    def severity(self) -> Severity:
        """Whether something was left out because of it."""
        return self.rule.severity

    @property
    def message(self) -> str:
        """The rule as a sentence."""
        return f"{self.rule.text} ({self.detail})" if self.detail else self.rule.text

    def as_json(self) -> dict[str, object]:
        """Give all of it, ready to be written as JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "segment": self.segment_id or None,
            "segment_index": self.segment_index,
            "byte_offset": self.byte_offset,
            "position": self.position or None,
            "loop": self.loop or None,
            "element": self.element,
            "component": self.component,
            "ik3": self.rule.ik3 or None,
            "ik4": self.rule.ik4 or None,
        }


class Findings:
    """Collects the problems of one transaction set, event or claim, up to a number."""

    __slots__ = ("_more", "_start", "problems")

    LIMIT = 100

    def __init__(self, start_index: int = 0) -> None:
        """Take the index of the ST segment, from which positions are counted."""
        self.problems: list[Problem] = []
        self._start = start_index
        self._more = False

    def add(
        self,
        code: str,
        segment: Segment | None = None,
        element: int | None = None,
        *,
        loop: str = "",
        component: int | None = None,
        detail: str = "",
    ) -> None:
        """Note that a segment, or what it belongs to, breaks a rule."""
        if segment is None:
            self.extend((Problem(code=code, loop=loop, detail=detail),))
            return
        self._append(
            Problem(
                code=code,
                segment_index=segment.ordinal,
                byte_offset=segment.offset,
                segment_id=segment_name(segment.id),
                position=segment.ordinal - self._start + 1 if self._start else 0,
                loop=loop,
                element=element,
                component=component,
                detail=detail,
            )
        )

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take problems that were found elsewhere."""
        for each in problems:
            self._append(each)

    def _append(self, problem: Problem) -> None:
        if len(self.problems) < self.LIMIT:
            self.problems.append(problem)
        elif not self._more:
            self._more = True
            self.problems.append(Problem(code="too-many-problems"))

    def has(self, *codes: str) -> bool:
        """Whether one of these rules was broken."""
        return any(each.code in codes for each in self.problems)


def segment_name(text: str) -> str:
    """Give the id of a segment, or nothing where it is not one: it may be a piece of a name."""
    return text if _SEGMENT_ID.fullmatch(text) else ""
