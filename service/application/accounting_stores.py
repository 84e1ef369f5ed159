"""All rooms that keep account of units, opened together."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from service.stores.connection.clients import ElasticsearchClient, RedisClient
from service.stores.connection.durability import Durability
from service.stores.connection.names import IndexNames
from service.stores.ledger.bucket_books import BucketBooks
from service.stores.ledger.epoch import Epoch
from service.stores.ledger.guard import Guard
from service.stores.ledger.projection import Projection
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.rebuilding import Rebuilding
from service.stores.ledger.reconciliation import Reconciliation
from service.stores.ledger.records import Records
from service.stores.members.who import Members
from service.stores.units.accumulators import Accumulators


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingStores:
    """The accumulators, their ledger, and what keeps both true."""

    accumulators: Accumulators
    projection: Projection
    ledger: LedgerReading
    records: Records
    epoch: Epoch
    durability: Durability
    guard: Guard
    rebuilding: Rebuilding
    reconciliation: Reconciliation

    def by_name(self) -> dict[str, Any]:
        """Give them by their names, for a dataclass that has them too."""
        return {each.name: getattr(self, each.name) for each in fields(AccountingStores)}


def open_accounting(
    elasticsearch: ElasticsearchClient,
    redis: RedisClient,
    indices: IndexNames,
    members: Members,
    *,
    payers: Iterable[str],
    sweep_s: float,
    is_weak_allowed: bool,
) -> AccountingStores:
    """Open them on these clients."""
    keys = members.visibility.keys
    projection = Projection(elasticsearch, redis, indices, keys, payers, sweep_s=sweep_s)
    accumulators = Accumulators(redis, keys, members, projection.touch)
    ledger = LedgerReading(elasticsearch, redis, indices, projection)
    epoch = Epoch(elasticsearch, redis, indices, keys, ledger)
    books = BucketBooks(redis, keys, ledger)
    durability = Durability(redis, is_weak_allowed=is_weak_allowed)
    guard = Guard(durability, epoch)
    return AccountingStores(
        accumulators=accumulators,
        projection=projection,
        ledger=ledger,
        records=Records(ledger, accumulators),
        epoch=epoch,
        durability=durability,
        guard=guard,
        rebuilding=Rebuilding(redis, keys, projection, ledger, epoch, books),
        reconciliation=Reconciliation(keys, projection, ledger, epoch, books),
    )
