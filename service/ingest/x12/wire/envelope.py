"""Follows the envelopes of a file: interchanges (ISA), groups (GS), transaction sets (ST).

What is missing is taken as ended, and counts that disagree are warnings: one bad transaction set
never stops the rest. The content of a transaction set goes to a handler of its kind.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

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
from service.ingest.x12.wire.transaction_set import HandlerOf, OpenSet, count_of, differ

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
        """Take segments and problems in their order.

        Most segments only stand in the loop that is open: the shortest way is for them.
        """
        walker = self._set.walker if self._set is not None else None
        for each in found:
            if each.__class__ is not Segment:
                yield from self.note(cast(Problem, each))
            else:
                name = each[0][0]
                if walker is not None:
                    if name in walker.quiet and each[1] <= walker.limit:
                        walker.append(each)
                        continue
                    if name not in _ENVELOPES:
                        loops = walker.take(each)
                        if loops and self._set is not None:
                            yield from self._set.completed(loops)
                        continue
                yield from self.take(each)
            walker = self._set.walker if self._set is not None else None

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

    def _iea(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_interchange(segment)

    def _gs(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_group(None)
        self._open_group(segment)

    def _ge(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_group(segment)

    def _st(self, segment: Segment) -> Iterator[Item]:
        yield from self._end_set(None)
        if self._group is None:
            self._open_group(None).findings.add("gs-missing", segment)
        if self._group is not None:
            self._set = OpenSet(segment, self._group.group, self._handler_of)

    def _se(self, segment: Segment) -> Iterator[Item]:
        if self._set is None:
            yield from self._outside(segment)
        else:
            yield from self._end_set(segment)

    def _outside(self, segment: Segment) -> Iterator[Item]:
        """Pass over what stands between the envelopes; a TA1 may."""
        if segment.elements[0] in ("TA1", "ISB", "ISE"):
            return
        if self._interchange is None:
            self._interchange = _OpenInterchange(Interchange())
        if not self._interchange.findings.has("outside"):
            self._interchange.findings.add("outside", segment)
        yield from ()

    def _open_group(self, segment: Segment | None) -> "_OpenGroup":
        if self._interchange is None:
            self._interchange = _OpenInterchange(Interchange())
        interchange = self._interchange.interchange
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
            if differ(segment.get(2), open_.interchange.control_number):
                open_.findings.add("iea-number", segment, 2)
            if count_of(segment.get(1)) != len(open_.groups):
                open_.findings.add("iea-count", segment, 1)
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
            if differ(segment.get(2), open_.group.control_number):
                open_.findings.add("ge-number", segment, 2)
            if count_of(segment.get(1)) != open_.count:
                open_.findings.add("ge-count", segment, 1)
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
    "IEA": Envelopes._iea,
    "GS": Envelopes._gs,
    "GE": Envelopes._ge,
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
