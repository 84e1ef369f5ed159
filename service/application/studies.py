"""Studies: claims that are kept, or those of a file, with all that could cover them.

A study needs the engines once, and is made beside the requests. It is listed, and read back as it
was made.
"""

import asyncio
import hashlib
import heapq
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from service.access.act import note, tell_notes
from service.application import claims as claims_asked
from service.application.intake import NotFound
from service.application.parts import Caller
from service.application.rules import active_texts
from service.domain.answers import MatchClass
from service.domain.claim import Claim, ClaimType
from service.domain.engine_fault import EngineFault
from service.domain.misfits import Misfit, refuse
from service.domain.person import Person
from service.domain.template import MATCH_DAYS_MAX
from service.domain.values import Frozen, Text
from service.flow.matching.counting import held_beside
from service.flow.matching.match import mother_of
from service.rules.rule_set import RuleSet
from service.rules.texts import read_folder
from service.stores.connection.clock import now, today
from service.stores.connection.reading import Listing
from service.stores.studies.kept import Kept, KeptClaim, Wanted
from service.stores.studies.studies import PART_BYTES, Head, Names
from service.tuning.study import (
    Decided,
    Hashing,
    StudyClaim,
    decided_in,
    reach_of,
    read_line,
    widest_search,
    write_line,
)

LINES_MAX = 100_000
"""The lines of a study: so many are judged in memory."""
CLAIMS_MAX = 20_000
"""The claims that are taken of those that are kept, at most and where nobody says otherwise."""

BEAT_S = 2.0
_AT_ONCE = 8
_READ_AT_ONCE = 100
_TIMEOUT_MS = 10_000
_FIELDS = frozenset(Claim.model_fields) | {
    field.alias for field in Claim.model_fields.values() if field.alias
}

Json = dict[str, Any]
Tell = Callable[[str], object]


class NoSuchStudy(LookupError):
    """There is no study, or no report, of this id."""


class NotDone(Misfit):
    """A study or a report that is not done: the text says what it is."""


