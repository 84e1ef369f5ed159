"""What is kept of merged members in Elasticsearch: a small document an id, read in realtime.

It stands in the index of the locator. Of a member that was never merged there is none; and one
document for each payer says whether there are any at all.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.names import IndexNames, member_id, merges_id
from service.stores.connection.reading import read_all, read_many, read_one

_PAGE = 1_000
_KEPT = ("into", "former", "by", "on_behalf_of", "reason", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """One member id that was merged, or into which others were.

    ``into`` is where it leads. ``former`` are ids that may lead here, directly or not: of each its
    own record is the judge. ``revision`` counts the writes of this record.
    """

    member: str
    into: str | None = None
    former: tuple[str, ...] = ()
    by: str = ""
    on_behalf_of: str = ""
    reason: str = ""
    at: str = ""
    revision: int = 0
    seen: tuple[int, int] | None = field(default=None, compare=False)

    @property
    def content(self) -> dict[str, Any]:
        """What is kept, without the member and the revision."""
        return {name: value for name, value in asdict(self).items() if name in _KEPT}


def read_record(member: str, revision: int, content: dict[str, Any]) -> MemberRecord:
    """Read a record from what is kept of it."""
    former = tuple(content["former"])
    return MemberRecord(member=member, revision=revision, **{**content, "former": former})


@dataclass(eq=False, repr=False)
class MemberRecords:
    """Reads and writes the records; a write is refused over anything but what was read."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _with_merges: set[str] = field(default_factory=set, init=False)

    async def _has_any(self, payer: str) -> bool:
        """Whether any member of a payer was ever merged; once there were, there always are."""
        if payer in self._with_merges:
            return True
        there = await read_one(
            self._elasticsearch, self._indices.locator, merges_id(payer), source=False
        )
        if there:
            self._with_merges.add(payer)
        return there is not None

    async def read(self, payer: str, members: Collection[str]) -> dict[str, MemberRecord]:
        """Read the records that there are, by member. Raises EngineFault."""
        if not members or not await self._has_any(payer):
            return {}
        ids = [member_id(payer, each) for each in members]
        found = await read_many(
            self._elasticsearch, self._indices.locator, "a record of a member", ids=ids
        )
        records = [
            replace(_of_source(doc["_source"]), seen=(doc["_seq_no"], doc["_primary_term"]))
            for doc in found
            if doc
        ]
        return {record.member: record for record in records}

    async def write(self, payer: str, record: MemberRecord) -> bool:
        """Write a record over what was read of it; tells whether that was still so."""
        if not await self._has_any(payer):
            await self._say_that_there_are(payer)
        (written,) = await run_bulk(
            self._elasticsearch,
            [
                Operation(
                    action="create" if record.seen is None else "index",
                    index=self._indices.locator,
                    id=member_id(payer, record.member),
                    seen=record.seen,
                    document={
                        "payer": payer,
                        "member_id": record.member,
                        "merged": True,
                        "merge": {**record.content, "revision": record.revision + 1},
                    },
                )
            ],
        )
        return written.ok

    async def _say_that_there_are(self, payer: str) -> None:
        """Written first: who finds nothing there need not look for any record."""
        there = Operation(
            action="create",
            index=self._indices.locator,
            id=merges_id(payer),
            document={"payer": payer},
        )
        await run_bulk(self._elasticsearch, [there])

    async def all_of(self, payer: str) -> list[MemberRecord]:
        """Read all records of a payer that were written before this was called."""
        if not await self._has_any(payer):
            return []
        merged = {"bool": {"filter": [{"term": {"payer": payer}}, {"term": {"merged": True}}]}}
        parts = read_all(self._elasticsearch, self._indices.locator, merged, size=_PAGE)
        return [_of_source(hit["_source"]) async for hits, _ in parts for hit in hits]


def _of_source(source: dict[str, Any]) -> MemberRecord:
    content = dict(source["merge"])
    return read_record(source["member_id"], content.pop("revision"), content)
