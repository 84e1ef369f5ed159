"""Under which id and version a 278 response is stored, and which authorization it stands for.

**Id.** ``x12.SENDER.NUMBER``: the payer (NM109 of 2010A, else GS02, ISA06) and the certification
number (HCR02 of the event, else the first of its services). A confirmed cancellation is of the
number that it names (REF*BB, else HCR02). What grants nothing on a request to change a standing
authorization (UM02 R, S, 4, 1, 2, N, 3) must not replace it, and what has no number is not known by
one: such a response is ``x12.SENDER.trn.ORIGINATOR.TRACE`` (TRN03, TRN02), else ``x12.SENDER.ref.``
with REF*NT.

**Supersedes.** A granting answer to a revision or an appeal (UM02 S, 1, 2, N) stands for the number
in REF*BB, if that is another one; any other that is known by its number stands for what was pended
under its trace number.

**Version.** Milliseconds since 1970 of BHT04 and BHT05 (else GS04-05, ISA09-10), times 1000; plus
250 when pended, 500 when decided, 750 when cancelled; plus the sum of ISA13 and ST02, modulo 250.
So a decision of the same minute is newer than its pend, and what was sent later in one minute is
newer, but where the numbers turn over. It stays below 2**53 until 2255.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from service.domain import codes
from service.domain.authorization import GRANTING_ACTIONS, VOID_ACTION
from service.ingest.x12.fields.mapping import Draft
from service.ingest.x12.wire.results import Transaction

CANCELLATION = "3"
_REPLACING = frozenset({"S", "1", "2", "N"})
_CHANGING = _REPLACING | {"R", "4", CANCELLATION}
_PENDED = frozenset({"A4", "CT", None})
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_MAX = 2**53 - 1
_STEPS_A_MILLISECOND, _STEPS_A_RANK = 1000, 250
_PART_CHARACTERS_MAX = 40
_HASH_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of an authorization, and the one that it stands for."""

    authorization_id: str
    supersedes: str | None
    is_by_number: bool


def identity_of(
    sender: str, event: Draft, number: str | None, actions: set[str | None]
) -> Identity | None:
    """The identity of an event; None where nothing tells it from others."""
    certification = event.fields.get("certification_type")
    previous = next(iter(event.fields.get("previous_numbers", ())), None)
    by_trace = _by_trace(sender, event)
    is_granted = bool(actions & GRANTING_ACTIONS)
    is_void = actions == {VOID_ACTION}
    if is_void:
        named = (previous, number) if certification == CANCELLATION else (number, previous)
        number = named[0] or named[1]
    elif certification in _CHANGING and not is_granted:
        number = None
    if number is None or not codes.bare(number):
        return Identity(by_trace, None, is_by_number=False) if by_trace else None
    own = _written("x12", sender, number)
    supersedes = by_trace
    if certification in _REPLACING and previous and codes.bare(previous):
        supersedes = _written("x12", sender, previous)
    if is_void or supersedes == own:
        supersedes = None
    return Identity(own, supersedes, is_by_number=True)


def version_of(transaction: Transaction, actions: set[str | None]) -> int | None:
    """The version of a response; None where no time is known."""
    made_at = transaction.made_at
    if made_at is None or made_at <= _EPOCH:
        return None
    passed = (made_at - _EPOCH) // _MILLISECOND
    numbers = (transaction.group.interchange.control_number, transaction.control_number)
    count = sum(int(each) for each in numbers if each.isascii() and each.isdigit())
    rank = 3 if actions == {VOID_ACTION} else 1 if actions <= _PENDED else 2
    return min(
        passed * _STEPS_A_MILLISECOND + rank * _STEPS_A_RANK + count % _STEPS_A_RANK, _VERSION_MAX
    )


def _by_trace(sender: str, event: Draft) -> str | None:
    traces: list[tuple[str, str, str]] = event.notes.get("traces", [])
    # The number that the requester gave (TRN01 2) is the same in all answers to one request.
    for _, number, originator in sorted(traces, key=lambda each: each[0] != "2"):
        if codes.bare(number):
            return _written("x12", sender, "trn", originator, number)
    reference = event.fields.get("administrative_reference", "")
    return _written("x12", sender, "ref", reference) if codes.bare(reference) else None


def _written(*parts: str) -> str:
    """Join parts to an id: letters and digits alone, so that the points between them tell."""
    return ".".join(_part(each) for each in parts)


def _part(text: str) -> str:
    if text in ("x12", "trn", "ref"):
        return text
    bare = codes.bare(text)
    if len(bare) <= _PART_CHARACTERS_MAX:
        return bare or "0"
    # A long one keeps its beginning, to be read, and a hash of all, to be told apart.
    return (
        bare[: _PART_CHARACTERS_MAX - _HASH_CHARACTERS]
        + sha256(bare.encode()).hexdigest()[:_HASH_CHARACTERS]
    )
