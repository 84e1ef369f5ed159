"""Writes rows of the audit trail: what was done, by whom, and whose data it touched.

A row of what moves units is written by the script that moves them; any other before the answer.
Rows that wait for Redis at the same time go there together, and each is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from elasticsearch import AsyncElasticsearch

from service.access.act import Act, Outcome, current
from service.access.chain import START, Head, sign, write_row
from service.accounting.books.books import Occasion
from service.accounting.books.rows import is_counter_book
from service.stores.audit._rows import last_head, read_anchor, with_rows
from service.stores.connection.clients import RedisClient
from service.stores.connection.clock import now
from service.stores.connection.durability import Durability
from service.stores.connection.faults import EngineUnavailable, translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.scripts import lua

Content = dict[str, Any]

IDS_MAX = 500
"""So many ids of a kind are in a row; what touched more has several rows."""
ROWS_AT_ONCE = 200
NO_ROW = ("", "")
"""For a script whose movement is a part of what has a row already."""
_SERVICE = "service"
_APPEND = "\n".join(map(lua, ("trail.lua", "trail_append.lua")))
_GO_ON = lua("trail_go_on.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What a script moves, for whom, when and why; what of that no act knows is by the service."""

    kind: str
    at: str
    by: str
    on_behalf_of: str
    why: str
    claims: Sequence[str]
    authorizations: Sequence[str]
    persons: Sequence[str]

    @classmethod
    def of(
        cls, occasion: Occasion, claims: Mapping[str, str], authorizations: Iterable[str]
    ) -> Self:
        """What is moved on an occasion; ``claims`` with the member of each."""
        return cls(
            kind=occasion.kind,
            at=occasion.at,
            by=occasion.by,
            on_behalf_of=occasion.on_behalf_of,
            why=occasion.why,
            claims=list(claims),
            authorizations=[name for name in authorizations if not is_counter_book(name)],
            persons=list(claims.values()),
        )


