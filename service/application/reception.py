"""Where what others send is received: how it is read, which ways it may go, how it is acknowledged.

The address, the command line and what is tried again all come through here.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from service.access.subject import BadPart, NotPermitted
from service.application._answers import asked_days, joined
from service.application.parts import Application
from service.domain.actor import Actor
from service.domain.authorization import Authorization
from service.domain.engine_fault import EngineFault
from service.domain.grant_identity import newest_version
from service.domain.submission import Notice, Ruling, Sent, Submission, read_withdrawal
from service.flow.intake import Doors, Result, Taken, take_in
from service.ingest.fhir import AsStored, read, to_claim_response
from service.ingest.submissions import Form, Reading, form_of_letter, read_submissions
from service.ingest.x12.fields.people import family_member_id, wire_member_id
from service.ingest.x12.fields.policy import ReadingPolicy, provider_claim_id, wire_claim_id
from service.ingest.x12.reply.acknowledgement import acknowledge
from service.ingest.x12.submissions import X12Submissions
from service.ingest.x12.wire.results import InterchangeOutcome
from service.ingest.x12.wire.writing import ControlNumbers
from service.settings import Settings
from service.stores.authorizations.reading import Stored
from service.stores.intake.letter import Letter

WRITE = "clinical.authorization.write"
BEYOND_TODAY = "a version beyond today's time: no later one could follow it"
OF_ANOTHER = "the letter is of another authorization: push this one by itself"
_UNDATED = "no-dates"
_MEMBER_IDS = {"subscriber": wire_member_id, "family": family_member_id}
_CLAIM_IDS = {"claim": wire_claim_id, "provider": provider_claim_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What comes in: its bytes, the way it came (``origin``), and what is known of it.

    A file may come from the byte ``offset`` on, which is in its line ``line``. ``piece_bytes_max``
    and ``batch`` are those of the settings where they are not given. It may be of ``only`` one
    authorization.
    """

    chunks: AsyncIterable[bytes]
    origin: str
    form: Form | None = None
    offset: int = 0
    line: int = 1
    piece_bytes_max: int | None = None
    batch: int | None = None
    only: str | None = None


def take(
    parts: Application,
    payer: str,
    stream: Stream,
    *,
    actor: Actor,
    ruling: Ruling | None = None,
    may_store: bool = True,
) -> AsyncIterator[Taken | Notice]:
    """Read what comes in and take it in; gives a result for each part, and notices for the answer.

    It is bounded in memory, and raises for no bytes; what an engine did not take has failed.
    ``actor`` is who sent it. What is tried again, under a ``ruling``, makes no new dead letter.
    Unless one ``may_store`` the first authorization ends it with NotPermitted; what else stands in
    the stream is read.
    """
    settings = parts.settings
    reading = Reading(
        bytes_max=stream.piece_bytes_max or settings.line_bytes_max,
        form=stream.form,
        policy=policy_of(settings),
        aliases=aliases_of(settings, payer),
        checks_shape=settings.fhir_check,
        offset=stream.offset,
        line=stream.line,
    )
    stores = parts.stores
    doors = Doors(
        payer=payer,
        store=stores.entrance,
        outbox=stores.outbox,
        letters=stores.letters if ruling is None and may_store else None,
        origin=stream.origin,
        letter_bytes_max=settings.dead_letter_bytes_max,
    )
    sent = read_submissions(stream.chunks, reading)
    if reading.policy.undated_grants == "requested":
        sent = _dated(parts, payer, sent, reading)
    sent = _timely(sent) if stream.only is None else _only(_timely(sent), stream.only)
    sent = _without_echoes(parts, payer, sent) if may_store else _barred(sent)
    sent = _signed(sent, actor, ruling or Ruling())
    taken = take_in(sent, doors, batch=stream.batch or settings.bulk_batch)
    return joined(parts, payer, taken, actor) if may_store else taken


async def results_of(taken: AsyncIterable[Taken | Notice]) -> AsyncIterator[Result]:
    """The results alone."""
    async for each in taken:
        if isinstance(each, Taken):
            yield each.result


async def once(content: bytes) -> AsyncIterator[bytes]:
    """A stream of content that is there already."""
    yield content


async def take_again(
    parts: Application, payer: str, letter: Letter, content: bytes, ruling: Ruling, actor: Actor
) -> list[Result]:
    """Read what was a dead letter once more and take it in; gives a result for each of its parts.

    What cannot be taken makes no new dead letter: the one it came from stays open. Raises
    EngineFault where a withdrawal cannot be stored.
    """
    only = None if content == letter.content else letter.authorization_id
    withdrawn = read_withdrawal(content) if letter.format == "json" else None
    if withdrawn is not None and only in (None, withdrawn[0]):
        return [asdict(await parts.stores.entrance.withdraw(payer, *withdrawn, actor))]
    stream = Stream(
        chunks=once(content),
        origin=letter.origin,
        form=form_of_letter(letter.format),
        piece_bytes_max=len(content) + 1,
        only=only,
    )
    taken = take(parts, payer, stream, actor=actor, ruling=ruling)
    return [each async for each in results_of(taken)]


def check_version(version: int, path: str) -> None:
    """Refuse a version beyond what can be told of today, at ``path``: nothing would follow it.

    Raises BadPart.
    """
    if version > newest_version(datetime.now(UTC)):
        raise BadPart(path, BEYOND_TODAY)


