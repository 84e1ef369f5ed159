"""What puts rules in force: publish, roll back, and take over what a rebuild changed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

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
from service.domain.values import Day, Text
from service.querying.problem import TemplatesRefused
from service.rules import life
from service.rules.book import EVERYBODY, StoredReferencesDiffer
from service.rules.calendar import Calendar
from service.rules.life import (
    Pointer,
    Stage,
    StepRefused,
    Version,
)
from service.rules.rule_set import RuleSet
from service.rules.texts import book_of
from service.stores.connection.clock import today

ATTEMPTS_MAX = 10


class PublishAsked(Asked):
    """From which day of service a set is for; without it, for all days of the set before.

    ``despite_gates`` says why it is published though no report of the draft holds the gates. With
    ``share`` it judges so many percent of the claims first, with ``only`` those of one payer of all
    that it is for.
    """

    effective_from: Day | None = None
    despite_gates: Reason | None = None
    share: Annotated[int, Field(strict=True, ge=1, le=99)] | None = None
    only: Text | None = None


class RollbackAsked(Asked):
    """Which older set to restore, else the one before, in place of ``over``, else that of today."""

    to: int | None = Field(default=None, ge=1)
    over: int | None = Field(default=None, ge=1)


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be in force next, and the sets that are to be kept before."""

    pointer: Pointer
    sets: Sequence[RuleSet] = ()


async def publish(caller: Caller, draft_id: str, asked: PublishAsked) -> Answer:
    """Put an approved draft in force, on what is in force by now; the set that it became.

    Raises NotFound, StepRefused, and RulesRefused for what overlaps with what somebody else
    published, for a day that is past, and for a set that is wrong. Then nothing of it is seen.
    """
    starts = asked.effective_from
    if starts is not None and starts < today():
        way_out = "leave it out to change days past as well, or give a day from today on"
        raise StepRefused("/effective_from", "a set is not scheduled for days past", way_out)
    is_stage = _is_stage(caller, asked)
    step = step_of(caller, "stage" if is_stage else "publish", asked)
    step = step.model_copy(update={"draft": draft_id})
    checked: set[str] = set()

    async def make(pointer: Pointer) -> Made:
        draft = (await draft_of(caller, draft_id)).draft
        life.publishable(draft, step.who, asked.despite_gates)
        _check_free(pointer, caller.payer, asked.only)
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
        if not is_stage:
            return _replacing(pointer, made, new, over.number)
        return Made(pointer.staged(caller.payer, _stage(made, over.hash, asked), made), [new])

    return await _put(caller, make)


def _stage(made: Version, over_hash: str, asked: PublishAsked) -> Stage:
    """The stage in which a set begins."""
    return Stage(
        number=made.number,
        hash=made.hash,
        over=made.over or 0,
        over_hash=over_hash,
        share=asked.share or 100,
        only=asked.only,
        began=made.made.at,
    )


def _is_stage(caller: Caller, asked: PublishAsked) -> bool:
    """Whether a set is to judge some claims first; raises StepRefused where it cannot."""
    if asked.share is None and asked.only is None:
        return False
    if asked.effective_from is not None:
        way_out = "leave out effective_from, or share and only"
        raise StepRefused("/effective_from", "a set in stages is for all days", way_out)
    if asked.only is not None and caller.payer != EVERYBODY:
        raise StepRefused("/only", "the set is of one payer alone", "leave it out")
    return True


def _check_free(pointer: Pointer, payer: str, only: str | None) -> None:
    """Raise StepRefused where a set is on its way already, or the payer has its own."""
    if (stage := pointer.stages.get(payer)) is not None:
        reason = f"set {stage.number} is on its way in stages"
        raise StepRefused("/state", reason, "widen it to all claims, or take it back first")
    if only is not None and only in pointer.calendars:
        reason = f"{only} has rules of its own"
        raise StepRefused("/only", reason, "name a payer that has the rules of all")


async def rollback(caller: Caller, asked: RollbackAsked) -> Answer:
    """Put the texts of an older set in force at once, as a new one; by one person.

    Raises NotFound, and RulesRefused for a set that is not in force, or cannot be any more.
    """
    step = step_of(caller, "rollback", asked)

    async def make(pointer: Pointer) -> Made:
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
        refuse(stored_otherwise(caller, await asyncio.to_thread(book_of, new)))
        made = Version(
            number=pointer.last + 1,
            hash=new.hash,
            payer=caller.payer,
            made=step.model_copy(update={"number": new.number}),
            title=target.title,
            over=over,
            restores=to,
        )
        return _replacing(pointer, made, new, over)

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

    made: list[Version] = []

    async def make(pointer: Pointer) -> Made | None:
        made.clear()
        sets: list[RuleSet] = []
        calendars: dict[str, Calendar] = {}
        for payer, calendar in pointer.calendars.items():
            for number, hash_ in {each.number: each.hash for each in calendar.terms}.items():
                old = await texts_by(caller, hash_)
                new = RuleSet(life.with_changed(old, ours), pointer.last + 1 + len(sets))
                if new.hash == hash_:
                    continue
                refuse((await check_texts(new.texts))[0].problems)
                sets.append(new)
                at = step.model_copy(update={"number": new.number})
                version = Version(
                    number=at.number or 0, hash=new.hash, payer=payer, made=at, over=number
                )
                made.append(version)
                current = calendars.get(payer, calendar)
                calendars[payer] = current.published(version.number, new.hash, number, None)
        return Made(pointer.moved(calendars, *made), sets) if sets else None

    if dry:
        await make((await pointer_of(caller)).pointer)
        return []
    await change(caller, make)
    return [each.number for each in made]


def _replacing(pointer: Pointer, made: Version, new: RuleSet, over: int) -> Made:
    calendar = pointer.calendar(made.payer)
    published = calendar.published(made.number, made.hash, over, made.starts)
    return Made(pointer.moved({made.payer: published}, made), [new])


async def _put(caller: Caller, make: Callable[[Pointer], Awaitable[Made]]) -> Answer:
    pointer = await change(caller, make)
    (version,) = pointer.published
    return version_shown(version, (await pointer_of(caller)).pointer, caller.payer)


async def change(caller: Caller, make: Callable[[Pointer], Awaitable[Made | None]]) -> Pointer:
    """Change what is in force; made anew where somebody else was quicker.

    Gives what is in force then, the same where nothing is to be changed. Raises EngineFault.
    """
    kept = kept_of(caller)
    for _ in range(ATTEMPTS_MAX):
        seen = await pointer_of(caller)
        await kept.complete(seen.pointer)
        made = await make(seen.pointer)
        if made is None:
            return seen.pointer
        for each in made.sets:
            await kept.keep_texts(each.hash, each.texts)
        if await kept.point(made.pointer, seen.seen):
            await kept.complete(made.pointer)
            if caller.parts.in_force is not None:
                # It is in force, whatever keeps this worker from taking it.
                with suppress(EngineFault, TemplatesRefused, StoredReferencesDiffer):
                    await caller.parts.in_force.look()
            return made.pointer
    raise EngineFault("elasticsearch", "which rules are in force is being changed")
