"""Drafts of rules: begun, changed, checked, evaluated, reviewed."""

import secrets
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from service.access.subject import BadPart
from service.application import claims
from service.application.parts import Caller
from service.application.rules import (
    Answer,
    Asked,
    RulesRefused,
    check_rebased,
    checked,
    draft_of,
    kept_of,
    paged,
    pointer_of,
    problem,
    problems_of,
    refuse,
    step_of,
    texts_by,
    texts_of,
    version_of,
)
from service.domain.answers import MatchAnswer
from service.domain.claim import Claim
from service.domain.values import Frozen, Identifier, Text
from service.rules import life
from service.rules.life import (
    Draft,
    Evaluation,
    StepRefused,
)
from service.rules.rule_set import RuleSet
from service.rules.texts import CHARACTERS_MAX, FILES_MAX
from service.stores.connection.clock import today
from service.stores.rules.kept import SeenDraft

OPEN = ("draft", "evaluated", "in review", "approved")

FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(([a-z0-9][a-z0-9_\-]{0,63}|(reference|fixtures)/[a-z0-9][a-z0-9_\-]{0,63})"
        r"\.yaml|tables/[a-z0-9][a-z0-9_\-]{0,63}\.json)$"
    ),
]
Changed = Annotated[dict[FileName, str | None], Field(max_length=FILES_MAX)]


class DraftWanted(Asked):
    """Texts to be changed, null for a file to be taken out, of a set: else that of today."""

    title: Text
    changed: Changed
    base: int | None = Field(default=None, ge=1)


class DraftEdited(Asked):
    """All that a draft changes from now on, and the set that it is of, else the one before.

    With ``content``, only if the draft still says what has this hash.
    """

    changed: Changed
    base: int | None = Field(default=None, ge=1)
    content: str | None = None


class ApprovalAsked(Asked):
    """What is approved: with ``content``, only if the draft still says what has this hash."""

    content: str | None = None


class ReportNoted(NamedTuple):
    """A report on a draft: its id, its hash, and whether its gates hold."""

    id: str
    hash: str
    gates_hold: bool


class TryAsked(Frozen):
    """A claim, or the id of one that was adjudicated, and what a draft would change.

    Null is a file that is taken out; without ``changed`` it is what the draft changes.
    """

    changed: Changed | None = None
    claim: Claim | None = None
    claim_id: Identifier | None = None


class Tried(TypedDict):
    """What is wrong with texts, and what a claim is answered by the rules in force and by them."""

    problems: list[Answer]
    before: MatchAnswer | None
    after: MatchAnswer | None


async def begin(caller: Caller, wanted: DraftWanted) -> Answer:
    """Begin a draft; raises NotFound for an unknown set, RulesRefused where nothing differs."""
    step = step_of(caller, "begin", wanted)
    pointer = (await pointer_of(caller)).pointer
    number = wanted.base or pointer.calendar(caller.payer).on(today()).number
    base = await version_of(caller, pointer, number)
    changed = _differing(await texts_by(caller, base.hash), wanted.changed)
    draft_id = f"d{secrets.token_hex(8)}"
    draft = Draft(
        id=draft_id,
        payer=caller.payer,
        title=wanted.title,
        base=number,
        changed=changed,
        authors=(step.who,),
        last=step.model_copy(update={"draft": draft_id, "content": life.content_hash(changed)}),
    )
    await _write(caller, draft, None)
    return draft_shown(draft)


async def edit(caller: Caller, draft_id: str, wanted: DraftEdited) -> Answer:
    """Change a draft; what was said of other texts is gone.

    Raises NotFound, StepRefused, and RulesRefused where nothing differs from its set.
    """
    step = step_of(caller, "edit", wanted)
    found = await draft_of(caller, draft_id)
    if wanted.content not in (None, found.draft.content):
        raise StepRefused("/content", "the draft is not the one that was seen", "read it again")
    pointer = (await pointer_of(caller)).pointer
    number = wanted.base or found.draft.base
    base = await texts_by(caller, (await version_of(caller, pointer, number)).hash)
    changed = _differing(base, wanted.changed)
    if number != found.draft.base and life.content_hash(changed) == found.draft.content:
        await check_rebased(caller, pointer, found.draft, number)
    return await _taken(caller, found, life.edited(found.draft, changed, number, step))


async def drafts(caller: Caller, *, is_open: bool, size: int, after: str | None) -> Answer:
    """Drafts of the payer, those that were touched last first; raises BadCursor."""
    states = OPEN if is_open else (*OPEN, "published", "dropped")
    page = await kept_of(caller).drafts(caller.payer, states, size=size, after=after)
    return paged(page, lambda each: draft_shown(each.draft))


async def draft(caller: Caller, draft_id: str) -> Answer:
    """A draft with its texts; raises NotFound."""
    found = (await draft_of(caller, draft_id)).draft
    return {**draft_shown(found), "changed": found.changed}


def draft_shown(draft: Draft) -> Answer:
    """A draft as it is shown, without its texts."""
    shown = draft.model_dump(mode="json", exclude={"changed", "steps"})
    return {**shown, "content": draft.content, "files": sorted(draft.changed)}


