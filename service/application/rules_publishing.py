"""What puts rules in force: publish, roll back, and take over what a rebuild changed."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import Field

from service.application._rule_check import check_texts
from service.application.parts import Caller
from service.application.rules import (
    STORED,
    Answer,
    Asked,
    Reason,
    RulesRefused,
    check_rebased,
    draft_of,
    kept_of,
    pointer_of,
    problem,
    problems_of,
    refuse,
    step_of,
    stored_otherwise,
    texts_by,
    version_of,
    version_shown,
)
from service.domain.engine_fault import EngineFault
from service.domain.values import Day
from service.querying.problem import TemplatesRefused
from service.rules import life
from service.rules.book import StoredReferencesDiffer
from service.rules.calendar import Calendar
from service.rules.life import (
    Pointer,
    StepRefused,
    Version,
)
from service.rules.rule_set import RuleSet
from service.stores.connection.clock import today

ATTEMPTS_MAX = 10


class PublishAsked(Asked):
    """From which day of service a set is for; without it, for all days of the set before.

    ``despite_gates`` says why it is published though no report of the draft holds the gates.
    """

    effective_from: Day | None = None
    despite_gates: Reason | None = None


class RollbackAsked(Asked):
    """Which older set to restore, else the one before, in place of ``over``, else that of today."""

    to: int | None = Field(default=None, ge=1)
    over: int | None = Field(default=None, ge=1)


@dataclass(slots=True)
class _Made:
    """Sets that are about to be published, with the calendars that name them."""

    calendars: dict[str, Calendar] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    sets: list[RuleSet] = field(default_factory=list)


async def publish(caller: Caller, draft_id: str, asked: PublishAsked) -> Answer:
    """Put an approved draft in force, on what is in force by now; the set that it became.

    Raises NotFound, StepRefused, and RulesRefused for what overlaps with what somebody else
    published, for a day that is past, and for a set that is wrong. Then nothing of it is seen.
    """
    starts = asked.effective_from
    if starts is not None and starts < today():
        way_out = "leave it out to change days past as well, or give a day from today on"
        raise StepRefused("/effective_from", "a set is not scheduled for days past", way_out)
    step = step_of(caller, "publish", asked).model_copy(update={"draft": draft_id})
    checked: set[str] = set()

    async def make(pointer: Pointer) -> _Made:
        draft = (await draft_of(caller, draft_id)).draft
        life.publishable(draft, step.who, asked.despite_gates)
        calendar = pointer.calendar(caller.payer)
        over = calendar.over(draft.base, starts, today())
        if over.number != draft.base:
            await check_rebased(caller, pointer, draft, over.number)
        texts = life.with_changed(await texts_by(caller, over.hash), draft.changed)
        new = RuleSet(texts, pointer.last + 1)
        if new.hash not in checked:
            refuse(await problems_of(caller, texts))
            checked.add(new.hash)
        made = Version(
            number=pointer.last + 1,
            hash=new.hash,
            payer=caller.payer,
            made=step.model_copy(update={"number": new.number, "content": draft.content}),
            title=draft.title,
            over=over.number,
            starts=starts,
            authors=draft.authors,
            evaluation=draft.evaluation,
            approved=draft.approved,
            despite_gates=asked.despite_gates,
        )
        return _replacing(calendar, made, new, over.number)

    return await _put(caller, make)


async def rollback(caller: Caller, asked: RollbackAsked) -> Answer:
    """Put the texts of an older set in force at once, as a new one; by one person.

    Raises NotFound, and RulesRefused for a set that is not in force, or cannot be any more.
    """
    step = step_of(caller, "rollback", asked)

    async def make(pointer: Pointer) -> _Made:
        calendar = pointer.calendar(caller.payer)
        over = asked.over or calendar.on(today()).number
        if calendar.standing(over, today()) == "retired":
            told = f"set {over} is not in force (any more): `over` names one that is"
            raise RulesRefused(problem("/over", told), is_conflict=True)
        to = asked.to or (await version_of(caller, pointer, over)).over
        if to is None:
            told = f"there is no set before {over}: `to` names one"
            raise RulesRefused(problem("/to", told))
        target = await version_of(caller, pointer, to)
        new = RuleSet(await texts_by(caller, target.hash), pointer.last + 1)
        refuse(await stored_otherwise(caller, new.texts))
        made = Version(
            number=pointer.last + 1,
            hash=new.hash,
            payer=caller.payer,
            made=step.model_copy(update={"number": new.number}),
            title=target.title,
            over=over,
            restores=to,
        )
        return _replacing(calendar, made, new, over)

    return await _put(caller, make)


async def adopt_stored(
    caller: Caller, texts: Mapping[str, str], asked: Asked, *, dry: bool = False
) -> list[int]:
    """Have all sets in force say how authorizations are stored now, as new sets; their numbers.

    For after a rebuild of the indices with these texts, and ``dry`` before it: then nothing is
    changed. Raises RulesRefused where a set would be wrong with them.
    """
    step = step_of(caller, "migrate", asked)
    ours: life.Changed = {name: texts.get(name) for name in STORED}

    async def make(pointer: Pointer) -> _Made:
        made, numbers = _Made(), dict[tuple[str, int], int]()
        for payer, calendar in pointer.calendars.items():
            for term in calendar.terms:
                old = await texts_by(caller, term.hash)
                new = RuleSet(life.with_changed(old, ours), pointer.last + 1 + len(made.sets))
                if new.hash == term.hash or (payer, term.number) in numbers:
                    continue
                refuse((await check_texts(new.texts))[0].problems)
                numbers[payer, term.number] = pointer.last + 1 + len(made.sets)
                made.sets.append(new)
                made.versions.append(
                    Version(
                        number=numbers[payer, term.number],
                        hash=new.hash,
                        payer=payer,
                        made=step.model_copy(update={"number": new.number}),
                        over=term.number,
                    )
                )
                current = made.calendars.get(payer, calendar)
                made.calendars[payer] = current.published(
                    numbers[payer, term.number], new.hash, term.number, None
                )
        return made

    if dry:
        await make((await pointer_of(caller)).pointer)
        return []
    return [each.number for each in await _moved(caller, make)]


def _replacing(calendar: Calendar, made: Version, new: RuleSet, over: int) -> _Made:
    return _Made(
        calendars={made.payer: calendar.published(made.number, made.hash, over, made.starts)},
        versions=[made],
        sets=[new],
    )


async def _put(caller: Caller, make: Callable[[Pointer], Awaitable[_Made]]) -> Answer:
    (version,) = await _moved(caller, make)
    calendar = (await pointer_of(caller)).pointer.calendar(caller.payer)
    return version_shown(version, calendar)


async def _moved(
    caller: Caller, make: Callable[[Pointer], Awaitable[_Made]]
) -> tuple[Version, ...]:
    """Change what is in force; made anew where somebody else was quicker. Raises EngineFault."""
    kept = kept_of(caller)
    for _ in range(ATTEMPTS_MAX):
        seen = await pointer_of(caller)
        await kept.complete(seen.pointer)
        made = await make(seen.pointer)
        if not made.sets:
            return ()
        for each in made.sets:
            await kept.keep_texts(each.hash, each.texts)
        pointer = seen.pointer.moved(made.calendars, *made.versions)
        if await kept.point(pointer, seen.seen):
            await kept.complete(pointer)
            if caller.parts.in_force is not None:
                # It is in force, whatever keeps this worker from taking it.
                with suppress(EngineFault, TemplatesRefused, StoredReferencesDiffer):
                    await caller.parts.in_force.look()
            return pointer.published
    raise EngineFault("elasticsearch", "which rules are in force is being changed")
