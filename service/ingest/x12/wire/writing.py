"""Writes X12: the envelopes from a receiver back to its sender, and elements as plain text.

Our own separators are always the same. What would be read as one of them is left out of a text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.ingest.x12.wire.results import Group, Interchange

ELEMENT, COMPONENT, REPETITION, TERMINATOR = "*", ":", "^", "~"
_MARKS = frozenset(ELEMENT + COMPONENT + REPETITION + TERMINATOR)
_FALLBACK_QUALIFIER = "ZZ"

Written = Sequence[str | Sequence[str]]
"""A segment that is to be written: its id and elements, a composite element as its components."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNumbers:
    """The numbers of what is written; each set counts on from ``transaction``."""

    interchange: int
    group: int
    transaction: int = 1


class Form(NamedTuple):
    """What an answer is: its functional id (GS01), transaction set (ST01) and guide."""

    functional_id: str
    set_id: str
    guide: str


class Repeated(list[str]):
    """The repetitions of one element."""


def plain(text: str) -> str:
    """Leave out what would be read as a separator, and what is not plain text."""
    if text.isascii() and text.isprintable() and _MARKS.isdisjoint(text):
        return text
    return "".join(
        each if each.isascii() and each.isprintable() and each not in _MARKS else " "
        for each in text
    )


def write_answer(
    received: Interchange,
    numbers: ControlNumbers,
    at: datetime,
    form: Form,
    sets: Sequence[tuple[Group, Sequence[Written]]],
    *,
    before: Sequence[Written] = (),
) -> str:
    """Write an interchange back to the sender of one, with a set for each group that is answered.

    ``before`` stands before the group; without sets there is none.
    """
    segments = [*before]
    if sets:
        segments.append(_gs(sets[0][0], form, numbers.group, at))
        for number, (_, body) in enumerate(sets, start=numbers.transaction):
            segments.append(["ST", form.set_id, f"{number:04d}", form.guide])
            segments += [*body, ["SE", str(len(body) + 2), f"{number:04d}"]]
        segments.append(["GE", str(len(sets)), str(numbers.group)])
    segments.append(["IEA", "1" if sets else "0", f"{numbers.interchange:09d}"])
    lines = [ELEMENT.join(map(_joined, each)).rstrip(ELEMENT) for each in segments]
    lines.insert(0, _isa(received, numbers.interchange, at))
    return "".join(f"{line}{TERMINATOR}\n" for line in lines)


def _isa(received: Interchange, number: int, at: datetime) -> str:
    sender = f"{received.receiver_qualifier or _FALLBACK_QUALIFIER:2}*{plain(received.receiver):15}"
    receiver = f"{received.sender_qualifier or _FALLBACK_QUALIFIER:2}*{plain(received.sender):15}"
    nothing = f"00*{'':10}"
    told = f"{number:09d}*0*{'T' if received.is_test else 'P'}*{COMPONENT}"
    return f"ISA*{nothing}*{nothing}*{sender}*{receiver}*{at:%y%m%d*%H%M}*{REPETITION}*00501*{told}"


def _gs(received: Group, form: Form, number: int, at: datetime) -> Written:
    sender = received.receiver or received.interchange.receiver
    receiver = received.sender or received.interchange.sender
    sent = [f"{at:%Y%m%d}", f"{at:%H%M}", str(number), "X", form.guide]
    return ["GS", form.functional_id, sender, receiver, *sent]


def _joined(element: str | Sequence[str]) -> str:
    """Write an element; of a composite, components that are empty at the end are left out."""
    if isinstance(element, str):
        return plain(element)
    if isinstance(element, Repeated):
        return REPETITION.join(map(plain, element))
    return COMPONENT.join(map(plain, element)).rstrip(COMPONENT)
