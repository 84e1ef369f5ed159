"""What an X12 file gives: submissions of its authorizations, and its claims one by one."""

import pickle
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from typing import Any

from service.domain.claim import Claim
from service.domain.submission import Notice, Position, Pushed, RefusedRequest, Sent, Submission
from service.ingest.cutting import KEPT_BYTES
from service.ingest.x12._reader import X12Reader, read_async
from service.ingest.x12.claim.numbers import Places, places_of
from service.ingest.x12.fields.policy import WIRE_POLICY, ReadingPolicy
from service.ingest.x12.wire.excerpt import Excerpt
from service.ingest.x12.wire.problem import CONSEQUENCES, Problem
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    GroupOutcome,
    InquiryRead,
    InterchangeOutcome,
    Item,
    Part,
    Refusal,
    TransactionOutcome,
    Unread,
)

OTHER_PAYER = "the message is for another payer"
_NOTED = {
    "278-request": "a request for review: nothing was decided yet",
    "278-acknowledgement": "the answer to a notification: nothing was decided",
    "278-inquiry": "an inquiry: it asks, and is not stored",
}
NOT_WHOLE = frozenset({"se-count", "se-number", "se-missing", "truncated"})
"""What says of a transaction set that some of it may be lost, or is of another."""

LOST = frozenset({"ge-count", "iea-count"})
"""What says the same of a group or an interchange: sets may be lost, those that came are whole."""

_INQUIRIES = "X215"
_NOTHING = "there is no transaction set in it"
_CLAIMS = "claims are no authorizations: they are matched, not stored"

_Part = AuthorizationRead | Unread | Refusal | TransactionOutcome


class X12Submissions:
    """Takes the bytes of a file as they come, and gives a submission for each event.

    What is answered to the sender, an interchange that ended or an inquiry, is a notice.
    ``aliases`` are the payer ids that a message may be for; without any it is not looked at.
    """

    def __init__(
        self,
        policy: ReadingPolicy = WIRE_POLICY,
        aliases: frozenset[str] = frozenset(),
        offset: int = 0,
    ) -> None:
        """Start at the byte ``offset`` of a file, where an interchange begins."""
        self._reader = X12Reader(policy)
        self._aliases = aliases
        self._offset = offset
        self._head = b""
        self._size = 0
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[Sent]:
        """Take a chunk of any size; give what it completes."""
        self._size += len(chunk)
        if len(self._head) < KEPT_BYTES:
            self._head = (self._head + chunk)[:KEPT_BYTES]
        yield from self._given(self._reader.feed(chunk))

    def end(self) -> Iterator[Sent]:
        """Say that nothing follows; give what is left."""
        yield from self._given(self._reader.end())
        if self._number == 0 and self._head.strip():
            yield self._unreadable({}, _NOTHING, ())

    def _given(self, items: Iterable[Item]) -> Iterator[Sent]:
        for item in items:
            submission = self._submission(item)
            if submission is not None:
                self._number += 1
                yield submission
            if isinstance(item, InterchangeOutcome | InquiryRead):
                yield Notice(item)

    def _submission(self, item: Item) -> Submission | None:
        if isinstance(item, AuthorizationRead):
            return self._authorization(item)
        if isinstance(item, Unread):
            is_claim = item.transaction.kind.startswith("837")  # said once, of the whole set
            return None if is_claim else self._rejected(item)
        if isinstance(item, Refusal):
            reasons = f" ({', '.join(item.reasons)})" if item.reasons else ""
            told = f"a refusal to look (AAA){reasons}: nothing was decided"
            return replace(self._noted(item, told), refusal=_refused(item))
        if isinstance(item, TransactionOutcome):
            return self._of_set(item)
        if isinstance(item, InterchangeOutcome | GroupOutcome):
            return self._of_envelope(item.problems, _interchange_of(item))
        return self._of_envelope((item,), {}) if isinstance(item, Problem) else None

    def _authorization(self, item: AuthorizationRead) -> Submission:
        if not is_for(item.payer_id, self._aliases):
            return self._made(item, code="invalid", reason=OTHER_PAYER)
        return self._made(
            item,
            pushed=Pushed(authorization=item.authorization, source=item.document),
            authorization_id=item.authorization.authorization_id,
            version=item.authorization.version,
            warnings=_told(item.problems),
        )

    def _of_set(self, item: TransactionOutcome) -> Submission | None:
        """Say of a set what was not said of its parts."""
        kind = item.transaction.kind
        if kind.startswith("837"):
            return self._noted(item, _CLAIMS)
        if item.read == 0 and item.unread == 0 and item.has_errors:
            return self._rejected(item)
        if kind in _NOTED:
            return self._noted(item, _NOTED[kind])
        worst = next(iter(_only(item.own, NOT_WHOLE) or item.own), None)
        if worst is None:
            return None
        return self._made(item, reason=worst.message, warnings=_told(item.own))

    def _of_envelope(self, problems: Sequence[Problem], position: Position) -> Submission | None:
        """Say what is wrong with the file, an interchange or a group, where something is lost."""
        errors = _errors(problems)
        if errors:
            place = {**position, **self._place(errors[0])}
            return self._unreadable(place, errors[0].message, _told(problems))
        lost = _only(problems, LOST)
        if not lost:
            return None
        return self._submit(
            position={**position, **self._place(lost[0])},
            start=self._offset,
            content=b"",
            content_bytes=0,
            reason=lost[0].message,
            warnings=_told(lost),
        )

    def _unreadable(
        self, position: Position, reason: str, errors: tuple[dict[str, object], ...]
    ) -> Submission:
        """Keep what came, where nothing of it was read: it is the fault."""
        is_all = self._number == 0
        return self._submit(
            position=position,
            start=self._offset,
            content=self._head if is_all else b"",
            content_bytes=self._size if is_all else 0,
            code="unreadable",
            reason=reason,
            errors=errors,
        )

    def _rejected(self, item: Unread | TransactionOutcome) -> Submission:
        cause = _cause_of(item.problems)
        reason = cause.message if cause else "nothing in it can be read"
        is_cut = item.excerpt and not item.excerpt.is_whole
        return self._made(
            item,
            place=cause,
            code="invalid",
            reason=f"{reason}: it is cut off, or too long" if is_cut else reason,
            errors=_told(item.problems),
        )

    def _noted(self, item: _Part, reason: str) -> Submission:
        return self._made(item, reason=reason, warnings=_told(item.problems))

    def _made(
        self,
        item: _Part,
        place: Problem | None = None,
        **fields: Any,
    ) -> Submission:
        interchange = item.transaction.group.interchange
        position = _position(item) | {"segment": item.transaction.segment_index}
        excerpt = None if isinstance(item, Refusal) else item.excerpt
        first = excerpt.start if excerpt else None
        if first is not None:
            position |= {"segment": first.ordinal, "byte": self._offset + first.offset}
        return self._submit(
            position=position | (self._place(place) if place else {}),
            start=self._offset + interchange.byte_offset,
            content=b"",
            content_bytes=0,
            excerpt=partial(_text_of, excerpt) if excerpt else None,
            **fields,
        )

    def _submit(self, **fields: Any) -> Submission:
        return Submission(format="x12", **fields)

    def _place(self, problem: Problem) -> dict[str, int | str]:
        if not problem.segment_index and not problem.byte_offset:
            return {}
        return {"segment": problem.segment_index, "byte": self._offset + problem.byte_offset}