class KeptFrom(Frozen):
    """Which claims that are kept: answered on these days, perhaps of a type, a class, an event."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]
    claim_type: ClaimType | None = None
    match_class: Annotated[MatchClass | None, Field(alias="class")] = None
    event: Text | None = None
    sample: Annotated[int, Field(ge=1, le=CLAIMS_MAX)] = CLAIMS_MAX
    seed: int = 0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            refuse("KeptFrom", [(("to",), "the period ends before it starts")])
        return self


class StudyAsked(Frozen):
    """What a study is made of: of ``kept`` claims, of ``claims``, or of the ``golden`` set.

    ``days``: so far around the days of a claim authorizations are taken; no template can be tried
    that looks further.
    """

    name: Text
    days: Annotated[int, Field(ge=0, le=MATCH_DAYS_MAX)] | None = None
    kept: KeptFrom | None = None
    claims: tuple[Claim, ...] | None = Field(default=None, min_length=1)
    golden: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(each is not None for each in (self.kept, self.claims, self.golden)) != 1:
            refuse("StudyAsked", [((), "one of 'kept', 'claims' and 'golden' is needed")])
        return self


@dataclass(frozen=True, slots=True)
class Sent:
    """A claim for a study, and how it was decided."""

    claim: Claim
    decided: tuple[Decided, ...] = ()


async def set_in_force(caller: Caller) -> RuleSet:
    """The rules in force for services of today; those of the folder before any are kept."""
    try:
        number, texts = await active_texts(caller)
    except NotFound:
        return RuleSet(await asyncio.to_thread(read_folder, caller.parts.settings.queries_dir))
    return RuleSet(texts, number)


async def begin(caller: Caller, asked: StudyAsked) -> Head:
    """Have a study made beside the requests; its head says how far it is.

    Raises TooMuchWaits, Misfit for too many lines, EngineFault.
    """
    jobs = caller.parts.jobs
    jobs.check_room()
    if asked.claims is not None:
        check_lines(sum(len(claim.lines) for claim in asked.claims))
    head = new_head(caller, asked)

    async def work() -> None:
        await recorded(caller, head, lambda tell: make(caller, head, asked, tell))

    await caller.stores.studies.write(caller.payer, head)
    jobs.add(work)
    return head


def new_head(caller: Caller, asked: StudyAsked, source: str | None = None) -> Head:
    """A study that is not made yet; ``source`` names the file that its claims are from."""
    at = now()
    said: Json = {"name": asked.name, "days": days_of_study(caller, asked)}
    if asked.kept is not None:
        said["kept"] = asked.kept.model_dump(mode="json", by_alias=True)
    else:
        said["source"] = source or ("the golden set" if asked.golden else "claims that were sent")
    by = caller.subject.title
    return Head(
        kind="study", id=secrets.token_hex(8), status="waiting", at=at, beat=at, by=by, said=said
    )


def days_of_study(caller: Caller, asked: StudyAsked) -> int:
    """How far around a claim authorizations are taken; as far as any template may, if not asked."""
    if asked.days is not None:
        return asked.days
    plans = caller.parts.rules.of(caller.payer, today()).plans.values()
    return max(plan.template.settings.match_days.max for plan in plans)


def check_lines(lines: int) -> None:
    """Raise Misfit for more lines than a study may have."""
    if lines > LINES_MAX:
        raise Misfit(f"a study has at most {LINES_MAX} claim lines, these are {lines}", "claims")


async def recorded(
    caller: Caller,
    head: Head,
    work: Callable[[Tell], Awaitable[Head]],
    store: Callable[[Head], Awaitable[None]] | None = None,
) -> Head:
    """Do the work of a study or report, and write down how far it is, and if it failed.

    What came of it is stored, as its head alone if not said, when nothing more is written of how
    far it is.
    """
    studies = caller.stores.studies
    doing, over = "waiting", asyncio.Event()

    def tell(what: str) -> None:
        nonlocal doing
        doing = what

    async def beat() -> None:
        while not over.is_set():
            running = replace(head, status="running", said={**head.said, "doing": doing})
            with suppress(EngineFault):
                await studies.write(caller.payer, running)
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), BEAT_S)

    async def write(kept: Head) -> None:
        over.set()  # and not cancelled: a request that is on its way may arrive after the next one
        await beating
        if store is None or kept.status == "failed":
            await studies.write(caller.payer, kept)
        else:
            await store(kept)

    beating = asyncio.create_task(beat())
    try:
        done = await work(tell)
        await write(done)
    except Exception as error:
        reason = str(error) if isinstance(error, EngineFault | Misfit) else type(error).__name__
        await write(replace(head, status="failed", said={**head.said, "reason": reason}))
        raise
    finally:
        over.set()
    return done


async def make(caller: Caller, head: Head, asked: StudyAsked, tell: Tell) -> Head:
    """Make a study and write its parts; gives its head with all hashes.

    Raises Misfit where it has no claims, EngineFault.
    """
    if asked.claims is not None:
        sent = _all_of([Sent(claim) for claim in asked.claims])
    elif asked.kept is not None:
        sent = kept_claims(caller, asked.kept)
    else:
        sent = golden_claims(caller)
    return await freeze(caller, head, sent, tell)


async def freeze(caller: Caller, head: Head, sent: AsyncIterator[Sent], tell: Tell) -> Head:
    """Take all that could cover these claims at this moment, and write it."""
    rules = await set_in_force(caller)
    hashing, part, size, parts = Hashing(), list[bytes](), 0, 0
    names: list[tuple[str, list[int]]] = []
    claims = lines = candidates = cut = 0
    taken_at = now()
    studies = caller.stores.studies
    async for one in frozen(caller, sent, int(head.said["days"])):
        line = write_line(one)
        hashing.add(line)
        part.append(line)
        names.append((one.claim.claim_id, [each.line for each in one.claim.lines]))
        size += len(line)
        claims, lines = claims + 1, lines + len(one.claim.lines)
        candidates, cut = candidates + len(one.candidates), cut + one.is_cut
        check_lines(lines)
        tell(f"{claims} claims")
        if size >= PART_BYTES:
            await studies.write_part(caller.payer, head, parts, b"\n".join(part), names)
            part, names, size, parts = [], [], 0, parts + 1
    if not claims:
        raise Misfit("there are no such claims", "kept")
    if part:
        await studies.write_part(caller.payer, head, parts, b"\n".join(part), names)
        parts += 1
    said = {
        **head.said,
        "taken_at": taken_at,
        "claims": claims,
        "lines": lines,
        "authorizations": candidates,
        "cut": cut,
        "parts": parts,
        "rules": {"number": rules.number, "hash": rules.hash},
        "hashes": hashing.hashes(),
    }
    return replace(head, status="done", said=said)


async def frozen(caller: Caller, sent: AsyncIterator[Sent], days: int) -> AsyncIterator[StudyClaim]:
    """The claims with all that could cover them, all as of one moment, in their order."""
    async with caller.stores.search.point_in_time() as point:
        waiting: list[asyncio.Task[StudyClaim]] = []
        try:
            async for one in sent:
                waiting.append(asyncio.create_task(_frozen(caller, one, days, point)))
                if len(waiting) >= _AT_ONCE:
                    yield await waiting.pop(0)
            while waiting:
                yield await waiting.pop(0)
        finally:
            for task in waiting:
                task.cancel()


async def _frozen(caller: Caller, sent: Sent, days: int, point: str) -> StudyClaim:
    claim, search = sent.claim, caller.stores.search
    person, held = await _person(caller, claim)
    reach = reach_of(claim, days)
    everybody = person
    if (mother := mother_of(claim)) is not None:
        hers = await search.prepare(caller.payer, mother)
        everybody = replace(person, former=(*person.former, *hers.ids))
    asked = widest_search(claim, reach, timeout_ms=_TIMEOUT_MS)
    found = await search.search(caller.payer, everybody, asked, point=point)
    return StudyClaim(
        claim=claim,
        person=person,
        candidates=found.candidates,
        reach=reach,
        held=held,
        decided=sent.decided,
        is_cut=found.total > len(found.candidates),
    )


async def _person(caller: Caller, claim: Claim) -> tuple[Person, Any]:
    """Who the member is, and what is counted for him beside this claim."""
    books = caller.stores.accumulators
    found = await books.look_up(caller.payer, claim.claim_id, claim.member.id, counters=True)
    if found.may_rest:
        found = await books.recall(caller.payer, found)
    return found.person, held_beside(found)


async def _all_of(sent: Sequence[Sent]) -> AsyncIterator[Sent]:
    for one in sent:
        yield one


async def kept_claims(caller: Caller, asked: KeptFrom) -> AsyncIterator[Sent]:
    """Claims that are kept, as they were sent last; of too many a sample by the seed."""
    wanted = Wanted(
        first=asked.first,
        last=asked.last,
        claim_type=asked.claim_type,
        match_class=asked.match_class,
        event=asked.event,
    )
    newest = await newest_kept(caller, wanted)

    def draw(one: Kept) -> bytes:
        return hashlib.sha256(f"{asked.seed}|{one.claim_id}".encode()).digest()

    async for _, found in read_kept(caller, heapq.nsmallest(asked.sample, newest, key=draw)):
        yield as_sent(found)


async def golden_claims(caller: Caller) -> AsyncIterator[Sent]:
    """The claims of which lines are labelled, as they were when the first label was given."""
    found = [each async for each in caller.stores.golden.claims(caller.payer)]
    for each in sorted(found, key=lambda claim: str(claim["claim"]["claim_id"])):
        claim = Claim.model_validate(each["claim"])
        yield Sent(claim, tuple(map(decided_in, each["decided"])))


async def newest_kept(caller: Caller, wanted: Wanted) -> list[Kept]:
    """Where the claims are kept that are wanted, each as it was sent last; in no order."""
    await caller.stores.projection.project(caller.payer)
    newest: dict[str, Kept] = {}
    async for one in caller.stores.kept.find(caller.payer, wanted):
        known = newest.get(one.claim_id)
        if known is None or (known.version, known.at) < (one.version, one.at):
            newest[one.claim_id] = one
    return list(newest.values())


async def read_kept(
    caller: Caller, places: Sequence[Kept]
) -> AsyncIterator[tuple[Kept, KeptClaim]]:
    """The claims that are kept at these places, but those that were dropped since."""
    for start in range(0, len(places), _READ_AT_ONCE):
        part = places[start : start + _READ_AT_ONCE]
        for place, found in zip(part, await caller.stores.kept.read(part), strict=True):
            if found is not None:
                yield place, found


def as_sent(kept: KeptClaim) -> Sent:
    """A kept claim without what an examiner added, and what was decided of its lines."""
    claim = Claim.model_validate({k: v for k, v in kept.sent.items() if k in _FIELDS})
    decided = tuple(
        Decided(
            line=line["line"],
            kind=result["type"],
            match_class=result["class"],
            chosen=tuple(result["chosen"]),
            events=tuple(event["code"] for event in result["events"]),
            disposition=line.get("disposition"),
        )
        for line in kept.lines
        for result in line["results"]
    )
    return Sent(claim, decided)


async def claims_of_x12(caller: Caller, content: bytes) -> AsyncIterator[Claim]:
    """The claims of an X12 file; raises Misfit for the first that cannot be read."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    async for sent in claims_asked.sent_in(caller, chunks()):
        if sent.claim is None:
            raise Misfit(sent.reason or "a claim of the file cannot be read", "claims")
        yield Claim.model_validate(dict(sent.claim))


