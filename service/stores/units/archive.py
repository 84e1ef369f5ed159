"""What is at rest: claims and accounts that nobody moved for long stand in Elasticsearch alone.

A hash goes when it still has the sequence number of a ledger entry that is long in Elasticsearch:
so all that was moved since the beginning is confirmed, and nothing was moved after it. It is
written to the archive under that number before it is dropped. In the step in which it is dropped a
bit is set, and never taken back: without it nothing of that name was ever at rest, and the archive
is not asked. Whoever finds it neither here nor there knows that there never was one. One that came
back is looked at again although no entry names it.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import BookKeys, KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_many, read_one
from service.stores.connection.scripts import lua
from service.stores.connection.sealing import Seal

Kind = Literal["claim", "accounts"]

EPOCH = "epoch"
"""The document that says that the books were opened; see ``ledger/epoch``."""
_MARK = "mark"
_GONE = (
    "the archive is gone: restore it, or run `authmatch accumulators rebuild --force` for all"
    " payers"
)
RECALL_S_MAX = 60.0
"""What was read longer ago is read again: it may have come back, moved and gone meanwhile."""
REST, RECALL = lua("rest.lua"), lua("recall.lua")
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Rested:
    """Something that may be at rest: what it is, and the sequence number that it had then."""

    kind: Kind
    id: str
    sequence: str

    @property
    def name(self) -> str:
        """How it is named among what was recalled."""
        return f"{self.kind}|{self.sequence}|{self.id}"

    @classmethod
    def named(cls, name: str) -> "Rested":
        """Read such a name."""
        kind, sequence, identifier = name.split("|", 2)
        return cls("claim" if kind == "claim" else "accounts", identifier, sequence)


@dataclass(frozen=True, slots=True)
class Archived:
    """The fields of a hash as they were in Redis, and the tokens of an authorization."""

    fields: Mapping[str, str]
    tokens: Mapping[str, str]


@dataclass(eq=False, repr=False)
class Archive:
    """Every call may be repeated; raises EngineFault, and then nothing is lost."""

    _elasticsearch: AsyncElasticsearch
    _redis: RedisClient
    _indices: IndexNames
    _keys: KeyNames
    _seal: Seal

    async def trust(self) -> None:
        """State that the archive is complete: it is new, or all that it lacks comes into Redis.

        An index that was lost, and made anew by whoever wrote to it next, does not say so.
        """
        mark = {"payer": "", "kind": _MARK, "fields": "{}", "tokens": "{}"}
        await run_bulk(
            self._elasticsearch,
            [Operation(action="index", index=self._indices.archive, id=_MARK, document=mark)],
        )

    async def read(self, payer: str, kind: Kind, ids: Sequence[str]) -> dict[str, Archived]:
        """What the archive has of these, in realtime; it may be older than what Redis has."""
        found: dict[str, Archived] = {}
        for start in range(0, len(ids), _AT_ONCE):
            names = {
                _document_id(payer, kind, name): name for name in ids[start : start + _AT_ONCE]
            }
            mark, *documents = await read_many(
                self._elasticsearch, self._indices.archive, "the archive", ids=[_MARK, *names]
            )
            if not mark and await self._was_anything_counted():
                raise EngineUnavailable("elasticsearch", _GONE)
            for document in filter(None, documents):
                kept = document["_source"]
                fields, tokens = (
                    self._seal.open(kept[name], f"{document['_id']}|{name}")
                    for name in ("fields", "tokens")
                )
                archived = Archived(orjson.loads(fields), orjson.loads(tokens))
                found[names[document["_id"]]] = archived
        return found

    async def _was_anything_counted(self) -> bool:
        """Whether the books were ever opened: before that the archive has no mark."""
        return await read_one(self._elasticsearch, self._indices.accounting, EPOCH) is not None

    async def recall(self, payer: str, kind: Kind, ids: Sequence[str]) -> set[str]:
        """Bring back what is archived of these; gives the ids of what was never there."""
        book, asked_at = self._keys.book(payer), time.monotonic()
        places = {_places(book, kind, name)[0]: name for name in ids}
        marked = await self.marked(payer, places)
        found = await self.read(payer, kind, [places[key] for key in marked])
        for name, archived in found.items():
            if time.monotonic() - asked_at > RECALL_S_MAX:
                raise EngineUnavailable("elasticsearch", "the archive answered too late")
            rested = Rested(kind, name, archived.fields["n"])
            with translated_errors():
                names = (*_places(book, kind, name), book.recalled)
                arguments = map(orjson.dumps, (archived.fields, archived.tokens))
                await self._redis.eval(
                    RECALL, len(names), *names, *arguments, int(time.time()), rested.name
                )
        return set(ids) - set(found)

    async def marked(self, payer: str, keys: Iterable[str]) -> list[str]:
        """Those keys of a payer under which something may ever have been at rest."""
        book, names = self._keys.book(payer), list(keys)
        if not names:
            return []
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for name in names:
                pipeline.getbit(*book.archived_bit(name))
            bits = await pipeline.execute()
        return [name for name, bit in zip(names, bits, strict=True) if bit]

    async def recalled(self, payer: str, before_s: float) -> list[Rested]:
        """What came back before a time and was not looked at since."""
        with translated_errors():
            names: Any = await self._redis.zrangebyscore(
                self._keys.book(payer).recalled, "-inf", before_s
            )
        return [Rested.named(str(name)) for name in names]

    async def rest(self, payer: str, candidates: Iterable[Rested]) -> int:
        """Archive those that were not moved since they had their number; says how many."""
        waiting = list(dict.fromkeys(candidates))
        count = 0
        for start in range(0, len(waiting), _AT_ONCE):
            count += await self._rest_some(payer, waiting[start : start + _AT_ONCE])
        return count

    async def _rest_some(self, payer: str, candidates: Sequence[Rested]) -> int:
        book = self._keys.book(payer)
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for rested in candidates:
                key, tokens = _places(book, rested.kind, rested.id)
                pipeline.hgetall(key)
                pipeline.hgetall(tokens)
            answers = iter(await pipeline.execute())
        still = [
            (rested, Archived(fields, tokens if rested.kind == "accounts" else {}))
            for rested, fields, tokens in zip(candidates, answers, answers, strict=True)
            if fields.get("n") == rested.sequence
        ]
        written = await run_bulk(
            self._elasticsearch, [self._operation(payer, *kept) for kept in still]
        )
        # One that was not written is newer in the archive than here, which its number forbids.
        refused = {kept[0] for kept, done in zip(still, written, strict=True) if not done.ok}
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for rested in candidates:
                if rested not in refused:
                    places = _places(book, rested.kind, rested.id)
                    page, bit = book.archived_bit(places[0])
                    names = (*places, book.recalled, page)
                    pipeline.eval(REST, len(names), *names, rested.sequence, rested.name, str(bit))
            return sum(await pipeline.execute())

    def _operation(self, payer: str, rested: Rested, archived: Archived) -> Operation:
        """Write over what is older."""
        name = _document_id(payer, rested.kind, rested.id)
        kept = {"fields": archived.fields, "tokens": archived.tokens}
        return Operation(
            action="index",
            index=self._indices.archive,
            id=name,
            version=int(rested.sequence),
            same_version=True,
            document={
                "payer": payer,
                "kind": rested.kind,
                **{
                    field: self._seal.close(orjson.dumps(each).decode(), f"{name}|{field}")
                    for field, each in kept.items()
                },
            },
        )


def _places(book: BookKeys, kind: Kind, name: str) -> tuple[str, str]:
    if kind == "claim":
        return book.claim(name), book.claim(name)
    return book.accounts(name), book.tokens(name)


def _document_id(payer: str, kind: Kind, name: str) -> str:
    return f"{payer}|{kind}|{name}"