async def _dated(
    parts: Application, payer: str, sent: AsyncIterable[Sent], reading: Reading
) -> AsyncIterator[Sent]:
    """Read what was granted without a day once more, with the days that we asked for (policy).

    A fault of an engine leaves it refused: it is kept, and may be tried again.
    """
    async for each in sent:
        if isinstance(each, Submission) and any(
            error.get("code") == _UNDATED for error in each.errors
        ):
            with suppress(EngineFault):
                yield await _read_again(parts, payer, each, reading)
                continue
        yield each


async def _read_again(
    parts: Application, payer: str, sent: Submission, reading: Reading
) -> Submission:
    content, is_whole = sent.excerpt() if sent.excerpt else (b"", False)
    days = await asked_days(parts, payer, content.decode(errors="replace"))
    if not days or not is_whole:
        return sent
    again = X12Submissions(replace(reading.policy, asked_for=days), reading.aliases)
    found = (each for step in (again.feed(content), again.end()) for each in step)
    read = [each for each in found if isinstance(each, Submission) and each.pushed is not None]
    return replace(read[0], position=sent.position, start=sent.start) if len(read) == 1 else sent


async def _timely(sent: AsyncIterable[Sent]) -> AsyncIterator[Sent]:
    """Refuse versions beyond what can be told of today."""
    newest = newest_version(datetime.now(UTC))
    async for each in sent:
        if (
            isinstance(each, Submission)
            and each.pushed is not None
            and (each.version or 0) > newest
        ):
            yield _refused(each, "/version", BEYOND_TODAY)
        else:
            yield each


async def _only(sent: AsyncIterable[Sent], authorization_id: str) -> AsyncIterator[Sent]:
    """Refuse what is of another authorization: the evidence of this one would go with it."""
    async for each in sent:
        if (
            isinstance(each, Submission)
            and each.pushed is not None
            and each.authorization_id != authorization_id
        ):
            yield _refused(each, "/authorization_id", OF_ANOTHER)
        else:
            yield each


def _refused(sent: Submission, path: str, reason: str) -> Submission:
    error = {"path": path, "message": reason}
    told = f"{path}: {reason}"
    return replace(sent, pushed=None, code="invalid", reason=told, errors=(error,))


async def _barred(sent: AsyncIterable[Sent]) -> AsyncIterator[Sent]:
    """Let nothing through that would be stored; raises NotPermitted."""
    async for each in sent:
        if isinstance(each, Submission) and each.pushed is not None:
            raise NotPermitted(WRITE, "authorizations in what was sent")
        yield each


async def _signed(sent: AsyncIterable[Sent], actor: Actor, ruling: Ruling) -> AsyncIterator[Sent]:
    """Put with each push who sent it, and what he said of it."""
    async for each in sent:
        if isinstance(each, Submission) and each.pushed is not None:
            yield replace(each, pushed=replace(each.pushed, actor=actor, ruling=ruling))
        else:
            yield each


async def _without_echoes(
    parts: Application, payer: str, sent: AsyncIterable[Sent]
) -> AsyncIterator[Sent]:
    """Take out what came back as it was given out: it says less than what was pushed at first.

    A ClaimResponse has no place for everything that an authorization may hold. So what we wrote of
    a version reads otherwise than that version did, and would be a conflict.
    """
    async for each in sent:
        if isinstance(each, Submission) and each.is_own and await _is_echo(parts, payer, each):
            yield replace(each, pushed=None, is_known=True)
        else:
            yield each


async def _is_echo(parts: Application, payer: str, submission: Submission) -> bool:
    if submission.pushed is None or submission.authorization_id is None:
        return False
    try:
        stored = await parts.stores.reading.get(payer, submission.authorization_id)
    except EngineFault:
        return False  # the push that follows meets the fault, and says so
    if stored is None or stored.state["version"] != submission.version:
        return False
    authorization = Authorization.model_validate(stored.source)
    written = to_claim_response(authorization, state=as_stored(stored))
    again = read(written).authorizations
    return [each.document for each in again] == [submission.pushed.source]


def as_stored(stored: Stored) -> AsStored:
    """Say what became of an authorization since it was pushed."""
    state = stored.state
    return AsStored(
        is_void=state.get("void", False),
        is_superseded=not state.get("current", True),
        superseded_by=state.get("superseded_by"),
        stored_at=state.get("pushed_at"),
    )


def policy_of(settings: Settings) -> ReadingPolicy:
    """Say how X12 messages are read."""
    has_day = settings.x12_undated_estimates == "today"
    return ReadingPolicy(
        member_id_of=_MEMBER_IDS[settings.dependent_member_id],
        claim_id_of=_CLAIM_IDS[settings.x12_claim_id],
        undated_grants=settings.x12_undated_grants,
        charge_ids=settings.x12_charge_ids,
        estimate_day=datetime.now(UTC).date() if has_day else None,
    )


def aliases_of(settings: Settings, payer: str) -> frozenset[str]:
    """The names by which a message may call a payer; none: any name."""
    return frozenset(each.strip().casefold() for each in settings.payer_aliases.get(payer, ()))


async def acknowledgements(
    parts: Application, payer: str, outcomes: Sequence[InterchangeOutcome]
) -> list[str]:
    """Write a 999, and a TA1 where wanted, for each interchange that was read.

    Raises EngineFault where no control number can be had.
    """
    at = datetime.now(UTC)
    numbers = await numbers_for(parts, payer, len(outcomes))
    return [acknowledge(each, own, at) for each, own in zip(outcomes, numbers, strict=True)]


async def numbers_for(parts: Application, payer: str, count: int) -> list[ControlNumbers]:
    """Control numbers of our own for so many interchanges; raises EngineFault."""
    first = await parts.stores.control_numbers.take(payer, count) if count else 0
    numbers = range(first, first + count)
    return [ControlNumbers(interchange=each, group=each) for each in numbers]
