"""Writes X12: the envelopes from a receiver back to its sender, and elements as plain text.

Our own separators are always the same. What would be read as one of them is left out of a text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

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


class Repeated(list[str]):
    """The repetitions of one element."""


def write(segments: Iterable[Written]) -> str:
    """Write segments, each on a line of its own; empty elements at the end are left out."""
    return "".join(ELEMENT.join(_trimmed(each)) + TERMINATOR + "\n" for each in segments)


def plain(text: str) -> str:
    """Leave out what would be read as a separator, and what is not plain text."""
    if text.isascii() and text.isprintable() and _MARKS.isdisjoint(text):
        return text
    return "".join(
        each if each.isascii() and each.isprintable() and each not in _MARKS else " "
        for each in text
    )


def isa(received: Interchange, number: int, at: datetime) -> list[str]:
    """Write the ISA of an answer to an interchange."""
    return [
        "ISA",
        "00",
        " " * 10,
        "00",
        " " * 10,
        (received.receiver_qualifier or _FALLBACK_QUALIFIER).ljust(2),
        plain(received.receiver).ljust(15),
        (received.sender_qualifier or _FALLBACK_QUALIFIER).ljust(2),
        plain(received.sender).ljust(15),
        f"{at:%y%m%d}",
        f"{at:%H%M}",
        REPETITION,
        "00501",
        f"{number:09d}",
        "0",
        "T" if received.is_test else "P",
        COMPONENT,
    ]


def gs(received: Group, functional_id: str, guide: str, number: int, at: datetime) -> list[str]:
    """Write the GS of an answer to a group."""
    return [
        "GS",
        functional_id,
        received.receiver or plain(received.interchange.receiver),
        received.sender or plain(received.interchange.sender),
        f"{at:%Y%m%d}",
        f"{at:%H%M}",
        str(number),
        "X",
        guide,
    ]


def _trimmed(elements: Written) -> list[str]:
    if elements[0] == "ISA":
        return [each for each in elements if isinstance(each, str)]
    cut = [_joined(each) for each in elements]
    while cut and not cut[-1]:
        cut.pop()
    return cut


def _joined(element: str | Sequence[str]) -> str:
    """Write an element; of a composite, components that are empty at the end are left out."""
    if isinstance(element, str):
        return plain(element)
    if isinstance(element, Repeated):
        return REPETITION.join(map(plain, element))
    return COMPONENT.join(map(plain, element)).rstrip(COMPONENT)
