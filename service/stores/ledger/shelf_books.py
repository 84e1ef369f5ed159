"""Some shelves of a book, twice: replayed from the ledger, and as Redis and the archive hold them.

While they are compared the stream of the payer is not trimmed, so that what Elasticsearch does not
have yet can be read there, in the same step as the hashes: units may be moved meanwhile.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import ABSENT, Digest
from service.accounting.replay.ledger_page import Difference, Hash
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineRefused, EngineUnavailable, translated_errors
from service.stores.connection.key_names import SHELVES, BookKeys, KeyNames, shelf_of
from service.stores.connection.scripts import lua
from service.stores.ledger.reading import LedgerReading
from service.stores.units.archive import Archive, Kind

HOLD_MS = 120_000
"""So long a stream is held at most, should the one who holds it be killed."""

ENTRIES_TOGETHER = 20_000
"""So many ledger entries are replayed together: the more, the more memory it takes."""

KINDS = ("accounts", "tokens", "claims", "waiting")
IN_KEYS = {"accounts": "accounts", "tokens": "tokens", "claims": "claim", "waiting": "waiting"}
_ARCHIVED: dict[Kind, tuple[str, ...]] = {"claim": ("claims",), "accounts": ("accounts", "tokens")}
_ENTRIES_AT_ONCE = 500
_ATTEMPTS_MAX = 50
_SCANNED_AT_ONCE = 1000


Tell = Callable[[int, int], None]
"""Is told how many parts are done, of how many."""

DIFFERENCES_MAX = 1000

Stands = Literal["ledger", "redis", "both"]
"""Where a claim that differs is known: in one of them alone, or in both, and otherwise."""


def _stands(difference: Difference) -> Stands:
    if difference.found == ABSENT:
        return "ledger"
    return "redis" if difference.expected == ABSENT else "both"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was compared or rebuilt, and what differs: at most so many, and how many in all.

    ``archived`` counts the hashes that are at rest, among ``hashes``. ``claims`` are all claims
    that differ, by payer and id, with where they stand.
    """

    payers: tuple[str, ...] = ()
    entries: int = 0
    hashes: int = 0
    archived: int = 0
    differences: list[tuple[str, Difference]] = field(default_factory=list)
    difference_count: int = 0
    claims: dict[tuple[str, str], Stands] = field(default_factory=dict)
    condensed: Digest = field(default_factory=Digest)

    @property
    def digest(self) -> str:
        """All hashes of these payers, condensed: the same for the same books."""
        return str(self.condensed)

    def note(self, payer: str, found: Iterable[Difference]) -> None:
        """Keep differences, as far as there is room."""
        for difference in found:
            self.difference_count += 1
            kind, _, name = difference.what.partition(" ")
            if kind == "claims":
                stands, key = _stands(difference), (payer, name)
                self.claims[key] = stands if self.claims.get(key, stands) == stands else "both"
            if len(self.differences) < DIFFERENCES_MAX:
                self.differences.append((payer, difference))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One hash of a book: its key, and what it is about.

    The claims of a member that wait are a sorted set, read as a hash of their scores.
    """

    key: str
    kind: str
    id: str

    def of(self, replayed: Replayed) -> Hash:
        """What the ledger makes of it."""
        found: Hash = getattr(replayed, self.kind).get(self.id, {})
        return found

    @property
    def what(self) -> str:
        """How a person names it."""
        return f"{self.kind} {self.id}"


def held_by(replayed: Replayed, book: BookKeys) -> Iterator[Held]:
    """All hashes that the ledger makes."""
    for kind in KINDS:
        name_of = getattr(book, IN_KEYS[kind])
        for name in getattr(replayed, kind):
            yield Held(key=name_of(name), kind=kind, id=name)


class ShelfBooks:
    """Reads parts of books; see ``Reconciliation`` and ``Rebuilding``."""

    def __init__(
        self, redis: RedisClient, keys: KeyNames, ledger: LedgerReading, archive: Archive
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._ledger = ledger
        self.archive = archive
        self._snapshot = redis.register_script(lua("snapshot.lua"))

    @asynccontextmanager
    async def held(self, payer: str) -> AsyncIterator[None]:
        """Keep the stream of a payer from being trimmed; refreshes the ledger."""
        hold = self._keys.book(payer).hold
        with translated_errors():
            await self._redis.set(hold, "1", px=HOLD_MS)
        try:
            await self._ledger.refresh()
            yield
        finally:
            with translated_errors():
                await self._redis.delete(hold)

    async def parts(self, payer: str) -> list[range]:
        """Divide the shelves of a payer, so that no part has too many entries to be replayed."""
        counts = await self._ledger.shelves_of(payer)
        parts, start, entries = [], 0, 0
        for shelf in range(SHELVES):
            entries += counts.get(shelf, 0)
            if entries >= ENTRIES_TOGETHER or shelf == SHELVES - 1:
                parts.append(range(start, shelf + 1))
                start, entries = shelf + 1, 0
        return parts

    async def replayed(self, payer: str, shelves: range) -> Replayed:
        """Replay what a search sees of the ledger about some shelves."""
        surrogate = self._keys.book(payer).surrogate
        replayed = Replayed(
            mine=lambda name: shelf_of(surrogate(name)) in shelves,
            my_members=lambda owner: shelf_of(owner) in shelves,
        )
        async for entry in self._ledger.of_shelves(payer, shelves):
            _take(replayed, entry.id, entry.fields)
        return replayed

    async def snapshot(
        self, payer: str, replayed: Replayed, names: Sequence[str]
    ) -> list[Hash | None]:
        """Read hashes of Redis, and bring the replayed ledger to the same moment.

        None stands for a key that holds something else. The stream must be held.
        """
        for _ in range(_ATTEMPTS_MAX):
            with translated_errors():
                answer: Any = await self._snapshot(
                    keys=[self._keys.book(payer).ledger, *names],
                    args=[replayed.last, str(_ENTRIES_AT_ONCE)],
                )
            _, entries, hashes = answer
            for entry_id, fields in entries:
                _take(replayed, entry_id, _paired(fields))
            if len(entries) < _ENTRIES_AT_ONCE:
                return [None if found is None else _paired(found) for found in hashes]
        raise EngineUnavailable("redis", "the book changes faster than it can be read")

    async def archived(
        self, payer: str, replayed: Replayed, held: Sequence[Held]
    ) -> dict[str, Hash]:
        """What the archive has of hashes by their keys, where it has what the ledger made last."""
        found: dict[str, Hash] = {}
        for kind, kinds in _ARCHIVED.items():
            items = [item for item in held if item.kind in kinds]
            archived = await self.archive.read(payer, kind, [item.id for item in items])
            made = replayed.claims if kind == "claim" else replayed.accounts
            for item in items:
                kept = archived.get(item.id)
                if kept is not None and kept.fields["n"] == made.get(item.id, {}).get("n"):
                    found[item.key] = dict(kept.tokens if item.kind == "tokens" else kept.fields)
        return found

    async def last_id(self, payer: str) -> str:
        """The last id that the stream of a payer ever gave out."""
        with translated_errors():
            answer: Any = await self._snapshot(
                keys=[self._keys.book(payer).ledger], args=["0-0", "1"]
            )
        return str(answer[0])

    async def keys_of(self, payer: str) -> AsyncIterator[str]:
        """All keys that hold units of a payer; some perhaps twice."""
        start = f"{self._keys.book(payer).prefix}:"
        kinds = tuple(f"{start}{kind}:" for kind in IN_KEYS.values())
        with translated_errors():
            async for key in self._redis.scan_iter(f"{start}*", count=_SCANNED_AT_ONCE):
                if str(key).startswith(kinds):
                    yield str(key)

    async def count_keys(self, payer: str) -> Counter[int]:
        """Count the keys that hold units of a payer, by shelf."""
        return Counter([shelf_of(_named(key)) async for key in self.keys_of(payer)])

    async def keys_on(self, payer: str, shelves: range) -> set[str]:
        """The keys that hold units on some shelves."""
        return {key async for key in self.keys_of(payer) if shelf_of(_named(key)) in shelves}

    async def told_of(self, payer: str, keys: Sequence[str]) -> list[str]:
        """How a person names hashes that the ledger does not know: by what they say themselves."""
        prefix = self._keys.book(payer).prefix
        begin = {kind: f"{prefix}:{IN_KEYS[kind]}:" for kind in ("claims", "accounts")}
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hget(key, "id")
            ids = await pipeline.execute(raise_on_error=False)
        told = []
        for key, name in zip(keys, ids, strict=True):
            kind = next((each for each, start in begin.items() if key.startswith(start)), None)
            told.append(f"{kind} {name}" if kind and isinstance(name, str) else key)
        return told


def _named(key: str) -> str:
    """The surrogate in a key."""
    return key.rpartition(":")[2]


def _take(replayed: Replayed, entry_id: str, fields: Mapping[str, str]) -> None:
    """Replay an entry; one that cannot be read is a fault, for nothing after it can be trusted.

    In the stream there are those that were read already, and those of other shelves.
    """
    try:
        replayed.take(entry_id, fields)
    except (LookupError, ValueError, TypeError) as error:
        raise EngineRefused("ledger", f"the entry {entry_id} cannot be read") from error


def _paired(flat: Sequence[str]) -> Hash:
    """Read fields and values that come one after the other."""
    return dict(pair for number, pair in enumerate(pairwise(flat)) if number % 2 == 0)
