"""The worklist as a table: queues with their counts, what is most urgent first, who has it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.caller import needs
from service.api.claims import After
from service.api.problem import refused_of
from service.application import worklist
from service.application.refusals import BadPart, Conflict, NotOffered
from service.application.worklist import NamedFilter, Sorting, Wanted
from service.domain.claim import ClaimType
from service.domain.decision import Asked, Assignment
from service.domain.values import Day
from service.domain.work_item import ItemKind
from service.workbench import words
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/worklist", include_in_schema=False)
SIZE = 50
Code = Annotated[str | None, Query(max_length=40, pattern=r"^[\w.\-]*$")]
"""A filter that stands in addresses: a code, never who a claim is of."""
Whose = Annotated[str | None, Query(pattern=r"^(mine|nobody|held|overdue|watched)?$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The filters of a list of items, as the address has them."""

    whose: str
    sort: Sorting
    fields: Mapping[str, str | None]

    def wanted(self, who: str) -> Wanted:
        """What to list for somebody."""
        fields: dict[str, Any] = dict(self.fields)
        if self.whose == "overdue":
            fields["due_to"] = datetime.now(UTC).isoformat(timespec="seconds")
        return Wanted(
            **fields,
            assignee=who if self.whose == "mine" else None,
            watcher=who if self.whose == "watched" else None,
            unassigned=self.whose == "nobody",
            held=self.whose == "held" or None,
        )

    def query(self, **changes: str | None) -> str:
        """The same as an address says it, with some of it otherwise."""
        all_ = {**self.fields, "whose": self.whose, "sort": self.sort, **changes}
        given = {name: str(each) for name, each in all_.items() if each and each != "due"}
        return f"?{urlencode(given)}" if given else ""


async def queue_of(
    kind: ItemKind | None = None,
    event: Code = None,
    claim_type: ClaimType | None = None,
    team: Code = None,
    whose: Whose = None,
    due_to: Day | None = None,
    sort: Sorting = "due",
) -> Queue:
    """What the address says."""
    fields = {
        "kind": kind,
        "event": event or None,
        "claim_type": claim_type,
        "team": team or None,
        "due_to": None if due_to is None else due_to.isoformat(),
    }
    return Queue(whose=whose or "", sort=sort, fields=fields)


Queued = Annotated[Queue, Depends(queue_of)]


@router.get("")
@needs("worklist.work")
async def listing(visit: Visiting, queue: Queued, after: After = None) -> Response:
    """A page of what waits."""
    return await table(visit, queue, after)


@router.post("/next")
@needs("worklist.work")
async def take_next(visit: Visiting, queue: Queued) -> Response:
    """Give whoever asks the next item of a queue; where there is none, say so over the table."""
    try:
        listed = await worklist.take_next(
            visit.caller, replace(queue.wanted(who(visit)), assignee=None), Asked()
        )
    except NotOffered:
        return await table(visit, queue, told="Nothing waits here that nobody has.")
    return RedirectResponse(f"{PREFIX}/worklist/{listed.item.item_id}{queue.query()}", 303)


@router.post("/filters")
@needs("worklist.work")
async def name_filter(visit: Visiting, queue: Queued) -> Response:
    """Give the filters of the table a name, or drop one that was given."""
    if dropped := visit.field("drop"):
        await worklist.drop_filter(visit.caller, dropped)
        return RedirectResponse(f"{PREFIX}/worklist{queue.query()}", 303)
    try:
        asked = NamedFilter.model_validate({"name": visit.field("name"), "filters": queue.query()})
        await worklist.save_filter(visit.caller, asked)
    except (ValidationError, BadPart) as refusal:
        refused = refused_of(refusal)
        return await table(visit, queue, told=refused.detail, status=refused.status)
    return RedirectResponse(f"{PREFIX}/worklist{queue.query()}", 303)


@router.post("/assign")
@needs("worklist.work")
async def assign(visit: Visiting, queue: Queued) -> Response:
    """Take an item, or give the marked ones to somebody or a team (worklist.assign)."""
    if taken := visit.field("take"):
        (name,) = Assignment.model_validate({"items": (taken,)}).items
        try:
            await worklist.take(visit.caller, name, Asked())
        except Conflict as conflict:
            return await table(visit, queue, told=refused_of(conflict).detail, status=409)
        return RedirectResponse(f"{PREFIX}/worklist{queue.query()}", 303)
    visit.caller.subject.demand("worklist.assign", "/items")
    marked = tuple(visit.fields.get("items", ()))
    if not marked:
        return await table(visit, queue, told="Mark the items first.", status=422)
    given = {name: visit.field(name) or None for name in ("assignee", "team")}
    asked = Assignment.model_validate({"items": marked, **given})
    done = await worklist.assign(visit.caller, asked)
    count = sum(each["status"] == "assigned" for each in done)
    return await table(visit, queue, told=f"{count} of {len(done)} given away.")


async def table(
    visit: Visit, queue: Queue, after: str | None = None, *, told: str = "", status: int = 200
) -> Response:
    """The page of a queue, perhaps with something said over it."""
    caller, wanted = visit.caller, queue.wanted(who(visit))
    (found, counts), saved = await asyncio.gather(
        worklist.page_with_counts(caller, wanted, sort=queue.sort, size=SIZE, after=after),
        worklist.saved_filters(caller),
    )
    now = datetime.now(UTC)
    return page(
        visit,
        "worklist.html",
        status,
        queue=queue,
        items=[each.item for each in found.entries],
        dues={each.item.item_id: words.due(each.item.due, now) for each in found.entries},
        total=found.total,
        next_=found.next_,
        counts=counts,
        saved=saved,
        told=told,
        me=who(visit),
    )


def who(visit: Visit) -> str:
    """What the worklist calls whoever looks."""
    return worklist.name_of(visit.caller.subject.acting_for(None))
