"""The worklist: claims for which an authorization came later, and what examiners decide."""

from dataclasses import replace

from service.application.claims import count
from service.application.parts import Caller
from service.domain.work_item import ItemDecision, ItemState, Listed
from service.flow.adjudicating.adjudicate import Adjudicated
from service.flow.late.worklist import Examining, Seen
from service.stores.connection.reading import Listing


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
    return replace(found, entries=tuple(await _examining(caller).standing(found.entries)))


async def read(caller: Caller, claim_id: str) -> Listed:
    """The item of a claim, open or decided; raises NotOffered."""
    return await _examining(caller).read(claim_id)


async def readjudicate(
    caller: Caller, claim_id: str, decision: ItemDecision, seen: Seen | None
) -> tuple[Adjudicated, Listed]:
    """Adjudicate the claim of an item anew, and close the item; ``seen`` None: whatever stands.

    Raises NotOffered, Stale, Conflict where it was decided already, BadSelection, EngineFault.
    """
    done, listed = await _examining(caller).readjudicate(claim_id, decision, seen)
    return count(done), listed


async def dismiss(
    caller: Caller, claim_id: str, decision: ItemDecision, seen: Seen | None
) -> Listed:
    """Close an item and leave its claim as it is; raises as ``readjudicate`` does."""
    return await _examining(caller).dismiss(claim_id, decision, seen)


def _examining(caller: Caller) -> Examining:
    stores, late = caller.stores, caller.parts.moving.late_claims
    return Examining(payer=caller.payer, items=stores.worklist, claims=stores.waiting, late=late)
