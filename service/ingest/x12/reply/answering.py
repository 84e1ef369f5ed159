"""Answers a 278 inquiry (005010X215, BHT02 28) with the authorizations that were found for it.

The answer goes from the receiver of the inquiry to its sender. It has the levels of the inquiry
with their parties, its trace numbers (TRN01 2), and an event for each authorization. No clock and
no counter here: the numbers and the time are given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.authorization import Authorization, AuthorizationLine
from service.ingest.x12.reply.written_event import written_event, written_service
from service.ingest.x12.wire.results import InquiryRead, Level
from service.ingest.x12.wire.segment import components
from service.ingest.x12.wire.writing import ControlNumbers, Form, Written, write_answer

_FORM = Form("HI", "278", "005010X215")
_CORRECT_AND_RESUBMIT = "C"

_NOT_FOUND = "AA"
"""Reject reason (element 901) AA: no such authorization. The member is known, and was looked up."""

_SUBSCRIBER_UNKNOWN, _PATIENT_UNKNOWN = "75", "67"
"""Reject reasons of whom we do not know: said at the level of that person, not of the event."""

_ORDER = ("20", "21", "22", "23")
_PATIENTS = frozenset({"22", "23"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An inquiry with what was found for it; a member who is not known has nothing."""

    inquiry: InquiryRead
    found: Sequence[Authorization] = ()
    is_member_known: bool = True


def answer(answers: Sequence[Answer], numbers: ControlNumbers, at: datetime) -> str:
    """Write one interchange with an answer to each of some inquiries of one sender."""
    sets = [(each.inquiry.transaction.group, list(_set(each, at))) for each in answers]
    return write_answer(sets[0][0].interchange, numbers, at, _FORM, sets)


def _set(answer: Answer, at: datetime) -> Iterator[Written]:
    inquiry = answer.inquiry
    reference = inquiry.transaction.reference
    yield ["BHT", "0007", "11", reference, f"{at:%Y%m%d}", f"{at:%H%M%S}", "18"]
    levels = _Levels()
    asked = sorted((each for each in inquiry.levels if each.kind in _ORDER), key=_rank)
    person = next((each.kind for each in reversed(asked) if each.kind in _PATIENTS), None)
    for each in asked:
        is_last = each is asked[-1]
        has_more = not is_last or (answer.is_member_known or person is None)
        yield levels.open(each.kind, has_more=has_more)
        yield from _parties(each)
        if not answer.is_member_known and each.kind == person:
            code = _PATIENT_UNKNOWN if person == "23" else _SUBSCRIBER_UNKNOWN
            yield ["AAA", "N", "", code, _CORRECT_AND_RESUBMIT]
    if answer.is_member_known or person is None:
        yield from _events(answer, levels)


def _events(answer: Answer, levels: "_Levels") -> Iterator[Written]:
    traces = [["TRN", "2", number, originator] for number, originator in answer.inquiry.traces]
    if not answer.found:
        yield levels.open("EV", has_more=False)
        yield from traces
        yield ["AAA", "N", "", _NOT_FOUND, _CORRECT_AND_RESUBMIT]
    for each in answer.found:
        lines = [line for line in each.lines if line.removed_on is None and not _is_group(line)]
        yield levels.open("EV", has_more=bool(lines))
        yield from traces
        yield from written_event(each)
        for line in lines:
            yield levels.open("SS", has_more=False)
            yield from written_service(each, line)


def _is_group(line: AuthorizationLine) -> bool:
    """Whether a line is scoped by a group of codes: written without it, it would grant all."""
    return line.procedure is not None and line.procedure.group is not None


class _Levels:
    """Numbers the HL segments, each under the last one that is higher."""

    def __init__(self) -> None:
        self._count = 0
        self._above: list[tuple[int, int]] = []

    def open(self, kind: str, *, has_more: bool) -> Written:
        rank = (*_ORDER, "EV", "SS").index(kind)
        self._count += 1
        while self._above and self._above[-1][0] >= rank:
            self._above.pop()
        parent = str(self._above[-1][1]) if self._above else ""
        self._above.append((rank, self._count))
        return ["HL", str(self._count), parent, kind, "1" if has_more else "0"]


def _rank(level: Level) -> int:
    return _ORDER.index(level.kind)


def _parties(level: Level) -> Iterator[Written]:
    for segment in level.parties:
        places = range(1, len(segment.elements))
        yield [segment.id, *(components(segment.get(n), segment.delimiters) for n in places)]
