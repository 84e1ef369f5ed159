"""Follows the envelopes of a file: interchanges (ISA), groups (GS), transaction sets (ST).

What is missing is taken as ended, and counts that disagree are warnings: one bad transaction set
never stops the rest. The kind of a set is known at its second segment (BHT); its content goes to a
handler of that kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.ingest.x12.wire.elements import made_of
from service.ingest.x12.wire.excerpt import EXCERPT_CHARACTERS_MAX, Envelope, Excerpt
from service.ingest.x12.wire.guide import Guide, identify
from service.ingest.x12.wire.loops import Loop, Walker
from service.ingest.x12.wire.problem import Findings, Problem
from service.ingest.x12.wire.results import (
    Content,
    Group,
    GroupOutcome,
    Interchange,
    InterchangeOutcome,
    Item,
    Transaction,
    TransactionOutcome,
    Unread,
)
from service.ingest.x12.wire.segment import Delimiters, Segment
from service.ingest.x12.wire.structure import UNKNOWN, Structure

Model = TypeVar("Model", bound=BaseModel)


class Handler(ABC):
    """Reads the content of one transaction set, by the loops of its guide.

    ``refusal`` is the rule by which the set is not read after all, whatever its beginning said; one
    that ``may_refuse`` has all that comes kept until then.
    """

    refusal: str | None = None
    may_refuse = False

    def __init__(self, structure: Structure, transaction: Transaction, findings: Findings) -> None:
        self.transaction = transaction
        self.findings = findings
        self.loops = Walker(structure, findings, transaction.segment_index)
        self._is_spoiled = False

    def take(self, segment: Segment) -> Sequence[Content]:
        """Take a segment; give the parts that it completes."""
        closed = self.loops.take(segment)
        return self.completed(closed) if closed else ()

    @abstractmethod
    def completed(self, loops: list[Loop]) -> Sequence[Content]:
        """The parts that are complete with these loops."""

    def spoil(self) -> None:
        """Say that a segment of the part that is open was lost: it is left out."""
        self._is_spoiled = True

    def was_spoiled(self) -> bool:
        """Whether something of the part that ends now was lost; asked once for each part."""
        spoiled, self._is_spoiled = self._is_spoiled or self.loops.overflowed(), False
        return spoiled

    def end(self, *, is_whole: bool) -> Sequence[Content]:
        """End the set; of one that was cut off the part that is still open is left out."""
        self._is_spoiled = self._is_spoiled or not is_whole
        return self.completed(self.loops.end())

    def fitting(
        self, model: type[Model], document: dict[str, Any], loop: str, findings: Findings
    ) -> Model | None:
        """Make the model of a document; None, and findings, where it does not fit."""
        try:
            return model.model_validate(document)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False)[:20]:
                where = ".".join(map(str, each["loc"])) or "the whole"
                findings.add("not-accepted", loop=loop, detail=f"{where}: {each['type']}")
            return None

    def is_unplaced(self, loop: Loop, findings: Findings) -> bool:
        """Whether a part stands under an unknown level, or something of it in one: that is told.

        It may be another person's, or restricted by what is said there.
        """
        if not self.loops.has_unknown_levels:
            return False
        above = loop.above(UNKNOWN)
        within = (each for each in loop.whole() if each.name == UNKNOWN)
        other = above or next((each for each in within if len(each.segments) > 1), None)
        if other is not None:
            findings.add("hl-unread", other.start, 3, loop=other.name)
        return other is not None

    def unread(
        self, loop: Loop, findings: Findings, code: str = "", *, is_complete: bool = True
    ) -> Unread:
        """Say that a part is left out, by which rule, with what came of it."""
        if code:
            findings.add(code, loop.start, loop=loop.name)
        return Unread(
            loop=loop.name,
            problems=tuple(findings.problems),
            transaction=self.transaction,
            excerpt=Excerpt(self.transaction.envelope, loop, is_complete=is_complete),
        )


HandlerOf = Callable[[Transaction, Findings], Handler]
"""Gives the handler of a kind."""


class _OpenSet:
    """A transaction set that is being read; its kind is known at its second segment (BHT).

    ``walker`` is where segments may be given to instead, once that is known; its handler need not
    see them then.
    """

    def __init__(self, segment: Segment, group: Group, handler_of: HandlerOf) -> None:
        self._start = segment
        self._group = group
        self._handler_of = handler_of
        self._handler: Handler | None = None
        self._transaction: Transaction | None = None
        self._findings = Findings(segment.ordinal)
        self.walker: Walker | None = None
        self._last = segment.ordinal
        self._read = 0
        self._unread = 0
        self._told: set[Problem] = set()
        self._refusal: str | None = None
        self._kept: list[Segment] = []
        self._room = EXCERPT_CHARACTERS_MAX
        self._is_cut_off = False

    def take(self, segment: Segment) -> Sequence[Content]:
        """Take a segment that is not of the envelope."""
        self._last = segment.ordinal
        if self._transaction is None:
            self._begin(segment)
        if self._handler is None:
            self._keep(segment)
            return ()
        if self._handler.may_refuse:
            self._keep(segment)
        parts = self._handler.take(segment)
        return self._counted(parts) if parts else ()

    def completed(self, loops: list[Loop]) -> Sequence[Content]:
        """The parts that are complete with these loops."""
        return self._counted(self._handler.completed(loops)) if self._handler else ()

    def note(self, problem: Problem) -> None:
        """Take a problem of the stream: what was lost belonged to the part that is open."""
        self._findings.extend((problem,))
        self._is_cut_off = self._is_cut_off or problem.severity == "error"
        if self._handler is not None and problem.severity == "error":
            self._handler.spoil()

    def end(self, segment: Segment | None, *, is_end: bool) -> Iterator[Content]:
        """End with the SE segment, or without: cut off only where the file ends as well."""
        if self._transaction is None:
            self._begin(self._start)
        if self._handler is not None:
            self._last = max(self._last, self._handler.loops.last)
            is_whole = segment is not None or not is_end
            yield from self._counted(self._handler.end(is_whole=is_whole))
        if segment is None:
            self._is_cut_off = self._is_cut_off or is_end
            self._findings.add("truncated" if is_end else "se-missing")
            return
        self._last = segment.ordinal
        _check_end(segment, self._start.get(2), self._segments(), self._findings)

    def outcome(self) -> TransactionOutcome:
        """Say what became of it."""
        transaction = self._transaction or self._begin(self._start)
        refusal = self._handler.refusal if self._handler is not None else self._refusal
        excerpt = None
        if refusal is not None:
            is_complete = not self._is_cut_off and self._room >= 0
            excerpt = Excerpt(transaction.envelope, self._kept, is_complete=is_complete)
        problems = tuple(self._findings.problems)
        return TransactionOutcome(
            transaction=transaction,
            segments=self._segments(),
            read=self._read,
            unread=self._unread,
            problems=problems,
            own=tuple(each for each in problems if each not in self._told),
            refusal=refusal,
            excerpt=excerpt,
        )

    def _keep(self, segment: Segment) -> None:
        """Keep what is perhaps not read, up to what an excerpt may hold."""
        self._room -= sum(map(len, segment.elements)) + len(segment.elements)
        if self._room >= 0:
            self._kept.append(segment)

    def _segments(self) -> int:
        return self._last - self._start.ordinal + 1

    def _begin(self, second: Segment) -> Transaction:
        """Tell what the set is; its second segment should be BHT."""
        start, group = self._start, self._group
        is_bht = second.elements[0] == "BHT"
        bht = second if is_bht else _NO_BHT
        guide = identify(
            start.get(1), start.get(3), group.version, bht.get(1), bht.get(2), group.functional_id
        )
        for code in guide.problems:
            self._findings.add(code, start)
        refusal = guide.refusal
        if not is_bht and guide.kind != "other":
            self._findings.extend((_missing_bht(start),))
            refusal = "bht-missing" if refusal == "purpose-unknown" else refusal
        self._transaction = transaction = _transaction(start, group, guide, bht)
        if refusal:
            self._refusal = refusal
            if refusal != "bht-missing":
                self._findings.add(refusal, bht if is_bht else start)
        else:
            self._handler = self._handler_of(transaction, self._findings)
            if not self._handler.may_refuse:
                self.walker = self._handler.loops
        return transaction

    def _counted(self, parts: Sequence[Content]) -> Sequence[Content]:
        for part in parts:
            if isinstance(part, Unread):
                self._unread += 1
            else:
                self._read += 1
            if len(self._findings.problems) < Findings.LIMIT:
                self._told.update(part.problems)  # those that come later are not listed
            self._findings.extend(part.problems)
        return parts


def _missing_bht(start: Segment) -> Problem:
    """Say that the second segment of a set is not the one that it must be."""
    return Problem(
        code="bht-missing",
        segment_index=start.ordinal,
        byte_offset=start.offset,
        segment_id="BHT",
        position=2,
    )


_NO_BHT = Segment(("BHT",), 0, 0, Delimiters("", "", "", ""))


def _transaction(start: Segment, group: Group, guide: Guide, bht: Segment) -> Transaction:
    sent = group.interchange
    made_at, order_at = made_of(
        (bht.get(4), bht.get(5)), (group.date, group.time), (sent.date, sent.time)
    )
    return Transaction(
        group=group,
        set_id=start.get(1)[:3],
        control_number=start.get(2)[:20],
        guide_named=start.get(3)[:35],
        guide=guide.name[:35],
        kind=guide.kind,
        reference=bht.get(3)[:200],
        made_at=made_at,
        order_at=order_at,
        purpose=bht.get(6),
        segment_index=start.ordinal,
        is_predetermination=guide.is_predetermination,
        envelope=Envelope(group.interchange.segment, group.segment, start),
    )


def _count_of(text: str) -> int | None:
    """Read a count of an envelope."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _check_end(segment: Segment, control_number: str, count: int, findings: Findings) -> None:
    """Hold what ends an envelope against its beginning and what was counted within it."""
    if segment.get(2).lstrip("0") != control_number.lstrip("0"):
        findings.add(f"{segment.id.lower()}-number", segment, 2)
    if _count_of(segment.get(1)) != count:
        findings.add(f"{segment.id.lower()}-count", segment, 1)


