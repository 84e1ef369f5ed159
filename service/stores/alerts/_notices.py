"""Alerts on their way to somebody, in Elasticsearch: a document each alert, person and channel.

It is made only where there is none, and sent by whoever writes first that he does: so an alert is
sent once, whatever stops in between. Only who stops between sending and saying so sends it again,
under the same id.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from elasticsearch import AsyncElasticsearch

from service.domain.alert_choice import Channel, KeptChoice
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Found, Order, read_many, read_page

AT_ONCE = 100
CLAIMED_S = 300
"""So long nobody else sends what somebody has begun to send."""

_OLDEST_FIRST: Order = [({"made_at": "asc"}, int)]

Outcome = Literal["waiting", "done", "failed", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An alert that is to be sent to somebody, at ``next_at`` at the earliest; over: it was not so
    any more by then.
    """

    payer: str
    choice: str
    channel: Channel
    alert_id: str
    made_at: str
    next_at: str
    state: Outcome = "waiting"
    tries: int = 0
    why: str | None = None
    seen: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        """Its name: the same for the same alert, person and channel."""
        told = "|".join((self.payer, self.choice, self.channel, self.alert_id))
        return hashlib.sha256(told.encode()).hexdigest()[:24]


@dataclass(eq=False, repr=False)
class Notices:
    """Reads and writes them; raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def add(self, choice: KeptChoice, channel: Channel, alerts: Iterable[str]) -> int:
        """Have alerts sent, unless they are or were on their way; says how many are new."""
        at = now()
        whose: dict[str, Any] = {"payer": choice.payer, "choice": choice.id, "channel": channel}
        made = [Due(**whose, alert_id=each, made_at=at, next_at=at) for each in alerts]
        return sum(await self.write(made))

    async def take(self, choice: KeptChoice, channel: Channel) -> list[Due]:
        """Begin to send what is due to somebody; nobody else has it meanwhile."""
        at = now()
        clauses: list[dict[str, Any]] = [
            {"term": {"choice": choice.id}},
            {"term": {"channel": channel}},
            {"term": {"state": "waiting"}},
            {"range": {"next_at": {"lte": at}}},
        ]
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.alert_notices)
        found = await read_page(
            self._elasticsearch,
            self._indices.alert_notices,
            clauses,
            _due,
            order=_OLDEST_FIRST,
            size=AT_ONCE,
            after=None,
            seq_no_primary_term=True,
        )
        until = now(after_s=CLAIMED_S)
        taken = [replace(each, next_at=until, tries=each.tries + 1) for each in found.entries]
        done = await self.write(taken)
        names = [each.id for each, ok in zip(taken, done, strict=True) if ok]
        return await self._read(names)

    async def _read(self, names: Sequence[str]) -> list[Due]:
        index = self._indices.alert_notices
        found = await read_many(self._elasticsearch, index, "a notice", ids=names)
        return [_due(each) for each in found if each]

    async def write(self, dues: Sequence[Due]) -> list[bool]:
        """Write each over what was seen, or as a new one; tells of each whether that was so."""
        operations = [
            Operation(
                action="create" if each.seen is None else "index",
                index=self._indices.alert_notices,
                id=each.id,
                document={
                    name: value
                    for name, value in asdict(each).items()
                    if name != "seen" and value is not None
                },
                seen=each.seen,
            )
            for each in dues
        ]
        return [each.ok for each in await run_bulk(self._elasticsearch, operations)]


def _due(found: Found) -> Due:
    return Due(**found["_source"], seen=(found["_seq_no"], found["_primary_term"]))