def _refused(item: Refusal) -> RefusedRequest:
    """A message names its request by BHT03 also where the refusal stands above the event."""
    return RefusedRequest(
        traces=(*item.trace_numbers, item.transaction.reference),
        reasons=item.reasons,
        follow_up=item.follow_up,
        is_of_inquiry=item.transaction.guide.endswith(_INQUIRIES),
    )


def is_for(payer_id: str | None, aliases: frozenset[str]) -> bool:
    """Whether a message is for a payer that goes by these names; without names it is not asked."""
    return not aliases or (payer_id or "").strip().casefold() in aliases


def _position(item: Part | TransactionOutcome) -> dict[str, int | str]:
    transaction = item.transaction
    return {
        "interchange": transaction.group.interchange.control_number,
        "transaction": transaction.control_number,
    }


def _interchange_of(item: InterchangeOutcome | GroupOutcome) -> Position:
    of = item.interchange if isinstance(item, InterchangeOutcome) else item.group.interchange
    return {"interchange": of.control_number} if of.control_number else {}


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [each for each in problems if each.severity == "error"]


def _only(problems: Iterable[Problem], codes: frozenset[str]) -> list[Problem]:
    return [each for each in problems if each.code in codes]


def _cause_of(problems: Sequence[Problem]) -> Problem | None:
    """What tells most: not that something was left out, but why.

    Where that is but a warning, it is the last that was found before.
    """
    errors = (each for each in _errors(problems) if each.code not in CONSEQUENCES)
    before = (one for one, other in pairwise(problems) if other.code in CONSEQUENCES)
    return next((each for found in (errors, before, problems) for each in found), None)


def _text_of(excerpt: Excerpt) -> tuple[bytes, bool]:
    return excerpt.text.encode(), excerpt.is_whole


def _start_of(item: ClaimRead | Unread) -> int:
    start = item.excerpt.start
    return start.ordinal if start else 0


def _told(problems: Iterable[Problem]) -> tuple[dict[str, object], ...]:
    return tuple(each.as_json() for each in problems)


_OF_CLAIMS = ("23", "24")
"""The loops of a claim and of its lines begin so."""

_BROKEN = "not adjudicated, for its transaction set is not whole"
_NO_CLAIM = "this is no claim: authorizations are pushed, not matched"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSent:
    """A claim of a file, or without ``claim`` the reason why there is none.

    ``beside`` is what is said with its answer: where it stands, for whom it is, what was noticed.
    ``places`` are those of its numbers, where they were asked for. ``start`` is its first segment.
    """

    beside: dict[str, Any]
    claim: Claim | None = None
    reason: str | None = None
    places: Places | None = None
    start: int = 0

    @property
    def is_estimate(self) -> bool:
        """Whether it is a predetermination, which draws nothing."""
        return bool(self.beside.get("is_predetermination"))


