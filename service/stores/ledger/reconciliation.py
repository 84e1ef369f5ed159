"""Compares the accumulators with their ledger: every field, every sum, every limit.

Units may be moved meanwhile; a difference counts only if it is there when looked at once more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from service.accounting.replay.ledger import Replayed, entry_order
from service.accounting.replay.ledger_check import (
    ABSENT,
    check_holdings,
    compare_fields,
    digest,
    digest_of_all,
)
from service.accounting.replay.ledger_page import Difference
from service.accounting.replay.travelled import Kept, check_travelled, kept_in
from service.stores.connection.key_names import BucketKeys, KeyNames
from service.stores.ledger.bucket_books import BucketBooks, Held, held_by, is_same
from service.stores.ledger.epoch import AccumulatorsLost, Epoch
from service.stores.ledger.projection import Projection
from service.stores.ledger.reading import LedgerReading

Tell = Callable[[int, int], None]
"""Is told how many buckets are done, of how many."""

DIFFERENCES_MAX = 1000
_BUCKETS_AT_ONCE = 64
_KEYS_AT_ONCE = 100
_LOOKS_MORE = 2


@dataclass(slots=True, kw_only=True)
class Reconciled:
    """What was compared and what differs: at most so many, and how many there are in all."""

    payers: tuple[str, ...] = ()
    buckets: int = 0
    entries: int = 0
    hashes: int = 0
    differences: list[tuple[str, int, Difference]] = field(default_factory=list)
    difference_count: int = 0
    digest: str = ""

    def note(self, payer: str, bucket: int, found: Iterable[Difference]) -> None:
        """Keep differences, as far as there is room."""
        for each in found:
            self.difference_count += 1
            if len(self.differences) < DIFFERENCES_MAX:
                self.differences.append((payer, bucket, each))


@dataclass(slots=True)
class _Look:
    """What one look at a bucket gave."""

    entries: int = 0
    hashes: int = 0
    differences: list[Difference] = field(default_factory=list)
    digest: str = ""
    kept: dict[str, Kept] = field(default_factory=dict)


Journeys = dict[str, dict[int, Kept]]
"""Authorizations that were kept in several buckets, and what each of these knows of them."""


class Reconciliation:
    """Changes nothing but to copy what waits in the streams."""

    def __init__(
        self,
        keys: KeyNames,
        projection: Projection,
        ledger: LedgerReading,
        epoch: Epoch,
        books: BucketBooks,
    ) -> None:
        """Share the other stores."""
        self._keys = keys
        self._projection = projection
        self._ledger = ledger
        self._epoch = epoch
        self._books = books

    async def run(self, payers: Iterable[str], tell: Tell = lambda *_: None) -> Reconciled:
        """Compare all buckets of these payers, and of all that the ledger knows if there are none.

        Raises EngineFault.
        """
        result = Reconciled(payers=tuple(payers) or await self.payers())
        try:
            await self._epoch.ensure()
        except AccumulatorsLost as lost:
            missing = Difference(what="epoch", field="epoch", expected="agreed", found=str(lost))
            result.note("", 0, [missing])
        digests: dict[str, str] = {}
        for payer in result.payers:
            journeys: Journeys = {}
            await self._projection.sweep([payer])
            await self._ledger.refresh()
            counts = await self._count_keys(payer)
            known = {*await self._ledger.buckets_of(payer), *counts}
            buckets = iter([self._keys.bucket(payer, each) for each in sorted(known)])
            while some := list(islice(buckets, _BUCKETS_AT_ONCE)):
                async with self._books.held(some):
                    looks = {keys: await self._look(keys, counts[keys.number]) for keys in some}
                for keys, look in looks.items():
                    digests[f"{payer}|{keys.number:04}"] = look.digest
                    _note_journeys(journeys, keys, look)
                    await self._take(keys, look, counts, result)
                    tell(result.buckets, len(known))
            await self._check_journeys(payer, journeys, result)
        result.digest = digest_of_all(digests.items())
        return result

    async def payers(self) -> tuple[str, ...]:
        """Give all payers with units: those that may call, and those of the ledger."""
        await self._ledger.refresh()
        return tuple(dict.fromkeys((*self._projection.payers, *await self._ledger.payers())))

    async def _count_keys(self, payer: str) -> Counter[int]:
        counts: Counter[int] = Counter()
        async for key in self._books.keys_of(payer):
            counts[self._books.bucket_in(payer, key)] += 1
        return counts

    async def _take(
        self, keys: BucketKeys, look: _Look, counts: Counter[int], result: Reconciled
    ) -> None:
        """Take a look into the result; differences are looked at a second time."""
        result.buckets += 1
        result.entries += look.entries
        result.hashes += look.hashes
        if look.differences:
            await self._projection.project(keys)
            async with self._books.held([keys]):
                again = await self._look(keys, counts[keys.number])
            stands = {(each.what, each.field, each.entry) for each in again.differences}
            lasting = [
                each for each in look.differences if (each.what, each.field, each.entry) in stands
            ]
            result.note(keys.payer, keys.number, lasting)

    async def _check_journeys(self, payer: str, journeys: Journeys, result: Reconciled) -> None:
        """Compare what was kept in several buckets across them.

        They are not read at one moment: a difference counts only if it is there in every look.
        """
        lasting = _of_journeys(journeys)
        for _ in range(_LOOKS_MORE):
            names = {name for name, *_ in lasting}
            for number in sorted(_buckets_of(names, journeys)):
                keys = self._keys.bucket(payer, number)
                await self._projection.project(keys)
                async with self._books.held([keys]):
                    _note_journeys(journeys, keys, await self._look(keys, 0))
            stands = _of_journeys({name: journeys[name] for name in names})
            lasting = {each: found for each, found in stands.items() if each in lasting}
        for (name, *_), found in lasting.items():
            result.note(payer, min(journeys[name]), [found])

    async def _look(self, keys: BucketKeys, count: int) -> _Look:
        replayed = await self._books.replayed(keys)
        look = _Look()
        stored: dict[str, object] = {}
        everything = list(held_by(replayed, keys))
        for start in range(0, len(everything), _KEYS_AT_ONCE):
            some = everything[start : start + _KEYS_AT_ONCE]
            hashes = await self._books.snapshot(keys, replayed, [each.key for each in some])
            for each, found in zip(some, hashes, strict=True):
                stored[each.key] = found
                if not is_same(each.of(replayed), found):
                    look.differences += _differences(each, replayed, found)
        if look.differences or count > len(everything):
            look.differences += await self._unknown(keys, replayed)
        look.differences += await self._compare_rest(keys, replayed, stored)
        look.differences += [*replayed.differences, *check_holdings(replayed)]
        look.entries, look.hashes = replayed.count, len(everything)
        look.digest = digest(stored)
        look.kept = kept_in(replayed)
        return look

    async def _unknown(self, keys: BucketKeys, replayed: Replayed) -> list[Difference]:
        """Find hashes of which the ledger knows nothing."""
        found = {key async for key in self._books.keys_of(keys.payer, keys.number)}
        await self._books.snapshot(keys, replayed, [])
        known = {each.key for each in held_by(replayed, keys)}
        return [
            Difference(what=key, field="key", expected=ABSENT, found="a hash")
            for key in sorted(found - known)
        ]

    async def _compare_rest(
        self, keys: BucketKeys, replayed: Replayed, stored: dict[str, object]
    ) -> list[Difference]:
        """Compare under which member claims are kept, and how far the stream is."""
        owners = replayed.owners_here()
        found = await self._books.owners(keys.payer, owners)
        stored["owners"] = found
        differences = [
            Difference(
                what=f"claims {claim}", field="owner", expected=owner, found=found[claim] or ABSENT
            )
            for claim, owner in owners.items()
            if found[claim] != owner
        ]
        last = replayed.last
        given_out = await self._books.last_id(keys)
        stored["last"] = given_out
        if entry_order(given_out) < entry_order(last):
            behind = Difference(what="ledger", field="last id", expected=last, found=given_out)
            differences.append(behind)
        return differences


def _note_journeys(journeys: Journeys, keys: BucketKeys, look: _Look) -> None:
    for name, kept in look.kept.items():
        journeys.setdefault(name, {})[keys.number] = kept


def _of_journeys(journeys: Journeys) -> dict[tuple[str, str, str], Difference]:
    return {
        (name, each.what, each.field): each
        for name, kept in journeys.items()
        for each in check_travelled(name, kept.values())
    }


def _buckets_of(names: Iterable[str], journeys: Journeys) -> set[int]:
    """Give the buckets that have something to do with these, and those to which they went."""
    kept = [item for name in names for item in journeys[name].items()]
    return {number for number, _ in kept} | {
        each.next_bucket for _, each in kept if each.next_bucket is not None
    }


def _differences(
    each: Held, replayed: Replayed, found: dict[str, str] | None
) -> Iterator[Difference]:
    if found is None:
        yield Difference(what=each.what, field="type", expected="hash", found="something else")
        return
    yield from compare_fields(each.what, each.of(replayed), found)
