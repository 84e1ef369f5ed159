"""What is asked of rules: which are in force, what differs, what was done, what is wrong."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

from service.access.act import note
from service.application._rule_check import check_texts, checked_apart
from service.application._template_tests import RED
from service.application.intake import NotFound
from service.application.parts import Caller
from service.application.queries import check_searches
from service.domain.values import Frozen, Text
from service.querying.problem import Problem
from service.rules import life
from service.rules.book import EVERYBODY, RuleBook, StoredReferencesDiffer
from service.rules.changes import ABSENT, changes
from service.rules.life import (
    Action,
    Draft,
    Person,
    Pointer,
    Step,
    Version,
)
from service.rules.texts import load_texts
from service.stores.connection.clock import now, today
from service.stores.connection.reading import Listing
from service.stores.rules.kept import KeptRules, SeenDraft, SeenPointer

STORED = ("reference/attached.yaml", "reference/informational-modifiers.yaml")
"""The files that say how authorizations are stored: they change by a rebuild alone."""
MIGRATE = "rebuild the indices with these files: authmatch index migrate --queries DIR"

Answer = dict[str, Any]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Asked(Frozen):
    """Why something is done, and for whom where that is somebody else."""

    reason: Reason
    by: Text | None = None


class RulesRefused(Exception):
    """Rules that cannot be taken: all that is wrong with them, each with its place and way out."""

    def __init__(self, *problems: Problem, is_conflict: bool = False) -> None:
        """Keep the problems; a conflict is with what somebody else did."""
        super().__init__("; ".join(map(str, problems[:3])))
        self.problems = problems
        self.is_conflict = is_conflict


def in_force_shown(caller: Caller, pointer: Pointer) -> Answer:
    """The sets that are in force for the payer, by first day of service."""
    calendar, stage = pointer.calendar(caller.payer), pointer.stage(caller.payer)
    return {
        "payer": caller.payer,
        "own": caller.payer in pointer.calendars,
        "sets": [
            {
                "number": each.number,
                "hash": each.hash,
                "effective_from": each.starts.isoformat() if each.starts else None,
                "state": calendar.standing(each.number, today()),
            }
            for each in calendar.terms
        ],
        "stage": None
        if stage is None
        else stage.model_dump(mode="json", exclude={"steps", "is_first", "over_hash"}),
    }


async def versions(caller: Caller, *, size: int, after: str | None) -> Answer:
    """Sets that were ever published for the payer, the newest first; raises BadCursor."""
    pointer = (await pointer_of(caller)).pointer
    await kept_of(caller).complete(pointer)
    page = await kept_of(caller).versions(caller.payer, size=size, after=after)
    return paged(page, lambda each: version_shown(each, pointer, caller.payer))


async def version(caller: Caller, number: int) -> Answer:
    """A set with its texts; raises NotFound."""
    pointer = (await pointer_of(caller)).pointer
    found = await version_of(caller, pointer, number)
    texts = await texts_by(caller, found.hash)
    return {**version_shown(found, pointer, caller.payer), "texts": texts}


def version_shown(version: Version, pointer: Pointer, payer: str) -> Answer:
    """A set as it is shown: how it came to be, and whether it is in force for a payer."""
    stage = pointer.stage(payer)
    is_staged = stage is not None and stage.number == version.number
    state = "staged" if is_staged else pointer.calendar(payer).standing(version.number, today())
    return {**version.model_dump(mode="json"), "state": state}


async def texts_of(caller: Caller, which: str) -> dict[str, str]:
    """The texts of a set by its number, or of a draft by its id; raises NotFound."""
    pointer = (await pointer_of(caller)).pointer
    if which.isdecimal():
        return await texts_by(caller, (await version_of(caller, pointer, int(which))).hash)
    draft = (await draft_of(caller, which)).draft
    base = await version_of(caller, pointer, draft.base)
    return life.with_changed(await texts_by(caller, base.hash), draft.changed)


async def active_texts(caller: Caller) -> tuple[int, dict[str, str]]:
    """The set of today: its number, and its texts."""
    term = (await pointer_of(caller)).pointer.calendar(caller.payer).on(today())
    return term.number, await texts_by(caller, term.hash)


async def diff(caller: Caller, old: str, new: str) -> Answer:
    """What differs from a set or draft to another, key by key and in words; raises NotFound."""
    texts = [await texts_of(caller, each) for each in (old, new)]
    return {"from": old, "to": new, "changes": changes_shown(*texts)}


def changes_shown(old: Mapping[str, str], new: Mapping[str, str]) -> list[Answer]:
    """All that differs from one set of texts to another; a side is left out where nothing is."""
    return [
        {
            "file": each.file,
            "path": list(each.path),
            "words": each.words,
            **({} if each.before is ABSENT else {"before": each.before}),
            **({} if each.after is ABSENT else {"after": each.after}),
        }
        for each in changes(old, new)
    ]


async def history(caller: Caller, draft: str | None, *, size: int, after: str | None) -> Answer:
    """What was done with rules, by whom and why, the newest first; raises BadCursor."""
    await kept_of(caller).complete((await pointer_of(caller)).pointer)
    page = await kept_of(caller).history(caller.payer, draft, size=size, after=after)
    return paged(page, lambda each: each.model_dump(mode="json"))


class Checked(NamedTuple):
    """What is wrong with a set, and its book where a claim can be judged by it."""

    problems: list[Problem]
    book: RuleBook | None = None


async def checked(caller: Caller, texts: Mapping[str, str]) -> Checked:
    """All that is wrong with a set: texts, its tests, how it is stored, the live mapping.

    A service checks in a process of its own, within a budget; a claim can be judged by a set
    of which tests are red, and nothing else is wrong. Raises EngineFault.
    """
    if caller.parts.serving:
        report, book = await checked_apart(texts), None
    else:
        report, book = await check_texts(texts)
    if not _can_judge(report.problems):
        return Checked(report.problems)
    book = book or (await asyncio.to_thread(load_texts, texts)).book
    report.problems += stored_otherwise(caller, book)
    if _can_judge(report.problems):
        await check_searches(caller.parts, book, texts, report)
    return Checked(report.problems, book if _can_judge(report.problems) else None)


async def problems_of(caller: Caller, texts: Mapping[str, str]) -> list[Problem]:
    """All that is wrong with a set, as ``checked`` finds it; raises EngineFault."""
    return (await checked(caller, texts)).problems


def _can_judge(problems: Iterable[Problem]) -> bool:
    return all(each.code == RED for each in problems)


def stored_otherwise(caller: Caller, book: RuleBook) -> list[Problem]:
    """Why authorizations would have to be stored otherwise."""
    try:
        caller.parts.rules.check(book)
    except StoredReferencesDiffer:
        told = "authorizations are stored with other attached fields or informational modifiers"
        return [Problem(code="T020", path="", file=" or ".join(STORED), message=told, hint=MIGRATE)]
    return []


async def check_rebased(caller: Caller, pointer: Pointer, draft: Draft, number: int) -> None:
    """Raise RulesRefused where a draft bears on what was published since its set."""
    base, by_now = [
        await texts_by(caller, (await version_of(caller, pointer, each)).hash)
        for each in (draft.base, number)
    ]
    told = (
        f"set {number} took the place of {draft.base}, on which the draft is, and changes it too:"
        f" edit the draft on set {number} (base)"
    )
    found = [problem("/base", told, name) for name in life.overlaps(base, by_now, draft.changed)]
    if found:
        raise RulesRefused(*found, is_conflict=True)


def refuse(problems: list[Problem]) -> None:
    """Raise RulesRefused where anything is wrong."""
    if problems:
        raise RulesRefused(*problems)


def problem(path: str, message: str, file: str = "") -> Problem:
    """Something that cannot be taken, with the way out behind a colon."""
    reason, _, hint = message.partition(": ")
    return Problem(code="", path=path, message=reason, file=file, hint=hint or None)


def step_of(caller: Caller, action: Action, asked: Asked) -> Step:
    """A step that is taken now, by who asks; raises NotActing."""
    note(why=asked.reason)
    actor = caller.subject.acting_for(asked.by)
    who = Person(by=actor.by, on_behalf_of=actor.on_behalf_of)
    return Step(action=action, at=now(), who=who, reason=asked.reason)


async def draft_of(caller: Caller, draft_id: str) -> SeenDraft:
    """A draft of the payer; raises NotFound."""
    note(others=(draft_id,))
    found = await kept_of(caller).draft(draft_id)
    if found is None or found.draft.payer != caller.payer:
        raise NotFound("there is no such draft")
    return found


async def version_of(caller: Caller, pointer: Pointer, number: int) -> Version:
    """A version that the payer may see; the last ones stand in the pointer already.

    One of another payer is looked for like one that there is not.
    """
    seen = (caller.payer, EVERYBODY)
    published = (each for each in pointer.published if each.payer in seen)
    found = next((each for each in published if each.number == number), None)
    found = found or await kept_of(caller).version(number)
    if found is None or found.payer not in seen:
        raise NotFound(f"there is no set {number}")
    return found


async def texts_by(caller: Caller, hash_: str) -> dict[str, str]:
    """The texts of a set by its hash; raises EngineFault."""
    return (await kept_of(caller).texts([hash_]))[hash_]


async def pointer_of(caller: Caller) -> SeenPointer:
    """What is in force; raises NotFound before anything is."""
    found = await kept_of(caller).pointer()
    if found is None:
        raise NotFound("no rules are kept yet: start the service, or run `authmatch index install`")
    return found


def kept_of(caller: Caller) -> KeptRules:
    """Where rules are kept."""
    return caller.stores.rules


def paged(page: Listing[Any], show: Callable[[Any], Answer]) -> Answer:
    """A page as it is shown."""
    return {"items": [show(each) for each in page.entries], "total": page.total, "next": page.next_}
