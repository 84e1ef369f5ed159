"""The ISA segment: it says by which characters the rest of the interchange is cut.

By the standard it is 106 characters long, and the separators stand at fixed places. Many files have
it shorter (blanks collapsed) or wrapped, so its separators are counted where the places do not fit.
"""

import re
from dataclasses import dataclass

from service.ingest.x12.wire.segment import Delimiters

HEAD_CHARACTERS = 1024
"""An ISA segment, and what follows it, is looked for within so many characters."""

BLANK = " \t\r\n\0\x1a\ufeff"
"""What may stand between segments and between interchanges."""

_SEPARATOR_PLACES = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_COMPONENT_PLACE = 104
_TERMINATOR_PLACE = 105
ISA_CHARACTERS = 106
_REPETITION_ELEMENT = 11
_ELEMENTS = 16
_ELEMENTS_MIN = 11
_TAIL_CHARACTERS = 16
_BREAKS_AND_BLANKS = " \t\r\n"
"""Not ``isspace``: that holds the control characters which may be separators."""
_NEXT = r"(?:GS|TA1|ISB|ISE|IEA|ST|ISA)"


@dataclass(frozen=True, slots=True)
class Header:
    """An ISA segment that was read: its separators, how long it is, whether it was complete."""

    delimiters: Delimiters
    elements: tuple[str, ...]
    length: int
    is_complete: bool = True


def is_start(text: str, at: int) -> bool:
    """Whether an ISA segment may begin here: ISA and a separator."""
    separator = text[at + 3 : at + 4]
    return text.startswith("ISA", at) and bool(separator) and _may_separate(separator)


def find_start(text: str, *, is_first: bool) -> int:
    """Find where an interchange begins, below 0 if nowhere; a file may begin with GS or ST too."""
    place = text.find("ISA")
    while place >= 0 and not is_start(text, place):
        place = text.find("ISA", place + 1)
    if is_first:
        begun = len(text) - len(text.lstrip(BLANK))
        if re.compile(r"(?:GS|ST)[^A-Za-z0-9 \t\r\n]").match(text, begun):
            return begun
    return place


def find_inner(text: str) -> int:
    """Find an ISA within another segment, below 0 if none: a file was cut off before it."""
    place = text.find("ISA", 1) if len(text) > _COMPONENT_PLACE else -1
    while place >= 0:
        head = text[place : place + _COMPONENT_PLACE]
        if len(head) == _COMPONENT_PLACE and is_start(head, 0) and _has_places(head):
            return place
        place = text.find("ISA", place + 1)
    return -1


def _has_places(head: str) -> bool:
    return all(head[place] == head[3] for place in _SEPARATOR_PLACES)


def read_header(head: str) -> Header | None:
    """Read the ISA segment at the start of a text; None where its separators cannot be told."""
    if len(head) < 4 or not _may_separate(head[3]):
        return None
    return _by_place(head) or _by_count(head) or _shorter(head)


def guess_header(head: str) -> Header | None:
    """Take the usual separators for a file that begins with GS or ST instead of ISA."""
    start = re.match(r"(?:GS|ST)([^A-Za-z0-9 \t\r\n])", head)
    if start is None:
        return None
    delimiters = _checked(start[1], ":", "^", "~" if "~" in head else "\n")
    return delimiters and Header(delimiters, (), 0, is_complete=False)


def _may_separate(character: str) -> bool:
    return not character.isalnum() and character not in "\r\n "


def _by_place(head: str) -> Header | None:
    if len(head) <= _TERMINATOR_PLACE or not _has_places(head):
        return None
    component, terminator = head[_COMPONENT_PLACE], head[_TERMINATOR_PLACE]
    if component in _BREAKS_AND_BLANKS or terminator == " " or "\n" in head[:_COMPONENT_PLACE]:
        return None
    if terminator in "\r\n" and _ends_with(component, head[_TERMINATOR_PLACE:]):
        return None  # ISA16 is missing, and a line break follows the terminator
    return _header(head, _COMPONENT_PLACE, component, _TERMINATOR_PLACE)