async def claims_sent(
    chunks: AsyncIterable[bytes],
    policy: ReadingPolicy,
    aliases: frozenset[str],
    *,
    only_whole: bool = False,
    with_places: bool = False,
) -> AsyncIterator[ClaimSent]:
    """Read the claims of a file for a payer that goes by these names; no bytes raise.

    The claims of a transaction set come when it has ended, each with what is wrong with the whole
    set; where it is not whole, ``only_whole`` leaves them out.
    """
    with SpooledTemporaryFile(HELD_BYTES) as file:
        held = _Held(file)
        async for item in read_async(chunks, policy):
            if isinstance(item, TransactionOutcome):
                for each, until in held.release():
                    yield _of_whole(each, until, item, only_whole=only_whole)
            sent = _sent(item, aliases, with_places=with_places)
            if sent is None:
                continue
            if isinstance(item, Part):
                held.add(sent)
            else:
                yield sent


HELD_BYTES = 4 * 1024 * 1024
"""Claims of a set that has not ended are held in memory up to this size, then in a file."""


class _Held:
    """The claims of a transaction set that has not ended."""

    def __init__(self, file: SpooledTemporaryFile[bytes]) -> None:
        self._file = file
        self._count = 0

    def add(self, sent: ClaimSent) -> None:
        pickle.dump(sent, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def release(self) -> Iterator[tuple[ClaimSent, int]]:
        """Give all of them, each with the start of the next, and hold none."""
        self._file.seek(0)
        before: ClaimSent | None = None
        for _ in range(self._count):
            sent: ClaimSent = pickle.load(self._file)  # noqa: S301 - written above
            if before is not None:
                yield before, sent.start
            before = sent
        if before is not None:
            yield before, sys.maxsize
        self._count = 0
        self._file.seek(0)
        self._file.truncate()


def _of_whole(
    sent: ClaimSent, until: int, outcome: TransactionOutcome, *, only_whole: bool
) -> ClaimSent:
    """Say with a claim what is wrong with the whole of its set, above it, or in a place of it."""

    def is_of_it(each: Problem) -> bool:
        if each.code in NOT_WHOLE:
            return True
        is_within = each.loop[:2] in _OF_CLAIMS
        return each.segment_index < until and (not is_within or each.segment_index >= sent.start)

    found = list(filter(is_of_it, outcome.own))
    if not found:
        return sent
    broken = _only(found, NOT_WHOLE)
    beside = {**sent.beside, "problems": [*sent.beside["problems"], *_told(found)]}
    if sent.claim is None or not (broken and only_whole):
        return replace(sent, beside=beside)
    return ClaimSent(beside=beside, reason=f"{_BROKEN}: {broken[0].message}")


def _sent(item: Item, aliases: frozenset[str], *, with_places: bool) -> ClaimSent | None:
    if isinstance(item, ClaimRead):
        beside = {
            "claim_id": item.claim.claim_id,
            **_position(item),
            "payer_id": item.payer_id,
            "responsibility": item.responsibility,
            "use": item.use,
            "is_predetermination": item.is_predetermination,
            "problems": list(_told(item.problems)),
        }
        if not is_for(item.payer_id, aliases):
            return ClaimSent(beside=beside, reason=OTHER_PAYER, start=_start_of(item))
        places = places_of(item) if with_places else None
        return ClaimSent(beside=beside, claim=item.claim, places=places, start=_start_of(item))
    if isinstance(item, Unread):
        is_estimate = item.transaction.is_predetermination
        place = _position(item) | {"is_predetermination": is_estimate}
        missed = _missed(item.problems, place, "the claim cannot be read")
        return replace(missed, start=_start_of(item))
    if isinstance(item, AuthorizationRead):
        return _missed(item.problems, _position(item), _NO_CLAIM)
    if isinstance(item, TransactionOutcome) and not item.read and not item.unread:
        # What was said of its parts is not said again of the set.
        return _missed(item.problems, _position(item), "no claim can be read in it")
    if isinstance(item, InterchangeOutcome | GroupOutcome):
        return _of_envelope(item.problems, _interchange_of(item))
    return _of_envelope((item,), {}) if isinstance(item, Problem) else None


def _of_envelope(problems: Iterable[Problem], place: Position) -> ClaimSent | None:
    found = [*_errors(problems), *_only(problems, LOST)]
    return _missed(found, place, found[0].message) if found else None


def _missed(problems: Sequence[Problem], place: Position, otherwise: str) -> ClaimSent:
    cause = _cause_of(problems) if _errors(problems) else None
    beside = {"claim_id": None, **place, "problems": list(_told(problems))}
    return ClaimSent(beside=beside, reason=cause.message if cause else otherwise)
