"""What is sent by upstream systems: taken in as a stream, kept where it cannot be, tried again."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from prometheus_client import Counter

from service.access.act import note
from service.application import reception
from service.application.parts import Caller
from service.application.reception import WRITE, Stream, take_again
from service.domain.engine_fault import EngineFault
from service.domain.submission import Notice, PushResult, Queued
from service.domain.submission import Ruling as Ruling
from service.flow.intake import Taken
from service.stores.audit.reading import Counted
from service.stores.connection.clock import today
from service.stores.connection.reading import Listing
from service.stores.intake.dead_letters import LetterFilter as LetterFilter
from service.stores.intake.letter import Letter as Letter
from service.stores.intake.retrying import Retried, retry_letter

PUSHES = Counter("authmatch_pushes_total", "Pushed versions by what became of them.", ["status"])
NO_RULING = Ruling()
_TICKET = re.compile(r"[A-Za-z0-9_\-]{32}")


WAYS = {
    "PUT /authorizations/{authorization_id}": "JSON, one by one",
    "POST /authorizations/bulk": "JSON, as a stream",
    "POST /fhir": "FHIR",
    "POST /x12": "X12 278",
    "DELETE /authorizations/{authorization_id}": "withdrawals",
    "authmatch load": "files",
}
"""The ways in, as the audit trail names them, with the format of what comes."""
CAME_DAYS = 30


class Came(NamedTuple):
    """Rows of the audit trail since a day by way and sender, and the interchanges written."""

    since: str
    counted: Sequence[Counted]
    written: int


class NotFound(LookupError):
    """What is asked for is not there; the text names its kind."""


async def take(caller: Caller, stream: Stream) -> AsyncIterator[Taken | Notice]:
    """Take in what comes; gives a result for each part, counted, and notices for the answer.

    Without clinical.authorization.write nothing is stored or kept: NotPermitted at the first one.
    """
    may_store, actor = WRITE in caller.subject.scopes, caller.subject.acting_for(None)
    parts, payer = caller.parts, caller.payer
    async for each in reception.take(parts, payer, stream, actor=actor, may_store=may_store):
        if isinstance(each, Taken):
            PUSHES.labels(each.result["status"]).inc()
        yield each


def count_push(result: PushResult | Queued) -> None:
    """Count what became of one."""
    PUSHES.labels("queued" if isinstance(result, Queued) else result.status).inc()


async def deliver(caller: Caller) -> int:
    """Store what waits in the outbox as far as that is possible now; counts what still waits."""
    with suppress(EngineFault):
        await caller.stores.courier.deliver(caller.payer)
    return await waiting(caller)


async def waiting(caller: Caller) -> int:
    """How many pushes wait in the outbox of the payer to be stored; raises EngineFault."""
    found = await caller.stores.outbox.waiting([caller.payer])
    left = found.get(caller.payer)
    return left.count if left is not None else 0


async def came(caller: Caller) -> Came:
    """What came lately, by way and by who sent it, and how much was answered; EngineFault."""
    since = (today() - timedelta(days=CAME_DAYS)).isoformat()
    stores, payer = caller.stores, caller.payer
    counted = await stores.trail_reading.counted(payer, list(WAYS), since)
    return Came(since, counted, await stores.control_numbers.taken(payer))


async def letters(
    caller: Caller, wanted: LetterFilter, *, size: int, after: str | None
) -> Listing[Letter]:
    """A page of what could not be taken, those that came last first; raises BadCursor."""
    page = await caller.stores.letters.page(caller.payer, wanted, size=size, after=after)
    for each in page.entries:
        _noted(each)
    return page


async def letter(caller: Caller, letter_id: str) -> Letter:
    """One dead letter with its content; raises NotFound."""
    return _known(await caller.stores.letters.get(caller.payer, letter_id))


async def retry(
    caller: Caller,
    letter_id: str,
    *,
    corrected: bytes | None,
    by: str | None,
    ruling: Ruling = NO_RULING,
) -> Retried:
    """Take a dead letter in as it came, or corrected; ``by`` is for whom.

    A ``ruling`` says what a grant is whose number the person has already.
    Raises NotActing, NotFound, LetterConflict, and NotPermitted for other content without the scope
    of a push, which it is.
    """
    note(others=(letter_id,))
    payer, actor = caller.payer, caller.subject.acting_for(by, "/query/by")
    if corrected is not None:
        caller.subject.demand(WRITE, "the corrected content")

    async def take(letter: Letter, content: bytes) -> list[dict[str, Any]]:
        return await take_again(caller.parts, payer, letter, content, ruling, actor)

    retried = await retry_letter(
        caller.stores.letters, payer, letter_id, take, corrected=corrected, actor=actor
    )
    if retried is None:
        raise NotFound("there is no such dead letter")
    return retried


async def drop(caller: Caller, letter_id: str, *, by: str | None, why: str) -> Letter:
    """Say that nobody wants a dead letter any more; ``by`` is for whom.

    Raises NotActing, NotFound, LetterConflict.
    """
    note(others=(letter_id,), why=why)
    actor = caller.subject.acting_for(by, "/query/by")
    letters = caller.stores.letters
    return _known(await letters.drop(caller.payer, letter_id, actor=actor, why=why))


async def ticket(caller: Caller, name: str) -> dict[str, Any]:
    """What became of a push that was queued; raises NotFound."""
    known = _TICKET.fullmatch(name)
    found = await caller.stores.outbox.status(caller.payer, name) if known else None
    if found is None:
        raise NotFound("there is no such ticket")
    note(others=(name,), authorizations=filter(None, (found.get("authorization_id"),)))
    return found


def _known(letter: Letter | None) -> Letter:
    if letter is None:
        raise NotFound("there is no such dead letter")
    return _noted(letter)


def _noted(letter: Letter) -> Letter:
    """A letter that is given out; whose data are in it may be known by the authorization alone."""
    note(others=(letter.id,), authorizations=filter(None, (letter.authorization_id,)))
    return letter
