"""A page of a long worklist, against the bare search that it needs."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from benchmarks.measure import Connection, Measured, at_most, p50_in_turns
from service.application.parts import Stores
from service.domain.work_item import WorkItem, item_id
from service.rules.texts import load_rules
from service.settings import Settings

PAGE = 50
AT_ONCE = 2_000
_EVENTS = ("SPA-0009", "SPA-0010", "SPA-0011", "SPA-0012", "SPA-0016")


def rows(
    settings: Settings,
    payer: str,
    service: Connection,
    engine: Connection,
    claims: Sequence[dict[str, Any]],
    count: int,
    turns: int,
) -> Iterator[Measured]:
    """Page a worklist of so many items, of which a page is of claims that were adjudicated."""
    run = uuid.uuid4().hex[:8]
    for place, each in enumerate(claims[:PAGE]):
        unknown = {"claim_id": f"W{run}-{place}", "member": {"id": f"W{run}"}}
        service.post("/adjudicate", orjson.dumps(each | unknown | {"lines": each["lines"][:1]}))
    asyncio.run(_fill(settings, payer, count, run))
    query = f"/worklist?state=open&kind=suspended&size={PAGE}"
    body = orjson.dumps(_search(payer))
    path = f"/{settings.index_prefix}worklist/_search"

    def page() -> None:
        found = orjson.loads(service.get(query))
        if found["total"] < count or len(found["items"]) != min(PAGE, len(claims)):
            raise RuntimeError("the worklist is not the one that is measured")

    def bare() -> None:
        engine.post(path, body)

    for warm in (page, bare) * 5:
        warm()
    pair = p50_in_turns([page] * turns, [bare] * turns)
    yield at_most(f"page of a worklist of {count:,} items, p50", *pair, 2.5, "ms")


def _search(payer: str) -> dict[str, Any]:
    """What finds the same page."""
    clauses = {"payer": payer, "state": "open", "kind": "suspended"}
    return {
        "query": {"bool": {"filter": [{"term": {name: each}} for name, each in clauses.items()]}},
        "sort": [{"priority": "asc"}, {"due": "asc"}, {"item_id": "asc"}],
        "size": PAGE,
        "track_total_hits": True,
    }


async def _fill(settings: Settings, payer: str, count: int, run: str) -> None:
    """Put items there that are less urgent than those of the claims, so that no page shows them."""
    stores = Stores(settings, load_rules(Settings()).stored)
    try:
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(count, start + AT_ONCE))
            await stores.worklist.found(payer, [_item(run, number) for number in numbers])
        await stores.worklist.refresh()
    finally:
        await stores.close()


def _item(run: str, number: int) -> WorkItem:
    return WorkItem(
        item_id=item_id("bench", run, number),
        kind="suspended",
        since=f"2026-10-{number % 28 + 1:02}T09:00:00.000+00:00",
        due=f"2027-06-{number % 28 + 1:02}T09:00:00+00:00",
        priority=9,
        entry="1-1",
        claim_id=f"X{run}-{number}",
        claim_version=1,
        line=1,
        member_id=f"M{number % 5_000}",
        claim_type="professional",
        query_type="professional",
        events=(_EVENTS[number % len(_EVENTS)],),
        units="1",
        unit="UN",
        amount=f"{number % 900 + 10}.00",
    )
