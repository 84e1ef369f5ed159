"""What could not be taken, kept as it came until somebody sees to it; nothing goes by itself."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from elasticsearch import AsyncElasticsearch, ConflictError
from prometheus_client import Counter

from service.domain.actor import Actor
from service.domain.engine_fault import EngineFault
from service.domain.submission import DeadLetter
from service.stores.connection.breaker import Breaker
from service.stores.connection.bulk import Operation, bounded, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Listing, read_many, read_page
from service.stores.connection.sealing import Seal
from service.stores.intake.letter import (
    Letter,
    Status,
    first_letter,
    letter_document,
    letter_place,
    read_letter,
    write_letter,
)
from service.stores.intake.outbox import Outbox
from service.stores.waiting.arising import Arising

KEPT = Counter(
    "authmatch_dead_letters_total", "What could not be taken and was kept.", ["code", "format"]
)
RESOLVED = Counter(
    "authmatch_dead_letters_resolved_total", "Dead letters that were seen to.", ["how"]
)

ATTEMPTS_MAX = 10
HELD_S = 10.0
"""So often at most it is asked how much a payer's letters hold; by so much they may pass it."""
TRY_S = 60
"""So long a letter is left to the one who tries it, should he never come to an end."""
_AT_ONCE = 500
_AT_ONCE_BYTES = 8 * 1024 * 1024


class LettersFull(EngineFault):
    """The dead letters of a payer hold all that they may: nothing was kept."""

    retry_after_s = 60

    def __init__(self, bytes_max: int) -> None:
        """Say the bound."""
        reason = f"they hold {bytes_max} bytes, which is all they may: retry or drop some"
        super().__init__("dead letters", reason)
        self._bytes_max = bytes_max

    def __reduce__(self) -> tuple[type["LettersFull"], tuple[int]]:
        """Travel between processes."""
        return type(self), (self._bytes_max,)