async def check(caller: Caller, draft_id: str) -> Answer:
    """All that is wrong with the set that a draft would make; raises NotFound, EngineFault."""
    texts = await texts_of(caller, (await draft_of(caller, draft_id)).draft.id)
    problems = await problems_of(caller, texts)
    return {"problems": [each.as_dict() for each in problems], "hash": RuleSet(texts).hash}


async def tried(caller: Caller, draft_id: str, asked: TryAsked) -> Tried:
    """Judge a claim by a draft with other texts, beside the rules in force; nothing is kept.

    Red tests of templates are told, and it is judged all the same. The id of a claim needs
    billing.charge.read. Raises NotFound, UnknownClaim, BadPart, NotPermitted, TableFault,
    EngineFault.
    """
    claim = await _tried_claim(caller, asked)
    draft = (await draft_of(caller, draft_id)).draft
    base = await version_of(caller, (await pointer_of(caller)).pointer, draft.base)
    changed = draft.changed if asked.changed is None else asked.changed
    found = await checked(caller, life.with_changed(await texts_by(caller, base.hash), changed))
    told = [each.as_dict() for each in found.problems]
    if found.book is None:
        return {"problems": told, "before": None, "after": None}
    before, after = await claims.tried(caller, claim, found.book)
    return {"problems": told, "before": caller.shown(before), "after": caller.shown(after)}


async def _tried_claim(caller: Caller, asked: TryAsked) -> Claim:
    if asked.claim is not None and asked.claim_id is None:
        return asked.claim
    if asked.claim is not None or asked.claim_id is None:
        raise BadPart("/claim", "one of `claim` and `claim_id`")
    caller.subject.demand("billing.charge.read", "/claim_id")
    _, claim = await claims.as_sent(caller, asked.claim_id)
    return claim


async def evaluate(
    caller: Caller,
    draft_id: str,
    asked: Asked,
    report: ReportNoted | None = None,
) -> Answer:
    """Check a draft and, where nothing is wrong, note what was evaluated, with its report.

    Raises NotFound, RulesRefused, StepRefused.
    """
    step = step_of(caller, "evaluate", asked)
    found = await draft_of(caller, draft_id)
    texts = await texts_of(caller, draft_id)
    refuse(await problems_of(caller, texts))
    evaluation = Evaluation(
        content=found.draft.content,
        base=found.draft.base,
        report=report.id if report else None,
        report_hash=report.hash if report else None,
        gates_hold=report.gates_hold if report else None,
    )
    return await _taken(caller, found, life.evaluated(found.draft, evaluation, step))


async def submit(caller: Caller, draft_id: str, asked: Asked) -> Answer:
    """Ask for a review; raises NotFound, StepRefused."""
    found = await draft_of(caller, draft_id)
    step = step_of(caller, "submit", asked)
    return await _taken(caller, found, life.submitted(found.draft, step))


async def approve(caller: Caller, draft_id: str, asked: ApprovalAsked) -> Answer:
    """Approve what somebody else wrote; raises NotFound, StepRefused."""
    found = await draft_of(caller, draft_id)
    step = step_of(caller, "approve", asked)
    return await _taken(caller, found, life.approved(found.draft, step, asked.content))


async def reject(caller: Caller, draft_id: str, asked: Asked) -> Answer:
    """Give a draft back to its authors; raises NotFound, StepRefused."""
    found = await draft_of(caller, draft_id)
    return await _taken(caller, found, life.rejected(found.draft, step_of(caller, "reject", asked)))


async def drop(caller: Caller, draft_id: str, asked: Asked) -> Answer:
    """Give a draft up; raises NotFound, StepRefused, also while it is tried on live claims."""
    found = await draft_of(caller, draft_id)
    tried = (await pointer_of(caller)).pointer.shadows.get(caller.payer)
    if tried is not None and tried.draft == draft_id:
        raise StepRefused("/state", "the draft is tried on live claims", "stop that first")
    return await _taken(caller, found, life.dropped(found.draft, step_of(caller, "drop", asked)))


def _differing(base: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str | None]:
    """What differs from a set; raises RulesRefused where nothing does, or it is too much."""
    differing = {name: text for name, text in changed.items() if base.get(name) != text}
    if not differing:
        raise RulesRefused(problem("/changed", "nothing differs from the set it is of"))
    if sum(len(text or "") for text in differing.values()) > CHARACTERS_MAX:
        raise RulesRefused(problem("/changed", f"at most {CHARACTERS_MAX} characters in all"))
    return differing


async def _taken(caller: Caller, found: SeenDraft, draft: Draft) -> Answer:
    await _write(caller, draft, found)
    return draft_shown(draft)


async def _write(caller: Caller, draft: Draft, found: SeenDraft | None) -> None:
    if not await kept_of(caller).write_draft(draft, found.seen if found else None):
        told = "the draft was changed by somebody else meanwhile: read it again"
        raise RulesRefused(problem("/state", told), is_conflict=True)
