"""The audit trail: who saw or changed whose data, and whether anybody touched the trail itself."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from service.access.act import Act, current, note
from service.access.chain import START, read_head
from service.access.subject import BadPart, local_subject
from service.application.parts import Application, Caller
from service.domain.member_ids import written_member_id
from service.stores.audit.reading import Wanted as Wanted

PAGE = 500


class Rows(TypedDict):
    """Some rows, the newest first, how many there are in all, and where to go on."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    next: str | None


async def page(
    caller: Caller, wanted: Wanted, *, member: str | None = None, size: int, after: str | None
) -> Rows:
    """A page of rows, of a ``member`` those under every id of the person; raises BadCursor."""
    reading = caller.stores.trail_reading
    if member is not None:
        note(members=(member,))
        person = await caller.stores.members.person(caller.payer, member)
        ids = dict.fromkeys((member, *person.ids))
        wanted = replace(wanted, persons=reading.person(caller.payer, list(ids)))
    found = await reading.page(caller.payer, wanted, size=size, after=after)
    return {"rows": found.entries, "total": found.total, "next": found.next_}


async def export(
    caller: Caller, wanted: Wanted, *, member: str | None
) -> AsyncIterator[Mapping[str, Any]]:
    """All rows that fit, the newest first; raises EngineFault."""
    named, after = member and written_member_id(member), None
    while True:
        found = await page(caller, wanted, member=named, size=PAGE, after=after)
        for each in found["rows"]:
            yield each
        after = found["next"]
        if after is None:
            return


async def heads(parts: Application, payers: Sequence[str]) -> dict[str, str]:
    """How far the trails of these payers go, else of all, signed: to be kept where neither is."""
    reading = parts.stores.trail_reading
    found = {each: await reading.head(each) for each in payers or await reading.everybody()}
    return {payer: head for payer, head in found.items() if head is not None}


async def verify(
    parts: Application, payers: Sequence[str], after: str | None = None
) -> AsyncIterator[tuple[str, str]]:
    """What does not fit in the trails of these payers, else of all: the payer, and what and where.

    ``after`` is a head that was kept of one payer: the trail must go on from there. Raises BadPart
    for one that is none, EngineFault.
    """
    stores = parts.stores
    head = START
    if after is not None:
        (payer,) = payers
        found = read_head(stores.trail.key, payer, after)
        if found is None:
            raise BadPart("--after", "this is not a head of this payer's trail")
        head = found
    for each in payers or await stores.trail_reading.everybody():
        async for problem in stores.verification.problems(each, head):
            yield each, problem


async def tell(parts: Application, payers: Sequence[str]) -> None:
    """Write that the current command did something for these payers; raises EngineFault."""
    act = current() or Act()
    for payer in payers:
        part = act.part()
        part.trail, part.payer, part.by = parts.stores.trail, payer, local_subject(payer).title
        await part.tell()