def _by_count(head: str) -> Header | None:
    """Find the end of the ISA by counting its sixteen separators."""
    separator = head[3]
    places = [place for place, character in enumerate(head) if character == separator]
    if len(places) < _ELEMENTS:
        return None
    start = places[_ELEMENTS - 1] + 1
    mark = re.escape(separator)
    if re.search(rf"[^A-Za-z0-9{mark}]{_NEXT}{mark}", head[3:start]):
        return None  # the separators of the next segment were counted too
    following = re.compile(rf"{_NEXT}{mark}").search(head, start)
    end = following.start() if following else min(len(head), start + _TAIL_CHARACTERS)
    marks = [place for place in range(start, end) if head[place] not in _BREAKS_AND_BLANKS]
    breaks = [place for place in range(start, end) if head[place] in "\r\n"]
    if len(marks) >= 2:
        return _header(head, start, head[marks[0]], marks[1])
    if not marks:
        return _header(head, start, "", breaks[0]) if breaks else None
    mark = head[marks[0]]
    if breaks and breaks[-1] > marks[0] and not _ends_with(mark, head[marks[0] + 1 :]):
        return _header(head, start, mark, next(each for each in breaks if each > marks[0]))
    if following is None:
        return _header(head, start, mark, len(head))
    return _header(head, start, "", marks[0])


def _shorter(head: str) -> Header | None:
    """Read an ISA with less than sixteen elements: it ends before the next segment."""
    separator = re.escape(head[3])
    before = rf"(?:([^ \t\r\nA-Za-z0-9{separator}])[ \t\r\n]*|[ \t]*([\r\n])[ \t\r\n]*)"
    found = re.compile(rf"{before}(?:GS|ST|TA1){separator}").search(head, 4)
    if found is None or head.count(head[3], 0, found.start()) < _ELEMENTS_MIN:
        return None
    end = found.start(1) if found[1] else found.start(2)
    mark = head[end - 1]
    component = mark if _may_separate(mark) and mark != head[3] else ""
    read = _header(head, end - len(component), component, end)
    return read and Header(read.delimiters, read.elements, read.length, is_complete=False)


def _ends_with(mark: str, rest: str) -> bool:
    """Whether the next line ends with a mark: then the mark, and not the line, ends a segment."""
    lines = rest.replace("\r", "\n").split("\n")
    line = next((each.strip(" \t") for each in lines if each.strip(" \t")), "")
    return line.endswith(mark)


def _header(head: str, start: int, component: str, end: int) -> Header | None:
    """Make the header: ISA16 is at ``start``, the terminator at ``end``."""
    terminator = head[end : end + 1] or "\n"
    if terminator == "\r" and head[end + 1 : end + 2] == "\n":
        terminator, end = "\n", end + 1
    text = re.sub(r"[\r\n]+[ \t]*", "", head[:start]).removesuffix(head[3])
    elements = (*text.split(head[3]), component)
    repetition = elements[_REPETITION_ELEMENT].strip(" \t") if len(elements) > _ELEMENTS_MIN else ""
    if len(repetition) != 1 or not _may_separate(repetition):
        repetition = ""  # release 4010 has U here, and no repetitions
    if repetition in (head[3], component, terminator):
        repetition = ""
    delimiters = _checked(head[3], component, repetition, terminator)
    return delimiters and Header(delimiters, elements, end + 1)


def _checked(element: str, component: str, repetition: str, terminator: str) -> Delimiters | None:
    marks = [mark for mark in (element, component, repetition, terminator) if mark]
    if len(set(marks)) < len(marks) or any(mark.isalnum() for mark in marks):
        return None
    if terminator in (" ", "\t"):
        return None
    return Delimiters(element, component, repetition, terminator)
