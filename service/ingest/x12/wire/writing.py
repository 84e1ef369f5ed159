"""Writes X12: the envelopes from a receiver back to its sender, and elements as plain text.

Our own separators are always the same. What would be read as one of them is left out of a text.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.ingest.x12.wire.results import Group, Interchange

ELEMENT, COMPONENT, REPETITION, TERMINATOR = "*", ":", "^", "~"
_MARKS = frozenset(ELEMENT + COMPONENT + REPETITION + TERMINATOR)
_FALLBACK_QUALIFIER = "ZZ"
_PLAIN = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o"}
    | {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH", "þ": "th"}
    | dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | {"\u0131": "i"}
)
"""What has no plain letter below it: of Latin letters another spelling, of marks their like."""

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
    """Leave out what would be read as a separator, and write all else as plain text.

    Letters of other languages are in X12's extended set, which partners must agree on: here they
    are the letter below the accent, as members are enrolled. What has no plain letter is a blank.

    >>> plain("MÜLLER-Ångström, Åse*Łoś")
    'MULLER-Angstrom, Ase Los'
    """
    if text.isascii() and text.isprintable() and _MARKS.isdisjoint(text):
        return text
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
        text = "".join(each for each in apart if not unicodedata.combining(each))
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
