"""What examiners do with the worklist: look at an item, adjudicate its claim anew, or dismiss it.

Whether an offer still stands is asked of the books whenever an item is read: one whose claim was
adjudicated anew, reversed or replaced otherwise closes by itself then. Of two who decide at once
the first one wins: an item is written only over the one that was seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from service.domain.engine_fault import EngineFault
from service.domain.work_item import ItemDecision, ItemState, Listed, WorkItem
from service.flow.adjudicating.adjudicate import Adjudicated, Conflict, Overtaken
from service.flow.late.claims import LateClaims, readjudicate

Seen = tuple[int, int]

CHANGED = "the claim was adjudicated anew, reversed or replaced"
ATTEMPTS_MAX = 10


class NotOffered(LookupError):
    """A claim that is not on the worklist."""

    def __str__(self) -> str:
        """Say so, without the id."""
        return "no claim of this id was ever offered"


class Stale(Exception):
    """The item is not any more as it was seen."""

    def __str__(self) -> str:
        """Say what to do."""
        return "the item was changed since: look at it again"


class Items(Protocol):
    """Where items are kept."""

    async def read(self, payer: str, claim_id: str) -> Listed | None:
        """The item of a claim."""
        ...

    async def write(self, payer: str, item: WorkItem, seen: Seen | None) -> bool:
        """Write an item over what was seen; tells whether that was still so."""
        ...


class Standing(Protocol):
    """Where it is known which adjudications are in force."""

    async def stand(self, payer: str, items: Iterable[WorkItem]) -> list[bool]:
        """Tell of items whether the adjudication of each is in force."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Examining:
    """The worklist of one payer, in the hands of examiners."""

    payer: str
    items: Items
    claims: Standing
    late: LateClaims

    async def read(self, claim_id: str) -> Listed:
        """An item as it stands; raises NotOffered, EngineFault."""
        for _ in range(ATTEMPTS_MAX):
            listed = await self.items.read(self.payer, claim_id)
            if listed is None:
                raise NotOffered(claim_id)
            if not listed.item.is_open or (await self.claims.stand(self.payer, [listed.item]))[0]:
                return listed
            await self.items.write(self.payer, self._closed(listed.item), listed.seen)
        raise EngineFault("elasticsearch", "the item is being changed")

    async def standing(self, listed: Sequence[Listed]) -> list[Listed]:
        """Those of a page that still stand, or were decided; the others are closed."""
        open_ = [each.item for each in listed if each.item.is_open]
        stands = dict(
            zip(
                (each.claim_id for each in open_),
                await self.claims.stand(self.payer, open_),
                strict=True,
            )
        )
        kept = []
        for each in listed:
            if stands.get(each.item.claim_id, True):
                kept.append(each)
            else:
                await self.items.write(self.payer, self._closed(each.item), each.seen)
        return kept

    async def dismiss(self, claim_id: str, decision: ItemDecision, seen: Seen | None) -> Listed:
        """Close an item and leave its claim as it is; ``seen`` is None for whatever stands.

        Raises NotOffered, Stale, Conflict where it was decided already, and EngineFault.
        """
        listed = await self._open(claim_id, seen)
        await self._write(self._decided(listed.item, decision, "dismissed"), listed.seen)
        return await self.read(claim_id)

    async def readjudicate(
        self, claim_id: str, decision: ItemDecision, seen: Seen | None
    ) -> tuple[Adjudicated, Listed]:
        """Adjudicate the claim of an item anew, as it was sent, and close the item.

        Raises what ``dismiss`` does, and BadSelection. The item is first written with who decides,
        so that nobody else can on what he saw before; if it ends there, the item is still open.
        """
        listed = await self._open(claim_id, seen)
        item = listed.item
        taken = self._decided(item, decision, "open")
        await self._write(taken, listed.seen)
        try:
            done = await readjudicate(item, self.payer, decision, self.late)
        except Overtaken as overtaken:
            raise Conflict(f"{CHANGED} meanwhile") from overtaken
        return done, await self._close(self._decided(item, decision, "done"))

    async def _open(self, claim_id: str, seen: Seen | None) -> Listed:
        listed = await self.read(claim_id)
        if not listed.item.is_open:
            raise Conflict(f"this item is {listed.item.state}: there is nothing to decide")
        if seen is not None and seen != listed.seen:
            raise Stale(claim_id)
        return listed

    async def _write(self, item: WorkItem, seen: Seen) -> None:
        if not await self.items.write(self.payer, item, seen):
            raise Stale(item.claim_id)

    async def _close(self, item: WorkItem) -> Listed:
        """Close the item of a claim that was adjudicated anew, unless it was offered again."""
        for _ in range(ATTEMPTS_MAX):
            listed = await self.items.read(self.payer, item.claim_id)
            if listed is None or listed.item.entry != item.entry:
                break
            if listed.item.decided_at == item.decided_at and not listed.item.is_open:
                return listed
            await self.items.write(self.payer, item, listed.seen)
        return await self.read(item.claim_id)

    def _decided(self, item: WorkItem, decision: ItemDecision, state: ItemState) -> WorkItem:
        at, why = self.late.now(), decision.reason
        return item.decided(state, at=at, by=decision.by, why=why)

    def _closed(self, item: WorkItem) -> WorkItem:
        return replace(item, state="done", decided_at=self.late.now(), by=None, why=CHANGED)
