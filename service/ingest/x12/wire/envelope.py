"""Follows the envelopes of a file: interchanges (ISA), groups (GS), transaction sets (ST).

What is missing is taken as ended, and counts that disagree are warnings: one bad transaction set
never stops the rest. The content of a transaction set goes to a handler of its kind.
"""

from collections.abc import Callable, Iterable, Iterator

from service.ingest.x12.wire.problem import Findings, Problem
from service.ingest.x12.wire.results import (
    Group,
    GroupOutcome,
    Interchange,
    InterchangeOutcome,
    Item,
    TransactionOutcome,
)
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.transaction_set import HandlerOf, OpenSet, check_end, count_of

OUTCOMES_MAX = 100_000
"""Beyond so many transaction sets of one group, only their number is kept."""


class Envelopes:
    """Takes the segments of a file in their order; gives what was read of them."""

    def __init__(self, handler_of: HandlerOf) -> None:
        self._handler_of = handler_of
        self._interchange: _OpenInterchange | None = None
        self._group: _OpenGroup | None = None
        self._set: OpenSet | None = None

    def take_all(self, found: Iterable[Segment | Problem]) -> Iterator[Item]:
        """Take segments and problems in their order."""
        for each in found:
            if isinstance(each, Problem):
                yield from self.note(each)
            elif self._set is None or self._set.walker is None or each[0][0] in _ENVELOPES:
                yield from self.take(each)
            elif loops := self._set.walker.take(each):
                # Most segments go this shorter way: without it a 278 is read a sixth slower.
                yield from self._set.completed(loops)

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
        self._set = OpenSet(segment, group.group, self._handler_of)

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
            check_end(segment, number, len(open_.groups), open_.findings)
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
            check_end(segment, open_.group.control_number, open_.count, open_.findings)
        outcome = GroupOutcome(
            group=open_.group,
            declared=count_of(segment.get(1)) if segment else None,
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
