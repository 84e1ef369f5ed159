"""The worklist: what waits for a person, and who has it.

An item is a projection of the ledger: what was acknowledged is copied before it is read, and
whether it still stands is asked of the books. Of two who want the same item one has it, and the
other is told: it is written only over the one that was seen.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from service.access.act import note
from service.access.subject import BadPart, NotPermitted
from service.application import authorizations
from service.application.parts import Caller
from service.domain.actor import NOBODY, Actor
from service.domain.decision import Asked, Assignment, Hold, Raised, Skip, Watch
from service.domain.engine_fault import EngineFault
from service.domain.values import Frozen, Text
from service.domain.work_item import (
    OVERLAP,
    Listed,
    WorkItem,
    item_id,
    letter_item,
)
from service.domain.worklist_table import Action, ActionRow, WorklistTable
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.claim_life import UnknownClaim
from service.stores.connection.clock import now, today
from service.stores.connection.reading import Listing
from service.stores.waiting.following import CHANGED
from service.stores.waiting.worklist import ATTEMPTS_MAX, Counts
from service.stores.waiting.worklist import Sorting as Sorting
from service.stores.waiting.worklist import Wanted as Wanted

Answer = dict[str, Any]

STALE = "the item was changed since: look at it again"
_NEXT_LOOKED_AT = 20
_LOOKED_AT_ONCE = 20
"""So many grants that overlap are looked up at once: for more persons nothing is refreshed."""
FILTERS_MAX = 30
"""So many filters somebody may save."""


class NotOffered(LookupError):
    """An item that is not on the worklist; the text says so without any id."""


class Stale(Exception):
    """The item is not any more as it was seen; the text says what to do."""


async def page(
    caller: Caller, wanted: Wanted, *, sort: Sorting = "due", size: int, after: str | None
) -> Listing[Listed]:
    """A page, without items whose claim was changed since; raises BadCursor, EngineFault."""
    await _catch_up(caller)
    return await _page(caller, wanted, sort=sort, size=size, after=after)


async def page_with_counts(
    caller: Caller, wanted: Wanted, *, sort: Sorting, size: int, after: str | None
) -> tuple[Listing[Listed], Counts]:
    """The same, and how many items there are of all, by queue; raises BadCursor, EngineFault."""
    await _catch_up(caller)
    return await asyncio.gather(
        _page(caller, wanted, sort=sort, size=size, after=after), _counts(caller, Wanted())
    )


async def _catch_up(caller: Caller) -> None:
    """Have all searchable that was answered before."""
    await caller.stores.projection.project(caller.payer)
    await caller.stores.worklist.refresh()


async def _page(
    caller: Caller, wanted: Wanted, *, sort: Sorting, size: int, after: str | None
) -> Listing[Listed]:
    found = await caller.stores.worklist.page(
        caller.payer, _today(wanted), sort=sort, size=size, after=after
    )
    return replace(found, entries=tuple(await _standing(caller, found.entries)))


async def _counts(caller: Caller, wanted: Wanted) -> Counts:
    return await caller.stores.worklist.counts(caller.payer, _today(wanted), now=now())


async def counts(caller: Caller, wanted: Wanted) -> Counts:
    """How many items fit, by queue; raises EngineFault."""
    await _catch_up(caller)
    return await _counts(caller, wanted)


async def read(caller: Caller, name: str) -> Listed:
    """An item, open or decided; raises NotOffered, EngineFault."""
    await caller.stores.projection.project(caller.payer)
    return await standing(caller, name)


async def standing(caller: Caller, name: str) -> Listed:
    """The same, of what was copied from the ledger already."""
    for _ in range(ATTEMPTS_MAX):
        listed = await caller.stores.worklist.read(caller.payer, name)
        if listed is None:
            raise NotOffered("there never was an item of this id")
        if await _standing(caller, [listed]):
            return listed
    raise EngineFault("elasticsearch", "the item is being changed")


def allowed(caller: Caller, item: WorkItem) -> Mapping[Action, ActionRow]:
    """What the rules in force let one do about an item; nothing once it is decided."""
    return table_of(caller).allowed(item.kind, item.outcomes) if item.is_open else {}


def table_of(caller: Caller) -> WorklistTable:
    """What the worklist of a payer goes by today; raises RulesUnknown."""
    return caller.parts.rules.of(caller.payer, today()).references.worklist


FilterName = Annotated[Text, Field(max_length=60)]


class NamedFilter(Frozen):
    """A filter under a name; ``filters`` as the address of the page of the worklist has them."""

    name: FilterName
    filters: Annotated[str, Field(max_length=500, pattern=r"^(\?[\w.\-~%+&=:]+)?$")]


class FilterDropped(Frozen):
    """The name of a filter that is wanted no more."""

    name: FilterName


async def saved_filters(caller: Caller) -> Mapping[str, str]:
    """The filters that whoever asks saved, by name; raises EngineFault."""
    who = name_of(caller.subject.acting_for(None))
    return await caller.stores.saved_filters.of(caller.payer, who)


async def save_filter(caller: Caller, asked: NamedFilter) -> None:
    """Save a filter for whoever asks; raises BadPart for one too many, EngineFault."""
    who = name_of(caller.subject.acting_for(None))
    known = await saved_filters(caller)
    if asked.name not in known and len(known) >= FILTERS_MAX:
        raise BadPart("/name", f"{FILTERS_MAX} filters may be saved: drop one of them first")
    await caller.stores.saved_filters.save(caller.payer, who, asked.name, asked.filters)


async def drop_filter(caller: Caller, name: str) -> None:
    """Have a filter of whoever asks no more, if there is one; raises EngineFault."""
    who = name_of(caller.subject.acting_for(None))
    await caller.stores.saved_filters.drop(caller.payer, who, name)


async def take_next(caller: Caller, wanted: Wanted, asked: Asked) -> Listed:
    """Give the most urgent item that nobody has, is not held, and was not skipped by who asks.

    Raises NotOffered where there is none, NotActing, EngineFault.
    """
    who = name_of(caller.subject.acting_for(asked.by))
    free = replace(wanted, state="open", unassigned=True, held=False, not_skipped_by=who)
    found = await page(caller, free, size=_NEXT_LOOKED_AT, after=None)
    while found.entries:
        for each in found.entries:
            try:
                return await take(caller, each.item.item_id, asked)
            except Conflict:
                continue
        if found.next_ is None:
            break
        found = await page(caller, free, size=_NEXT_LOOKED_AT, after=found.next_)
    raise NotOffered("nothing waits that nobody has")


async def take(caller: Caller, name: str, asked: Asked) -> Listed:
    """Have an item; raises Conflict where somebody else has it, NotActing, NotOffered."""
    who = name_of(caller.subject.acting_for(asked.by))

    def taken(item: WorkItem) -> WorkItem:
        if item.handling.assignee not in (None, who):
            raise Conflict(f"{item.handling.assignee} has this item")
        return item.handled(assignee=who)

    return await _change(caller, name, asked, taken)


async def release(caller: Caller, name: str, asked: Asked) -> Listed:
    """Have an item no more; that of somebody else needs worklist.assign."""
    who = name_of(caller.subject.acting_for(asked.by))

    def released(item: WorkItem) -> WorkItem:
        is_assigner = "worklist.assign" in caller.subject.scopes
        if item.handling.assignee not in (None, who) and not is_assigner:
            raise NotPermitted("worklist.assign", "an item of somebody else")
        return item.handled(assignee=None)

    return await _change(caller, name, asked, released)


async def skip(caller: Caller, name: str, asked: Skip) -> Listed:
    """Leave an item to others: it is not given to who asks as the next one any more."""
    who = name_of(caller.subject.acting_for(asked.by))

    def skipped(item: WorkItem) -> WorkItem:
        handling = item.handling
        by = tuple(dict.fromkeys((*handling.skipped_by, who)))
        mine = {"assignee": None} if handling.assignee == who else {}
        return item.handled(skipped_by=by, said=asked.reason, **mine)

    return await _change(caller, name, asked, skipped)


async def hold(caller: Caller, name: str, asked: Hold) -> Listed:
    """Give an item out to nobody before a day; raises BadPart for a day that is over."""
    if asked.until is not None and asked.until <= today():
        raise BadPart("/until", "a day after today")
    until = asked.until.isoformat() if asked.until else None
    return await _change(
        caller, name, asked, lambda item: item.handled(hold_until=until, said=asked.reason)
    )


async def watch(caller: Caller, name: str, asked: Watch) -> Listed:
    """Watch an item, or watch it no more."""
    who = name_of(caller.subject.acting_for(asked.by))

    def watched(item: WorkItem) -> WorkItem:
        others = [each for each in item.handling.watchers if each != who]
        return item.handled(watchers=(*others, who) if asked.watch else tuple(others))

    return await _change(caller, name, asked, watched)


async def assign(caller: Caller, asked: Assignment) -> list[Answer]:
    """Give items to a person or a team, whoever has them; tells of each what became of it.

    Raises NotActing, EngineFault.
    """
    note(why=asked.reason)
    caller.subject.acting_for(asked.by)
    await caller.stores.projection.project(caller.payer)
    store, names = caller.stores.worklist, list(dict.fromkeys(asked.items))
    outcome: dict[str, str] = {}
    for _ in range(ATTEMPTS_MAX):
        left = [name for name in names if name not in outcome]
        found = dict(zip(left, await store.read_all(caller.payer, left), strict=True))
        known = [each for each in found.values() if each is not None]
        _note(known)
        open_ = [each for each in known if each.item.is_open]
        outcome |= {name: "unknown" for name, each in found.items() if each is None}
        outcome |= {each.item.item_id: each.item.state for each in known if not each.item.is_open}
        given = {"assignee": asked.assignee, "team": asked.team}
        done = await store.write_all(
            caller.payer, [(each.item.handled(**given), each) for each in open_]
        )
        outcome |= {
            each.item.item_id: "assigned" for each, ok in zip(open_, done, strict=True) if ok
        }
        if len(outcome) == len(names):
            return [{"item_id": name, "status": outcome[name]} for name in names]
    raise EngineFault("elasticsearch", "the items are being changed")


async def raise_item(caller: Caller, asked: Raised) -> Listed:
    """Put something on the worklist by hand; the same again is the same item.

    Raises UnknownClaim, NotActing, BadPart for what is not there, EngineFault.
    """
    note(claims=filter(None, (asked.claim_id,)), authorizations=asked.authorizations)
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    item = await _raised(caller, asked)

    def again(known: WorkItem | None, new: WorkItem) -> WorkItem | None:
        is_same = known is not None and known.is_open and known.entry == new.entry
        return None if is_same else new

    said = item.handled(said=f"{name_of(actor)}: {asked.reason}")
    await caller.stores.worklist.put(caller.payer, [said], again)
    return await standing(caller, item.item_id)


async def _raised(caller: Caller, asked: Raised) -> WorkItem:
    """The item of what somebody names, if that is there."""
    stores, payer = caller.stores, caller.payer
    named: Answer = {}
    if asked.claim_id is not None:
        claim = await stores.accumulators.read_claim(payer, asked.claim_id)
        if not claim.entries:
            raise UnknownClaim(asked.claim_id)
        named = {"claim_id": asked.claim_id, "claim_version": claim.version, "line": asked.line}
        named["entry"] = claim.entries[claim.version]
        draft, _ = await stores.records.recorded(payer, named["entry"])
        if asked.line is not None and asked.line not in {each["line"] for each in draft["lines"]}:
            raise BadPart("/line", f"the claim has no line {asked.line}")
    for place, each in enumerate(asked.authorizations):
        if (stored := await stores.reading.get(payer, each)) is None:
            raise BadPart(f"/authorizations/{place}", "there is no such authorization")
        named.setdefault("authorizations", {})[each] = int(stored.source["version"])
    if asked.letter is not None and await stores.letters.get(payer, asked.letter) is None:
        raise BadPart("/letter", "there is no such dead letter")
    subject = [asked.claim_id or "", str(asked.line), *sorted(asked.authorizations)]
    return table_of(caller).timed(
        item_id=letter_item(asked.letter) if asked.letter else item_id(asked.kind, *subject),
        kind=asked.kind,
        since=now(),
        letter=asked.letter,
        **named,
    )


def name_of(actor: Actor) -> str:
    """Who somebody is to others: the person that was named, else who was authenticated."""
    return actor.on_behalf_of or actor.by


async def _change(
    caller: Caller, name: str, asked: Asked, change: Callable[[WorkItem], WorkItem]
) -> Listed:
    """Set something on an item that is open, on whatever stands there."""
    note(why=asked.reason)
    caller.subject.acting_for(asked.by)
    for _ in range(ATTEMPTS_MAX):
        listed = await read(caller, name)
        demand_open(listed.item)
        if await caller.stores.worklist.write(caller.payer, change(listed.item), listed.seen):
            return await standing(caller, name)
    raise EngineFault("elasticsearch", "the item is being changed")


def demand_open(item: WorkItem) -> None:
    """See to it that an item is not decided; raises Conflict that says what was decided."""
    if not item.is_open:
        who = item.on_behalf_of or item.by or "the service"
        raise Conflict(f"this item is {item.state}, by {who}: {item.why or 'no reason was given'}")


def _today(wanted: Wanted) -> Wanted:
    return replace(wanted, today=today().isoformat())


def _note(listed: Sequence[Listed]) -> None:
    """Say whose data is seen."""
    note(
        claims=(each.item.claim_id for each in listed if each.item.claim_id),
        members=(each.item.member_id for each in listed if each.item.member_id),
        authorizations=(name for each in listed for name in each.item.authorizations),
        others=(each.item.letter for each in listed if each.item.letter),
    )


async def _standing(caller: Caller, listed: Sequence[Listed]) -> list[Listed]:
    """Those that still stand, or were decided; the others are closed."""
    _note(listed)
    open_ = [each.item for each in listed if each.item.is_open]
    stand = await caller.stores.waiting.stand(caller.payer, open_)
    stands = {item.item_id: does for item, does in zip(open_, stand, strict=True)}
    stands |= await _of_no_claim(caller, open_)
    kept = []
    for each in listed:
        if stands.get(each.item.item_id, True):
            kept.append(each)
        else:
            closed = each.item.decided("done", at=now(), actor=NOBODY, why=CHANGED)
            await caller.stores.worklist.write(caller.payer, closed, each.seen)
    return kept


async def _of_no_claim(caller: Caller, items: Sequence[WorkItem]) -> dict[str, bool]:
    """Whether dead letters are still open, and grants still overlap, by the ids of their items."""
    letters = {each.item_id: each.letter for each in items if each.letter is not None}
    open_ = await caller.stores.letters.open_of(caller.payer, list(letters.values()))
    stands = {name: letter in open_ for name, letter in letters.items()}
    overlaps = [each for each in items if each.kind == OVERLAP]
    for start in range(0, len(overlaps), _LOOKED_AT_ONCE):
        part = overlaps[start : start + _LOOKED_AT_ONCE]
        firsts = sorted({next(iter(each.authorizations)) for each in part})
        found = await caller.stores.reading.get_all(caller.payer, firsts)
        told = await authorizations.overlaps_of(caller, found)
        for each in part:
            first, *others = each.authorizations
            stands[each.item_id] = not set(others).isdisjoint(told.get(first, ()))
    return stands
