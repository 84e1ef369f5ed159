"""Reads claims that wait for an authorization: which, as they were sent, and if they still do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.accounting.books.books import Moved
from service.accounting.books.record import Draft
from service.domain.work_item import WorkItem
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import translated_errors
from service.stores.connection.key_names import KeyNames
from service.stores.ledger.records import Records
from service.stores.units.accumulators import Accumulators


@dataclass(eq=False, repr=False)
class WaitingClaims:
    """Changes nothing; raises EngineFault."""

    _redis: RedisClient
    _keys: KeyNames
    _records: Records
    _accumulators: Accumulators

    async def page(self, payer: str, owner: str, *, after: str, size: int) -> list[str]:
        """Some claims of a member that wait, in order, those after one."""
        start = f"({after}" if after else "-"
        with translated_errors():
            found: Any = await self._redis.zrangebylex(
                self._keys.book(payer).waiting(owner), start, "+", start=0, num=size
            )
        return [str(claim_id) for claim_id in found]

    async def kept(self, payer: str, entry: str) -> tuple[Draft, Moved]:
        """The record of an adjudication, with the claim as it was sent, and what it moved."""
        return await self._records.recorded(payer, entry)

    async def stand(self, payer: str, items: Iterable[WorkItem]) -> list[bool]:
        """Tell of items whether what each is of is still so: its adjudication is in force, or not.

        Of a negative balance, whether it is one; of what people put there, always.
        """
        wanted = list(items)
        runs = {
            each.item_id: (each.claim_id, each.claim_version, each.entry)
            for each in wanted
            if each.claim_id is not None and each.claim_version is not None
        }
        told = await self._accumulators.in_force(payer, list(runs.values()))
        stands = dict(zip(runs, told, strict=True))
        negative = [each for each in wanted if each.kind == "negative-balance"]
        names = [name for each in negative for name in each.authorizations]
        over = await self._accumulators.over(payer, names)
        stands |= {each.item_id: not over.isdisjoint(each.authorizations) for each in negative}
        return [stands.get(each.item_id, True) for each in wanted]
