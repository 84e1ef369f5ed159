"""Diagnoses and the group of a stay (HI), as all guides write them."""

from dataclasses import dataclass, field

from service.domain.codes import bare
from service.ingest.x12.wire.elements import Elements
from service.ingest.x12.wire.segment import Segment, components

_BILLED = frozenset({"ABK", "BK", "ABF", "BF"})
"""Principal and other diagnoses: what a service line points to, in their order."""

_FURTHER = frozenset({"ABJ", "BJ", "APR", "PR"})
"""Diagnosis at admission, and the patient's reason for the visit."""

_READ = _BILLED | _FURTHER | {"DR"}
_ITEMS_MAX = 12


@dataclass(slots=True)
class Diagnoses:
    """What the HI segments of a loop say; ``others`` are kept as they stand."""

    billed: list[dict[str, str]] = field(default_factory=list)
    further: list[dict[str, str]] = field(default_factory=list)
    drg: str | None = None
    others: list[list[str]] = field(default_factory=list)

    @property
    def all(self) -> list[dict[str, str]]:
        """All diagnoses, those first to which a line may point."""
        if not self.further:
            return list(self.billed)
        known = {bare(each["code"]) for each in self.billed}
        return [*self.billed, *(each for each in self.further if bare(each["code"]) not in known)]

    def take(self, elements: Elements, segment: Segment) -> None:
        """Read one HI segment: up to twelve composites of a qualifier and a code."""
        marks = segment.delimiters
        for number, text in enumerate(segment.elements[1 : _ITEMS_MAX + 1], start=1):
            if marks.repetition and marks.repetition in text:
                for repeated in segment.repeats(number):
                    self._item(elements, segment, number, components(repeated, marks))
            elif text.strip(" "):
                self._item(elements, segment, number, components(text.strip(" "), marks))

    def _item(self, elements: Elements, segment: Segment, number: int, parts: list[str]) -> None:
        qualifier = parts[0].upper()
        if qualifier not in _READ:
            self.others.append([each[:30] for each in parts])
            return
        code = elements.as_code(parts[1] if len(parts) > 1 else "", segment, number, 2)
        if code is None:
            elements.note("element-missing", segment, number, 2)
        elif qualifier == "DR":
            self.drg = self.drg or code
        else:
            into = self.billed if qualifier in _BILLED else self.further
            into.append({"code": code, "type": qualifier})
