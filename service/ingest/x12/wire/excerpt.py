"""One event or claim of a file as X12 again: alone, with all that it stands under.

What cannot be taken is kept as it came, and must be read again by itself later: so an excerpt has
the envelopes of its file, the levels above it with their parties, and nothing of its siblings. The
separators are those of the interchange, the counts are those of the excerpt. Nothing is written
before it is asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from operator import attrgetter

from service.ingest.x12.wire._header import read_header
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.reading import segments
from service.ingest.x12.wire.segment import Delimiters, Segment

EXCERPT_CHARACTERS_MAX = 1_000_000
"""Of what is longer only the beginning is kept."""

_REPEATED = "AUTHMATCH-REPEATED-"
_REPETITION = 11
_ISA_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The segments that open interchange, group and set; None for one that is missing."""

    isa: Segment | None
    gs: Segment | None
    st: Segment


@dataclass(eq=False)
class Excerpt:
    """What is needed to write one unit of a file, or all of a transaction set, as X12 again.

    One that lost a segment is not complete. ``repeat`` counts the events of its set that have its
    number, where it is not the first.
    """

    envelope: Envelope | None
    unit: Loop | Sequence[Segment]
    _: KW_ONLY
    is_complete: bool = True
    repeat: int = 0

    @property
    def text(self) -> str:
        """The excerpt as X12. One that is not whole has no end, so that it is never read whole."""
        return self._written[0]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is in the text, so that it can be read again."""
        return self._written[1]

    @property
    def start(self) -> Segment | None:
        """The first segment of the unit, which knows its place in the file."""
        unit = self.unit
        if isinstance(unit, Loop):
            return unit.start
        return self.envelope.st if self.envelope else None

    @cached_property
    def _written(self) -> tuple[str, bool]:
        envelope = self.envelope
        if envelope is None:
            return "", False
        marks = envelope.st.delimiters
        rows: list[tuple[str, ...]] = []
        room = EXCERPT_CHARACTERS_MAX
        body = list(self._body())
        for segment in (envelope.isa, envelope.gs, envelope.st, *body):
            if segment is None:
                continue
            row = _isa(segment) if segment is envelope.isa else segment.elements
            room -= sum(map(len, row)) + len(row)
            if room < 0:
                return _written(rows, marks), False
            rows.append(row)
        if not self.is_complete:
            return _written(rows, marks), False
        text = _written([*rows, *_closing(envelope, len(body))], marks)
        # Some that is broken by chance can be read in another way when it stands alone.
        read = [each.elements for each in segments([text.encode()]) if isinstance(each, Segment)]
        if read[: len(rows)] != rows:
            return _written(rows, marks), False
        return text, True

    def _body(self) -> Iterator[Segment]:
        unit = self.unit
        if not isinstance(unit, Loop):
            yield from unit
            return
        start = unit.start
        found = list(_segments_of(unit))
        for above in unit.ancestors():
            # What stands in a level above, but behind the unit, came when the unit had ended.
            found += [each for each in _segments_of(above) if start and each[1] < start[1]]
        for each in sorted(found, key=attrgetter("ordinal")):
            yield each
            if each is start and self.repeat:
                yield each._replace(elements=("NTE", "ADD", f"{_REPEATED}{self.repeat}"))


def repeat_of(segments: Iterable[Segment]) -> int:
    """Count the events of one number up to this one, where an excerpt says so; else 0."""
    for each in segments:
        told = each.get(2) if each.id == "NTE" else ""
        if told.startswith(_REPEATED):
            count = told.removeprefix(_REPEATED)
            return int(count) if count.isascii() and count.isdigit() and len(count) < 7 else 0
    return 0


def _segments_of(loop: Loop) -> Iterator[Segment]:
    """The segments of a loop and of those within it, however deep."""
    return (segment for each in loop.whole() for segment in each.segments)


def _written(rows: Iterable[Sequence[str]], marks: Delimiters) -> str:
    return "".join([marks.element.join(each) + marks.terminator for each in rows])


def _closing(envelope: Envelope, body: int) -> Iterator[Sequence[str]]:
    yield "SE", str(body + 2), envelope.st.get(2)
    if envelope.gs is not None:
        yield "GE", "1", envelope.gs.get(6)
    if envelope.isa is not None:
        yield "IEA", "1", envelope.isa.get(13)


def _isa(segment: Segment) -> tuple[str, ...]:
    """Write an ISA as it came; where its separators could not be told from that, by its places."""
    marks = segment.delimiters
    head = f"{marks.element.join(segment.elements)}{marks.terminator}GS{marks.element}"
    read = read_header(head)
    if read is not None and (read.delimiters, read.elements) == (marks, segment.elements):
        return segment.elements
    elements = [*segment.elements[:-1], *[""] * len(_ISA_WIDTHS)][: len(_ISA_WIDTHS) - 1]
    elements.append(marks.component or _unused(marks))
    elements[_REPETITION] = marks.repetition or "U"
    padded = zip(elements, _ISA_WIDTHS, strict=True)
    return tuple(each[:width].ljust(width) for each, width in padded)


def _unused(marks: Delimiters) -> str:
    """A component separator for an interchange that has none: one that is no text."""
    return next(each for each in "\x1f\x1e\x1d\x1c" if each not in marks)