class LetterConflict(Exception):
    """The letter is not in a state for this; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """What to list: all given must hold."""

    status: str | None = None
    code: str | None = None
    format: str | None = None


@dataclass(eq=False, repr=False)
class DeadLetters:
    """Keeps letters, lists them, and changes what is known of them.

    ``_secret`` makes ids that nobody can guess.
    """

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _outbox: Outbox
    _breaker: Breaker
    _secret: bytes
    _seal: Seal
    _bytes_max: int
    _arising: Arising
    _is_installed: bool = field(default=False, init=False)
    _held: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)

    async def keep(
        self,
        payer: str,
        letters: Sequence[DeadLetter],
        *,
        at: str | None = None,
        is_bounded: bool = True,
    ) -> list[str]:
        """Keep what could not be taken; gives ids, the same for what came before.

        While Elasticsearch is away letters go to the outbox; raises an EngineFault if that fails.
        ``at`` is when they came, if that was not now. Raises LettersFull where a payer has no room;
        what is kept in another place now, unless it ``is_bounded``, is kept all the same.
        """
        at = at or now()
        kept = [first_letter(self._id_of(payer, each), each, at) for each in letters]
        try:
            with self._breaker.attempt():
                if is_bounded:
                    await self._check_room(payer)
                await self.store(payer, kept)
        except EngineFault as fault:
            if not fault.can_wait:
                raise
            await self._outbox.put_letters(payer, [(each.id, write_letter(each)) for each in kept])
        for each in letters:
            KEPT.labels(each.code, each.format).inc()
        return [each.id for each in kept]

    async def _check_room(self, payer: str) -> None:
        """See to it that the letters of a payer are not without end; asked every few seconds."""
        looked_at, held = self._held.get(payer, (float("-inf"), 0.0))
        if time.monotonic() - looked_at > HELD_S:
            with translated_errors():
                found = await self._elasticsearch.search(
                    index=self._indices.dead_letters,
                    routing=payer,
                    query={"term": {"payer": payer}},
                    aggs={"held": {"sum": {"field": "kept_bytes"}}},
                    size=0,
                )
            held = found["aggregations"]["held"]["value"]
            self._held[payer] = time.monotonic(), held
        if held >= self._bytes_max:
            raise LettersFull(self._bytes_max)

    def _id_of(self, payer: str, letter: DeadLetter) -> str:
        digest = hmac.new(self._secret, digestmod=hashlib.sha256)
        digest.update(f"letter|{payer}|{letter.format}|{letter.content_bytes}|".encode())
        digest.update(letter.content)
        return digest.hexdigest()[:24]

    async def store(self, payer: str, letters: Sequence[Letter]) -> None:
        """Store letters; one that is there already is counted, and open again."""
        await self._check_installed()
        for some in bounded(letters, _length, count_max=_AT_ONCE, size_max=_AT_ONCE_BYTES):
            await self._store(payer, some)
            await self._arising.letters(payer, [each.id for each in some])

    async def _store(self, payer: str, letters: Sequence[Letter]) -> None:
        wanted = {each.id: each for each in letters}
        for _ in range(ATTEMPTS_MAX):
            known = await self._read(payer, list(wanted), without=["content"])
            changed = [
                again
                for each in wanted.values()
                if (again := _again(known.get(each.id), each)) is not None
            ]
            written = await run_bulk(
                self._elasticsearch, [self._operation(payer, each) for each in changed]
            )
            lost = [each.id for each, ok in zip(changed, written, strict=True) if not ok.ok]
            wanted = {name: wanted[name] for name in lost}
            if not wanted:
                return
        raise EngineUnavailable("elasticsearch", "other writes of the same letters did not end")

    async def _read(
        self, payer: str, ids: Sequence[str], without: list[str] | None = None
    ) -> dict[str, Letter]:
        """Read letters in realtime, by their ids."""
        found = await read_many(
            self._elasticsearch,
            self._indices.dead_letters,
            "a dead letter",
            docs=[{"_id": letter_place(payer, each), "routing": payer} for each in ids],
            source_excludes=without,
        )
        return {doc["_source"]["id"]: read_letter(doc, self._seal) for doc in found if doc}

    async def open_of(self, payer: str, ids: Sequence[str]) -> frozenset[str]:
        """Which of these are open."""
        found = await self._read(payer, ids, without=["content"])
        return frozenset(name for name, each in found.items() if each.status == "open")

    async def get(self, payer: str, letter_id: str) -> Letter | None:
        """Give a letter with its content; None when this payer has none of this id."""
        return (await self._read(payer, [letter_id])).get(letter_id)

    async def page(
        self, payer: str, wanted: LetterFilter, *, size: int, after: str | None = None
    ) -> Listing[Letter]:
        """A page without content of all that was kept before, those that came last first.

        Raises BadCursor.
        """
        given = {"payer": payer, **asdict(wanted)}
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.dead_letters)
        return await read_page(
            self._elasticsearch,
            self._indices.dead_letters,
            [{"term": {name: value}} for name, value in given.items() if value],
            partial(read_letter, seal=self._seal),
            order=[({"last_at": "desc"}, int), ({"id": "asc"}, str)],
            size=size,
            after=after,
            routing=payer,
            seq_no_primary_term=True,
            source_excludes=["content"],
        )

    async def count(self, payer: str) -> int:
        """How many letters of a payer are open."""
        return (await self.page(payer, LetterFilter(status="open"), size=1)).total

    async def begin_try(self, payer: str, letter: Letter) -> Letter:
        """Count a try, so that nobody else tries it too; raises LetterConflict."""
        if letter.status != "open":
            raise LetterConflict(f"it was {letter.status} before")
        if letter.trying_until is not None and letter.trying_until > now():
            raise LetterConflict("somebody else tries it now")
        until = now(after_s=TRY_S)
        return await self._write(payer, replace(letter, tries=letter.tries + 1, trying_until=until))

    async def stay_open(self, payer: str, letter: Letter) -> Letter:
        """Let others try it, and keep why it could not be taken; raises LetterConflict."""
        return await self._write(payer, replace(letter, trying_until=None))

    async def resolve(self, payer: str, letter: Letter, *, actor: Actor, why: str) -> Letter:
        """State that it was taken; its content goes, the rest stays. Raises LetterConflict."""
        return await self._close(payer, letter, "resolved", actor, why)

    async def drop(
        self, payer: str, letter_id: str, *, actor: Actor, why: str | None
    ) -> Letter | None:
        """State that nobody wants it any more; its content goes. None when there is no such.

        Raises LetterConflict.
        """
        letter = await self.get(payer, letter_id)
        if letter is None:
            return None
        if letter.status != "open":
            raise LetterConflict(f"it was {letter.status} before")
        return await self._close(payer, letter, "dropped", actor, why)

    async def _close(
        self, payer: str, letter: Letter, status: Status, actor: Actor, why: str | None
    ) -> Letter:
        closed = replace(
            letter,
            status=status,
            by=actor.by or None,
            on_behalf_of=actor.on_behalf_of or None,
            why=why,
            content=None,
            trying_until=None,
        )
        written = await self._write(payer, closed)
        await self._arising.seen_to(payer, letter.id, actor=actor, why=why)
        RESOLVED.labels(status).inc()
        return written

    async def _write(self, payer: str, letter: Letter) -> Letter:
        """Write over the letter that was read, and over no other."""
        if letter.seen is None:
            raise AssertionError("a letter is changed that was not read")
        with translated_errors():
            try:
                response: Any = await self._elasticsearch.index(
                    index=self._indices.dead_letters,
                    id=letter_place(payer, letter.id),
                    routing=payer,
                    document=letter_document(payer, letter, self._seal),
                    if_seq_no=letter.seen[0],
                    if_primary_term=letter.seen[1],
                )
            except ConflictError as error:
                raise LetterConflict("somebody else has seen to it meanwhile") from error
        return replace(letter, seen=(response["_seq_no"], response["_primary_term"]))

    def _operation(self, payer: str, letter: Letter) -> Operation:
        return Operation(
            action="create" if letter.seen is None else "index",
            index=self._indices.dead_letters,
            id=letter_place(payer, letter.id),
            routing=payer,
            seen=letter.seen,
            document=letter_document(payer, letter, self._seal),
        )

    async def _check_installed(self) -> None:
        """See to it that the first write makes an index of ours, not one of guessed fields."""
        if self._is_installed:
            return
        with translated_errors():
            there = await self._elasticsearch.indices.exists(index=self._indices.dead_letters)
        if not there:
            raise EngineUnavailable("elasticsearch", "the indices are not installed")
        self._is_installed = True


def _again(known: Letter | None, letter: Letter) -> Letter | None:
    """Give a letter as it is after it came: new, once more and open again; None if it is there."""
    if known is None:
        return letter
    if letter.last_at <= known.last_at:
        return None  # the outbox delivers at least once
    return replace(
        letter,
        kept_at=known.kept_at,
        times=known.times + 1,
        tries=known.tries,
        seen=known.seen,
    )


def _length(letter: Letter) -> int:
    return len(letter.content or b"")