OUTCOMES_MAX = 100_000
"""Beyond so many transaction sets of one group, only their number is kept."""


class Envelopes:
    """Takes the segments of a file in their order; gives what was read of them."""

    def __init__(self, handler_of: HandlerOf) -> None:
        self._handler_of = handler_of
        self._interchange: _OpenInterchange | None = None
        self._group: _OpenGroup | None = None
        self._set: _OpenSet | None = None

    def take_all(self, found: Iterable[Segment | Problem]) -> Iterator[Item]:
        """Take segments and problems in their order."""
        open_ = self._set
        walker = open_.walker if open_ else None
        for each in found:
            if isinstance(each, Problem):
                yield from self.note(each)
            elif open_ is None or walker is None or each[0][0] in _ENVELOPES:
                yield from self.take(each)
                open_ = self._set
                walker = open_.walker if open_ else None
            elif loops := walker.take(each):
                # Most segments go this shorter way: without it a 278 is read a sixth slower.
                yield from open_.completed(loops)

    def take(self, segment: Segment) -> Iterable[Item]:
        """Take a segment."""
        name = segment.elements[0]
        if name in _ENVELOPES:
            return _ENVELOPES[name](self, segment)
        return self._outside(segment) if self._set is None else self._set.take(segment)

    def note(self, problem: Problem) -> Iterator[Item]:
        """Take a problem of the stream; one within a transaction set is of that set."""
        if self._set is not None:
            self._set.note(problem)
        elif self._interchange is not None and problem.code != "noise":
            self._interchange.findings.extend((problem,))
        else:
            yield problem

    def end(self) -> Iterator[Item]:
        """End the file."""
        yield from self._end_interchange(None, is_end=True)

    def _isa(self, segment: Segment) -> Iterator[Item]:
        # A set that is open when another interchange begins was cut off, as at the end of a file.
        yield from self._end_interchange(None, is_end=True)
        self._interchange = _OpenInterchange(_interchange(segment))

    def _gs(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_group(None)
        self._open_group(segment)

    def _st(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_set(None)
        group = self._group
        if group is None:
            group = self._open_group(None)
            group.findings.add("gs-missing", segment)
        self._set = _OpenSet(segment, group.group, self._handler_of)

    def _se(self, segment: Segment) -> Iterator[Item]:
        if self._set is None:
            yield from self._outside(segment)
        else:
            yield from self._end_set(segment)

    def _outside(self, segment: Segment) -> Iterator[Item]:
        """Pass over what stands between the envelopes; a TA1 may."""
        if segment.elements[0] in ("TA1", "ISB", "ISE"):
            return
        findings = self._opened().findings
        if not findings.has("outside"):
            findings.add("outside", segment)
        yield from ()

    def _opened(self) -> "_OpenInterchange":
        """The interchange that is open; one without ISA begins here where none is."""
        if self._interchange is None:
            self._interchange = _OpenInterchange(Interchange())
        return self._interchange

    def _open_group(self, segment: Segment | None) -> "_OpenGroup":
        interchange = self._opened().interchange
        group = _group(segment, interchange) if segment else Group(interchange=interchange)
        self._group = _OpenGroup(group)
        return self._group

    def _end_interchange(self, segment: Segment | None, *, is_end: bool = False) -> Iterator[Item]:
        yield from self._end_group(None, is_end=is_end)
        open_, self._interchange = self._interchange, None
        if open_ is None:
            return
        if segment is None:
            if open_.interchange.control_number:
                open_.findings.add("iea-missing")
        else:
            number = open_.interchange.control_number
            _check_end(segment, number, len(open_.groups), open_.findings)
        yield InterchangeOutcome(
            interchange=open_.interchange,
            groups=tuple(open_.groups),
            problems=tuple(open_.findings.problems),
        )

    def _end_group(self, segment: Segment | None, *, is_end: bool = False) -> Iterator[Item]:
        yield from self._end_set(None, is_end=is_end)
        open_, self._group = self._group, None
        if open_ is None:
            if segment is not None:
                yield from self._outside(segment)
            return
        if segment is None:
            open_.findings.add("ge-missing")
        else:
            _check_end(segment, open_.group.control_number, open_.count, open_.findings)
        outcome = GroupOutcome(
            group=open_.group,
            declared=_count_of(segment.get(1)) if segment else None,
            transactions=tuple(open_.outcomes),
            problems=tuple(open_.findings.problems),
        )
        if self._interchange is not None:
            self._interchange.groups.append(outcome)
        yield outcome

    def _end_set(self, segment: Segment | None, *, is_end: bool = False) -> Iterator[Item]:
        open_, self._set = self._set, None
        if open_ is None:
            return
        yield from open_.end(segment, is_end=is_end)
        outcome = open_.outcome()
        if self._group is not None:
            self._group.count += 1
            if len(self._group.outcomes) < OUTCOMES_MAX:
                self._group.outcomes.append(outcome)
        yield outcome


_ENVELOPES: dict[str, Callable[[Envelopes, Segment], Iterator[Item]]] = {
    "ISA": Envelopes._isa,
    "IEA": Envelopes._end_interchange,
    "GS": Envelopes._gs,
    "GE": Envelopes._end_group,
    "ST": Envelopes._st,
    "SE": Envelopes._se,
}


class _OpenInterchange:
    def __init__(self, interchange: Interchange) -> None:
        self.interchange = interchange
        self.groups: list[GroupOutcome] = []
        self.findings = Findings()


class _OpenGroup:
    def __init__(self, group: Group) -> None:
        self.group = group
        self.outcomes: list[TransactionOutcome] = []
        self.count = 0
        self.findings = Findings()


def _interchange(segment: Segment) -> Interchange:
    return Interchange(
        sender_qualifier=segment.get(5)[:2],
        sender=segment.get(6)[:15],
        receiver_qualifier=segment.get(7)[:2],
        receiver=segment.get(8)[:15],
        date=segment.get(9)[:8],
        time=segment.get(10)[:8],
        control_number=segment.get(13)[:9],
        wants_acknowledgement=segment.get(14) == "1",
        is_test=segment.get(15).upper() == "T",
        segment_index=segment.ordinal,
        byte_offset=segment.offset,
        segment=segment,
    )


def _group(segment: Segment, interchange: Interchange) -> Group:
    return Group(
        interchange=interchange,
        functional_id=segment.get(1)[:2],
        sender=segment.get(2)[:15],
        receiver=segment.get(3)[:15],
        date=segment.get(4)[:8],
        time=segment.get(5)[:8],
        control_number=segment.get(6)[:9],
        version=segment.get(8)[:12],
        segment=segment,
    )
