"""All rooms that keep account of units, opened together."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from service.stores.connection.clients import ElasticsearchClient, RedisClient
from service.stores.connection.durability import Durability
from service.stores.connection.names import IndexNames
from service.stores.ledger.epoch import Epoch
from service.stores.ledger.guard import Guard
from service.stores.ledger.projection import Projection
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.rebuilding import Rebuilding
from service.stores.ledger.reconciliation import Reconciliation
from service.stores.ledger.records import Records
from service.stores.ledger.resting import Resting
from service.stores.ledger.shelf_books import ShelfBooks
from service.stores.members.who import Members
from service.stores.units.accumulators import Accumulators
from service.stores.units.archive import Archive


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
    archive: Archive
    resting: Resting
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
    rest_days: int,
) -> AccountingStores:
    """Open them on these clients."""
    keys = members.visibility.keys
    projection = Projection(elasticsearch, redis, indices, keys, payers, sweep_s=sweep_s)
    ledger = LedgerReading(elasticsearch, redis, indices, keys, projection)
    epoch = Epoch(elasticsearch, redis, indices, keys, ledger)
    archive = Archive(elasticsearch, redis, indices, keys)
    books = ShelfBooks(redis, keys, ledger, archive)
    durability = Durability(redis, is_weak_allowed=is_weak_allowed)
    guard = Guard(durability, epoch)
    accumulators = Accumulators(redis, keys, members, archive, guard.ensure, projection.touch)
    return AccountingStores(
        accumulators=accumulators,
        projection=projection,
        ledger=ledger,
        records=Records(ledger),
        epoch=epoch,
        durability=durability,
        guard=guard,
        archive=archive,
        resting=Resting(redis, keys, ledger, archive, payers, days=rest_days),
        rebuilding=Rebuilding(redis, keys, projection, ledger, epoch, books),
        reconciliation=Reconciliation(keys, projection, ledger, epoch, books),
    )
