"""Compares the accumulators with their ledger: every field, every sum, every limit.

Units may be moved meanwhile; a difference counts only if it is there when looked at once more.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.accounting.replay.ledger import FIRST_ID, Replayed, entry_order
from service.accounting.replay.ledger_check import ABSENT, check_holdings, compare_fields
from service.accounting.replay.ledger_page import Difference, Hash
from service.stores.connection.key_names import KeyNames
from service.stores.ledger.epoch import AccumulatorsLost, Epoch
from service.stores.ledger.projection import LedgerProjection
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.shelf_books import Held, Outcome, ShelfBooks, Tell, held_by

_KEYS_AT_ONCE = 100


@dataclass(slots=True)
class _Look:
    """What one look at a part of a book gave; ``stored`` are the hashes that are there, by key."""

    replayed: Replayed
    archived: int = 0
    differences: list[Difference] = field(default_factory=list)
    stored: dict[str, Hash | None] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Reconciliation:
    """Changes nothing but to copy what waits in the streams."""

    _keys: KeyNames
    _projection: LedgerProjection
    _ledger: LedgerReading
    _epoch: Epoch
    _books: ShelfBooks

    async def run(self, payers: Iterable[str], tell: Tell = lambda *_: None) -> Outcome:
        """Compare the books of these payers, and of all that the ledger knows if there are none.

        Raises EngineFault.
        """
        result = Outcome(payers=tuple(payers) or await self._ledger.everybody())
        for payer in result.payers:
            try:
                await self._epoch.confirm(payer)
            except AccumulatorsLost as lost:
                told = Difference(what="epoch", field="epoch", expected="agreed", found=str(lost))
                result.note(payer, [told])
            await self._run(payer, result, tell)
        return result

    async def _run(self, payer: str, result: Outcome, tell: Tell) -> None:
        await self._projection.project(payer)
        await self._ledger.refresh()
        counts = await self._books.count_keys(payer)
        parts, last = await self._books.parts(payer), FIRST_ID
        for done, shelves in enumerate(parts, start=1):
            look = await self._look(payer, shelves, counts)
            result.entries += look.replayed.count
            result.hashes += len(look.stored)
            result.archived += look.archived
            for key, fields in look.stored.items():
                result.condensed.add(key, fields)
            last = max(last, look.replayed.last, key=entry_order)
            if look.differences:
                result.note(payer, await self._lasting(payer, shelves, look.differences))
            tell(done, len(parts))
        given_out = await self._books.last_id(payer)
        if given_out != FIRST_ID:
            result.condensed.add(f"{payer}|last", given_out)
        if entry_order(given_out) < entry_order(last):
            behind = Difference(what="ledger", field="last id", expected=last, found=given_out)
            result.note(payer, [behind])

    async def _lasting(
        self, payer: str, shelves: range, differences: Iterable[Difference]
    ) -> list[Difference]:
        """Look once more, and keep those differences that are still there."""
        await self._projection.project(payer)
        again = await self._look(payer, shelves, await self._books.count_keys(payer))
        stands = {(each.what, each.field, each.entry) for each in again.differences}
        return [each for each in differences if (each.what, each.field, each.entry) in stands]

    async def _look(self, payer: str, shelves: range, counts: Counter[int]) -> _Look:
        async with self._books.held(payer):
            replayed = await self._books.replayed(payer, shelves)
            look = _Look(replayed)
            everything = list(held_by(replayed, self._keys.book(payer)))
            for start in range(0, len(everything), _KEYS_AT_ONCE):
                await self._compare(payer, everything[start : start + _KEYS_AT_ONCE], look)
            count = sum(counts[shelf] for shelf in shelves)
            if look.differences or count > len(everything) - look.archived:
                look.differences += await self._unknown(payer, shelves, replayed)
        look.differences += [*replayed.differences, *check_holdings(replayed)]
        return look

    async def _compare(self, payer: str, some: list[Held], look: _Look) -> None:
        """Compare hashes with Redis, and those that are not there with the archive."""
        replayed, names = look.replayed, [held.key for held in some]
        read = await self._books.snapshot(payer, replayed, names)
        found = dict(zip(names, read, strict=True))
        absent = {held.key: held for held in some if found[held.key] == {} and held.of(replayed)}
        # Without its mark the archive is not asked for it by anybody.
        marked = [absent[key] for key in await self._books.archive.marked(payer, absent)]
        archived = await self._books.archived(payer, replayed, marked)
        look.archived += len(archived)
        for held in some:
            stored = archived.get(held.key, found[held.key])
            look.stored[held.key] = stored
            if stored is None:
                look.differences.append(
                    Difference(
                        what=held.what, field="type", expected="hash", found="something else"
                    )
                )
            elif stored != held.of(replayed):
                look.differences += compare_fields(held.what, held.of(replayed), stored)

    async def _unknown(self, payer: str, shelves: range, replayed: Replayed) -> list[Difference]:
        """Find hashes of which the ledger knows nothing."""
        found = await self._books.keys_on(payer, shelves)
        await self._books.snapshot(payer, replayed, [])
        known = {held.key for held in held_by(replayed, self._keys.book(payer))}
        unknown = sorted(found - known)
        told = await self._books.told_of(payer, unknown) if unknown else []
        return [
            Difference(what=what, field="key", expected=ABSENT, found="a hash") for what in told
        ]