async def listing(caller: Caller, kind: Any, *, size: int, after: str | None) -> Listing[Head]:
    """A page of studies or reports, the newest first; raises BadCursor, EngineFault."""
    return await caller.stores.studies.page(caller.payer, kind, size=size, after=after)


async def read(caller: Caller, id_: str) -> Head:
    """The head of a study; raises NoSuchStudy, EngineFault."""
    head = await caller.stores.studies.read(caller.payer, "study", id_)
    if head is None:
        raise NoSuchStudy("there is no study of this id")
    return head


async def lines_of(caller: Caller, head: Head) -> AsyncIterator[bytes]:
    """The claims of a study, each as a line of JSON; raises NotDone, EngineFault."""
    count = _parts_of(head)
    async for part in caller.stores.studies.parts(caller.payer, head, range(count)):
        for line in part.split(b"\n"):
            yield line


async def read_back(caller: Caller, head: Head) -> AsyncIterator[bytes]:
    """The lines of a study, part by part, each when the trail says whose claims are in it.

    Raises NotDone, EngineFault.
    """
    count = _parts_of(head)
    async for part in caller.stores.studies.parts(caller.payer, head, range(count)):
        claims = [orjson.loads(line)["claim"] for line in part.split(b"\n")]
        note(
            claims=(each["claim_id"] for each in claims),
            members=(each["member"]["id"] for each in claims),
        )
        await tell_notes()
        yield part + b"\n"


