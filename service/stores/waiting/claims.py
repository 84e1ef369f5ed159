"""Reads claims that wait for an authorization: which, as they were sent, and if they still do."""

from collections.abc import Iterable
from typing import Any

from service.accounting.books.books import Home, Moved
from service.accounting.books.claim_state import RESERVED, USED, is_same_entry
from service.accounting.books.record import Draft
from service.domain.work_item import WorkItem
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.ledger.records import Records, read_record
from service.stores.units.accumulators import Accumulators
from service.stores.units.elsewhere import bucket_in


class WaitingClaims:
    """Changes nothing; raises EngineFault."""

    def __init__(
        self, redis: RedisClient, keys: KeyNames, records: Records, accumulators: Accumulators
    ) -> None:
        """Share the client with the other stores."""
        self._redis = redis
        self._keys = keys
        self._records = records
        self._accumulators = accumulators

    async def page(self, payer: str, owner: str, *, after: str, size: int) -> list[str]:
        """Give some claims of a member that wait, in order, those after one."""
        key = self._keys.bucket(payer, bucket_in(owner)).waiting(owner)
        with translated_errors():
            start = f"({after}" if after else "-"
            found: Any = await self._redis.zrangebylex(key, start, "+", start=0, num=size)
        return [str(each) for each in found]

    async def kept(self, home: Home, entry: str) -> tuple[Draft, Moved, str | None]:
        """Give the record of an adjudication, what it moved, and the claim as it was sent.

        The claim is kept only where it waited after that.
        """
        found = await self._records.entry(home, entry)
        return *read_record(found), found.fields.get("cl")

    async def stand(self, payer: str, items: Iterable[WorkItem]) -> list[bool]:
        """Tell of items whether the adjudication that each offers to repeat is still in force."""
        wanted = list(items)
        homes = await self._accumulators.homes_of(payer, [each.claim_id for each in wanted])
        with translated_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each, home in zip(wanted, homes, strict=True):
                bucket = home.bucket if home else 0
                key = self._keys.bucket(payer, bucket).claim(each.claim_id)
                pipeline.hmget(key, ["s", "v", f"e:{each.claim_version}"])
            found = await pipeline.execute()
        return [
            status in (USED, RESERVED)
            and version == str(one.claim_version)
            and entry is not None
            and is_same_entry(entry, one.entry)
            for one, (status, version, entry) in zip(wanted, found, strict=True)
        ]
