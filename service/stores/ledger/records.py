"""Answers that were given: the record that rode with a movement, and what was moved with it."""

from dataclasses import dataclass

from service.accounting.answers.answer import bounds_in
from service.accounting.books.books import Moved
from service.accounting.books.record import Draft, unpack
from service.domain.engine_fault import RecordLost
from service.stores.ledger.entry import LedgerEntry
from service.stores.ledger.reading import LedgerReading
from service.stores.units.movements import read_moved


@dataclass(eq=False, repr=False)
class Records:
    """Reads adjudications back from the ledger."""

    _ledger: LedgerReading

    async def recorded(self, payer: str, entry: str) -> tuple[Draft, Moved]:
        """Read a record and what was moved; one that is not there is a fault, never "new"."""
        return read_record(await self.entry(payer, entry))

    async def entry(self, payer: str, entry: str) -> LedgerEntry:
        """Read the entry of an adjudication, as the state of a claim names it."""
        found = await self._ledger.entry(payer, entry)
        if found is None:
            raise RecordLost
        return found


def read_record(entry: LedgerEntry) -> tuple[Draft, Moved]:
    """Read the record of a ledger entry, and what was moved with it."""
    draft = unpack(entry.fields.get("b", ""))
    return draft, moved_in(entry, draft)


def moved_in(entry: LedgerEntry, draft: Draft) -> Moved:
    """Read what was moved with a record that was read already."""
    fields = entry.fields
    moved = {name: fields.get(name) or "[]" for name in ("r", "u", "o", "cg", "t", "bl", "w")}
    lean = fields.get("sk") or "[]"
    return read_moved({**moved, "k": lean, "e": entry.id}, bounds_in(draft))
