"""Answers that were given: the record that rode with a movement, and what was moved with it."""

from dataclasses import replace

from service.accounting.answers.answer import bounds_in
from service.accounting.books.books import Home, Moved
from service.accounting.books.record import Draft, unpack
from service.stores.connection.faults import EngineUnavailable
from service.stores.ledger.entry import LedgerEntry
from service.stores.ledger.reading import LedgerReading
from service.stores.units.accumulators import Accumulators
from service.stores.units.movements import read_moved


class Records:
    """Reads adjudications back from the ledger."""

    def __init__(self, ledger: LedgerReading, accumulators: Accumulators) -> None:
        """Share the other stores."""
        self._ledger = ledger
        self._accumulators = accumulators

    async def recorded(self, home: Home, entry: str) -> tuple[Draft, Moved]:
        """Give a record and what was moved; one that is not there is a fault, never "new"."""
        return read_record(await self.entry(home, entry))

    async def entry(self, home: Home, entry: str) -> LedgerEntry:
        """Give the entry of an adjudication, as the state of a claim names it."""
        keys = self._accumulators.keys_of(home)
        bucket, is_named, name = entry.rpartition(":")
        if is_named:  # it was written before the claim came here
            keys, entry = self._accumulators.keys_of(replace(home, bucket=int(bucket))), name
        found = await self._ledger.entry(keys, entry)
        if found is None:
            raise EngineUnavailable("elasticsearch", "the record of an adjudication is not there")
        return found


def read_record(entry: LedgerEntry) -> tuple[Draft, Moved]:
    """Read the record of a ledger entry, and what was moved with it."""
    fields = entry.fields
    draft = unpack(fields.get("b", ""))
    moved = {name: fields.get(name) or "[]" for name in ("r", "u", "o", "w")}
    lean = fields.get("sk") or "[]"
    return draft, read_moved({**moved, "k": lean, "e": entry.id}, bounds_in(draft))
