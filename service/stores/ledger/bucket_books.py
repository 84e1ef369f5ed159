"""The books of one bucket, twice: replayed from its ledger, and as Redis holds them.

While they are compared the stream of the bucket is not trimmed, so that what Elasticsearch does not
have yet can be read there, in the same step as the hashes: units may be moved meanwhile.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_page import Hash
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineRefused, EngineUnavailable, translated_errors
from service.stores.connection.key_names import BucketKeys, KeyNames
from service.stores.ledger.reading import LedgerReading

HOLD_MS = 120_000
"""So long a stream is held at most, should the one who holds it be killed."""

KINDS = ("accounts", "tokens", "claims", "waiting")
_IN_KEYS = ("accounts", "tokens", "claim", "waiting")
_SNAPSHOT = Path(__file__).parents[1] / "connection" / "lua" / "snapshot.lua"
_ENTRIES_AT_ONCE = 500
_ATTEMPTS_MAX = 50
_SCANNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One hash of a bucket: its key, and what it is about.

    The claims of a member that wait are a sorted set, read as a hash of their scores.
    """

    key: str
    kind: str
    id: str

    def of(self, replayed: Replayed) -> Hash:
        """Give what the ledger makes of it."""
        found: Hash = getattr(replayed, self.kind).get(self.id, {})
        return found

    @property
    def what(self) -> str:
        """Name it for a person."""
        return f"{self.kind} {self.id}"


def held_by(replayed: Replayed, keys: BucketKeys) -> Iterator[Held]:
    """Give all hashes that the ledger of a bucket makes."""
    name_of = {
        "accounts": keys.accounts,
        "tokens": keys.tokens,
        "claims": keys.claim,
        "waiting": keys.waiting,
    }
    for kind in KINDS:
        for each in getattr(replayed, kind):
            yield Held(key=name_of[kind](each), kind=kind, id=each)


class BucketBooks:
    """Reads the books of buckets; see ``Reconciliation`` and ``Rebuilding``."""

    def __init__(self, redis: RedisClient, keys: KeyNames, ledger: LedgerReading) -> None:
        """Share the client with the other stores."""
        self._redis = redis
        self._keys = keys
        self._ledger = ledger
        self._snapshot = redis.register_script(_SNAPSHOT.read_text(encoding="utf-8"))

    @asynccontextmanager
    async def held(self, buckets: Sequence[BucketKeys]) -> AsyncIterator[None]:
        """Keep the streams of these buckets from being trimmed; refreshes the ledger."""
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for keys in buckets:
                pipeline.set(keys.hold, "1", px=HOLD_MS)
            await pipeline.execute()
        try:
            await self._ledger.refresh()
            yield
        finally:
            with translated_errors():
                pipeline = self._redis.pipeline(transaction=False)
                for keys in buckets:
                    pipeline.delete(keys.hold)
                await pipeline.execute()

    async def replayed(self, keys: BucketKeys) -> Replayed:
        """Replay what a search sees of a bucket's ledger."""
        replayed = Replayed()
        async for entry in self._ledger.of_bucket(keys.payer, keys.number):
            _take(replayed, entry.id, entry.fields)
        return replayed

    async def snapshot(
        self, keys: BucketKeys, replayed: Replayed, names: Sequence[str]
    ) -> list[Hash | None]:
        """Give hashes of Redis, and bring the replayed ledger to the same moment.

        None stands for a key that holds something else. The stream must be held.
        """
        for _ in range(_ATTEMPTS_MAX):
            with translated_errors():
                answer: Any = await self._snapshot(
                    keys=[keys.ledger, *names], args=[replayed.last, str(_ENTRIES_AT_ONCE)]
                )
            _, entries, hashes = answer
            for entry_id, fields in entries:
                _take(replayed, entry_id, _paired(fields))
            if len(entries) < _ENTRIES_AT_ONCE:
                return [None if each is None else _paired(each) for each in hashes]
        raise EngineUnavailable("redis", "a bucket changes faster than it can be read")

    async def last_id(self, keys: BucketKeys) -> str:
        """Give the last id that a stream ever gave out."""
        with translated_errors():
            answer: Any = await self._snapshot(keys=[keys.ledger], args=["0-0", "1"])
        return str(answer[0])

    async def owners(self, payer: str, claims: Iterable[str]) -> dict[str, str | None]:
        """Give under which member Redis has claims."""
        wanted = list(claims)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in wanted:
                pipeline.get(self._keys.owner(payer, each))
            return dict(zip(wanted, await pipeline.execute(), strict=True))

    async def keys_of(self, payer: str, number: int | None = None) -> AsyncIterator[str]:
        """Give the keys that hold units of a payer, of one bucket or all; some perhaps twice."""
        bucket = "*" if number is None else f"{number:04}"
        start = f"{self._keys.of_payer(payer)}:b"
        with translated_errors():
            async for key in self._redis.scan_iter(f"{start}{bucket}:*", count=_SCANNED_AT_ONCE):
                if str(key).removeprefix(start).split(":")[1] in _IN_KEYS:
                    yield str(key)

    def bucket_in(self, payer: str, key: str) -> int:
        """Read the bucket out of the name of a key."""
        return int(key.removeprefix(f"{self._keys.of_payer(payer)}:b").partition(":")[0])


def _take(replayed: Replayed, entry_id: str, fields: Mapping[str, str]) -> None:
    """Replay an entry; one that cannot be read is a fault, for nothing after it can be trusted."""
    try:
        replayed.take(entry_id, fields)
    except (LookupError, ValueError, TypeError) as error:
        raise EngineRefused("ledger", f"the entry {entry_id} cannot be read") from error


def _paired(flat: Sequence[str]) -> Hash:
    """Read fields and values that come one after the other."""
    return dict(pair for number, pair in enumerate(pairwise(flat)) if number % 2 == 0)


def is_same(expected: Mapping[str, str], found: Mapping[str, str] | None) -> bool:
    """Whether Redis has what the ledger makes."""
    return found is not None and dict(expected) == dict(found)