class Trail:
    """Appends rows; when a call returns they are durable, else it raises an EngineFault."""

    def __init__(
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        durability: Durability,
        touch: Callable[[str], None],
    ) -> None:
        """``touch`` is told of every payer whose trail has new rows."""
        self._elasticsearch = elasticsearch
        self._redis = redis
        self._indices = indices
        self._keys = keys
        self._durability = durability
        self._touch = touch
        self._append_script = redis.register_script(_APPEND)
        self._seen: dict[str, Head] = {}
        self._waiting: dict[str, list[tuple[Content, asyncio.Future[None]]]] = {}
        self._flushing: dict[str, asyncio.Task[None]] = {}

    @property
    def key(self) -> bytes:
        """The key that signs."""
        return self._keys.trail_key

    async def tell(self, act: Act, outcome: Outcome, status: int | None = None) -> None:
        """Write all that was noted, and what became of it."""
        told = {"outcome": outcome, "status": status, "scope": act.scope}
        for each in self._put(act.payer, self._rows(act, told)):
            await each

    def ask(self, act: Act) -> Awaitable[None]:
        """Begin to write what is asked for; what is returned is to be awaited before the answer."""
        (asked,) = self._put(act.payer, self._rows(act, {"outcome": "asked"}))
        return asked

    def _put(self, payer: str, rows: Sequence[Content]) -> list[asyncio.Future[None]]:
        """Have rows appended with all that wait; gives what is done when each is durable."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in rows]
        self._waiting.setdefault(payer, []).extend(zip(rows, futures, strict=True))
        if payer not in self._flushing:
            self._flushing[payer] = asyncio.create_task(self._flush(payer))
        return futures

    async def _flush(self, payer: str) -> None:
        """Append what waits, until nothing does; what comes meanwhile goes together."""
        try:
            while waiting := self._waiting.pop(payer, None):
                some, rest = waiting[:ROWS_AT_ONCE], waiting[ROWS_AT_ONCE:]
                if rest:
                    self._waiting[payer] = rest
                fault: Exception | None = None
                try:
                    await self._append(payer, [content for content, _ in some])
                except Exception as error:  # noqa: BLE001 - it is raised where each row is waited for
                    fault = error
                for _, future in some:
                    if future.done():
                        continue
                    if fault is None:
                        future.set_result(None)
                    else:
                        future.set_exception(fault)
                        future.exception()  # whoever failed otherwise does not wait for it
        finally:
            del self._flushing[payer]

    async def _append(self, payer: str, rows: Sequence[Content]) -> None:
        await self._durability.ensure()
        book = self._keys.book(payer)
        arguments = [part for each in rows for part in self._signed(payer, each)]
        for _ in range(2):
            with translated_errors():
                found: Any = await self._append_script(
                    keys=[book.trail, book.trail_head], args=arguments
                )
            if found is not None:
                self.appended(payer, found)
                return
            await self.go_on(payer)
        raise EngineUnavailable("redis", "it loses how far the audit trail goes")

    def _signed(self, payer: str, content: Content) -> tuple[bytes, str]:
        seen = self._seen.get(payer, START)
        written = write_row({**content, "seen": [seen.number, seen.link]})
        return written, sign(self._keys.trail_key, written)

    def _rows(self, act: Act, told: Mapping[str, Any]) -> list[Content]:
        """Write all that was noted, in as many rows as it takes; the act is told from now on."""
        owner = self._keys.book(act.payer).owner
        persons = dict.fromkeys([*act.persons, *map(owner, act.members)])
        kinds = {
            "claims": iter(act.claims),
            "authorizations": iter(act.authorizations),
            "persons": iter(persons),
            "others": iter(act.others),
        }
        said = {
            "payer": act.payer,
            "at": now(),
            "what": act.what,
            "by": act.by,
            "on_behalf_of": act.on_behalf_of,
            "why": act.why,
            "purpose": act.purpose,
            "source": act.source,
            "request": act.request,
            **told,
        }
        first = {name: value for name, value in said.items() if value}
        rows: list[Content] = []
        while True:
            some = {name: list(islice(ids, IDS_MAX)) for name, ids in kinds.items()}
            if rows and not any(some.values()):
                break
            rows.append(first | {name: ids for name, ids in some.items() if ids})
        act.told(told["outcome"])
        return rows

    def moving(self, payer: str, moved: Movement) -> tuple[bytes, str]:
        """The row of a movement and its signature, for the script that moves."""
        act = current() or Act(what=moved.by or _SERVICE)
        owner = self._keys.book(payer).owner
        persons = dict.fromkeys([*moved.persons, *act.persons, *map(owner, act.members)])
        said = {
            "payer": payer,
            "at": moved.at,
            "what": act.what,
            "by": moved.by or _SERVICE,
            "on_behalf_of": moved.on_behalf_of,
            "why": moved.why,
            "purpose": act.purpose,
            "source": act.source,
            "request": act.request,
            "outcome": "moved",
            "moved": moved.kind,
            "claims": list(dict.fromkeys([*moved.claims, *act.claims])),
            "authorizations": list(dict.fromkeys([*moved.authorizations, *act.authorizations])),
            "persons": list(persons),
            "others": list(act.others),
        }
        return self._signed(payer, {name: value for name, value in said.items() if value})

    def appended(self, payer: str, head: Sequence[str], act: Act | None = None) -> None:
        """Remember how far a trail goes now, as a script tells it that wrote all that was noted."""
        if act is not None:
            act.told("moved")
        known = Head(int(head[0]), head[1])
        if known.number > self._seen.get(payer, START).number:
            self._seen[payer] = known
        self._touch(payer)

    async def go_on(self, *payers: str) -> None:
        """Tell a Redis that does not know how far these trails go; raises EngineFault."""
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for payer in payers:
                pipeline.exists(self._keys.book(payer).trail_head)
            known = await pipeline.execute()
        unknown = [payer for payer, is_known in zip(payers, known, strict=True) if not is_known]
        written = await with_rows(self._elasticsearch, self._indices) if unknown else set()
        for payer in unknown:
            head = await self._end(payer) if payer in written else START
            with translated_errors():
                await self._redis.eval(
                    _GO_ON, 1, self._keys.book(payer).trail_head, head.number, head.link
                )

    async def _end(self, payer: str) -> Head:
        """How far a trail goes, as Elasticsearch has it."""
        elasticsearch, indices = self._elasticsearch, self._indices
        _, anchor = await read_anchor(elasticsearch, indices, self._keys.trail_key, payer)
        return max(await last_head(elasticsearch, indices, payer), anchor or START)
