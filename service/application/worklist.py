"""The worklist: claims for which an authorization came later, and what examiners decide.

Whether an offer still stands is asked of the books whenever an item is read: one whose claim was
adjudicated anew, reversed or replaced otherwise closes by itself then. Of two who decide at once
the first one wins: an item is written only over the one that was seen.
"""

from collections.abc import Sequence
from dataclasses import replace

from service.access.act import note
from service.application.claims import count
from service.application.parts import Caller
from service.domain.actor import NOBODY, Actor
from service.domain.adjudication import Adjudication
from service.domain.engine_fault import EngineFault
from service.domain.work_item import ItemDecision, ItemState, Listed, WorkItem
from service.flow.adjudicating.adjudicate import Adjudicated, Conflict, Overtaken, adjudicate
from service.flow.adjudicating.run import Run
from service.stores.connection.clock import now
from service.stores.connection.reading import Listing

Seen = tuple[int, int]

CHANGED = "the claim was adjudicated anew, reversed or replaced"
STALE = "the item was changed since: look at it again"
ATTEMPTS_MAX = 10


class NotOffered(LookupError):
    """A claim that is not on the worklist; the text says so without the id."""


class Stale(Exception):
    """The item is not any more as it was seen; the text says what to do."""


async def page(
    caller: Caller,
    *,
    state: ItemState | None,
    authorization_id: str | None,
    claim_id: str | None = None,
    size: int,
    after: str | None,
) -> Listing[Listed]:
    """A page, the oldest offer first, without items whose claim was changed since; BadCursor."""
    found = await caller.stores.worklist.page(
        caller.payer,
        state=state,
        authorization_id=authorization_id,
        claim_id=claim_id,
        size=size,
        after=after,
    )
    return replace(found, entries=tuple(await _standing(caller, found.entries)))


async def read(caller: Caller, claim_id: str) -> Listed:
    """The item of a claim, open or decided; raises NotOffered, EngineFault."""
    for _ in range(ATTEMPTS_MAX):
        listed = await caller.stores.worklist.read(caller.payer, claim_id)
        if listed is None:
            raise NotOffered("no claim of this id was ever offered")
        if await _standing(caller, [listed]):
            return listed
    raise EngineFault("elasticsearch", "the item is being changed")


async def dismiss(
    caller: Caller, claim_id: str, decision: ItemDecision, seen: Seen | None
) -> Listed:
    """Close an item and leave its claim as it is; ``seen`` is None for whatever stands.

    Raises NotActing, NotOffered, Stale, Conflict where it was decided already, and EngineFault.
    """
    note(claims=(claim_id,), why=decision.reason)
    actor = caller.subject.acting_for(decision.by)
    listed = await _open(caller, claim_id, seen)
    await _write(caller, _decided(listed.item, decision, actor, "dismissed"), listed.seen)
    return await read(caller, claim_id)


async def readjudicate(
    caller: Caller, claim_id: str, decision: ItemDecision, seen: Seen | None
) -> tuple[Adjudicated, Listed]:
    """Adjudicate the claim of an item anew, as it was sent, and close the item.

    Raises what ``dismiss`` does, and BadSelection. The item is first written with who decides, so
    that nobody else can on what he saw before; if it ends there, the item is still open.
    """
    note(claims=(claim_id,), why=decision.reason)
    actor = caller.subject.acting_for(decision.by)
    listed = await _open(caller, claim_id, seen)
    item = listed.item
    await _write(caller, _decided(item, decision, actor, "open"), listed.seen)
    draft, _ = await caller.stores.waiting.kept(caller.payer, item.entry)
    claim = Adjudication.model_validate_json(draft["sent"])
    told = claim.model_copy(update={"reason": decision.reason})
    rules = caller.parts.rules.judging(caller.payer, claim)
    run = Run(payer=caller.payer, at=now(), rules=rules, again=True, entry=item.entry, actor=actor)
    try:
        done = await adjudicate(told, run, caller.parts.claim_stores)
    except Overtaken as overtaken:
        raise Conflict(f"{CHANGED} meanwhile") from overtaken
    return count(done), await _close(caller, _decided(item, decision, actor, "done"))


async def _standing(caller: Caller, listed: Sequence[Listed]) -> list[Listed]:
    """Those that still stand, or were decided; the others are closed."""
    note(
        claims=(each.item.claim_id for each in listed),
        members=(each.item.member_id for each in listed),
        authorizations=(name for each in listed for name in each.item.authorizations),
    )
    open_ = [each.item for each in listed if each.item.is_open]
    stand = await caller.stores.waiting.stand(caller.payer, open_)
    stands = {item.claim_id: does for item, does in zip(open_, stand, strict=True)}
    kept = []
    for each in listed:
        if stands.get(each.item.claim_id, True):
            kept.append(each)
        else:
            closed = each.item.decided("done", at=now(), actor=NOBODY, why=CHANGED)
            await caller.stores.worklist.write(caller.payer, closed, each.seen)
    return kept


async def _open(caller: Caller, claim_id: str, seen: Seen | None) -> Listed:
    listed = await read(caller, claim_id)
    if not listed.item.is_open:
        raise Conflict(f"this item is {listed.item.state}: there is nothing to decide")
    if seen is not None and seen != listed.seen:
        raise Stale(STALE)
    return listed


async def _write(caller: Caller, item: WorkItem, seen: Seen) -> None:
    if not await caller.stores.worklist.write(caller.payer, item, seen):
        raise Stale(STALE)


async def _close(caller: Caller, item: WorkItem) -> Listed:
    """Close the item of a claim that was adjudicated anew, unless it was offered again."""
    worklist = caller.stores.worklist
    for _ in range(ATTEMPTS_MAX):
        listed = await worklist.read(caller.payer, item.claim_id)
        if listed is None or listed.item.entry != item.entry:
            break
        if listed.item.decided_at == item.decided_at and not listed.item.is_open:
            return listed
        await worklist.write(caller.payer, item, listed.seen)
    return await read(caller, item.claim_id)


def _decided(item: WorkItem, decision: ItemDecision, actor: Actor, state: ItemState) -> WorkItem:
    return item.decided(state, at=now(), actor=actor, why=decision.reason)