async def names_of(caller: Caller, head: Head) -> list[Names]:
    """What the claims of a study are called, part by part; raises NotDone, EngineFault."""
    return await caller.stores.studies.names(caller.payer, head, _parts_of(head))


async def claims_of(
    caller: Caller, head: Head, names: Sequence[Names], wanted: Collection[str]
) -> dict[str, StudyClaim]:
    """Claims of a study by their ids; no other is read than the parts in which they are.

    They are noted, as what the caller is shown.
    """
    some = [part for part, of_part in enumerate(names) if any(n in wanted for n, _ in of_part)]
    found = {}
    contents = caller.stores.studies.parts(caller.payer, head, some)
    for part in some:
        lines = (await anext(contents)).split(b"\n")
        for (name, _), line in zip(names[part], lines, strict=True):
            if name in wanted:
                found[name] = read_line(line)
    note(claims=found, members=(each.claim.member.id for each in found.values()))
    return found


def _parts_of(head: Head) -> int:
    if head.status != "done":
        raise NotDone(f"this study is not done: {head.status}", "study")
    return int(head.said["parts"])


def told(head: Head) -> Json:
    """A study or report as it is answered."""
    answer = {"id": head.id, "status": head.status, "at": head.at, "by": head.by, **head.said}
    return answer | ({"study": head.study} if head.study else {})
