"""What is asked of a draft that is tried on live claims: begin, how it does, end."""

from typing import Annotated

from pydantic import Field

from service.application._shadows import BUDGET, together
from service.application.parts import Caller
from service.application.rules import (
    Answer,
    Asked,
    draft_of,
    kept_of,
    pointer_of,
    problems_of,
    refuse,
    step_of,
    texts_by,
    version_of,
)
from service.application.rules_drafts import OPEN
from service.application.rules_publishing import Made, change
from service.rules import life
from service.rules.life import Pointer, Shadow, StepRefused
from service.rules.rule_set import RuleSet


class ShadowAsked(Asked):
    """How many percent of the claims a draft judges beside the set in force, by their ids."""

    share: Annotated[int, Field(strict=True, ge=1, le=100)] = 100


async def start(caller: Caller, draft_id: str, asked: ShadowAsked) -> Answer:
    """Try a draft on live claims from now on, as it stands; what it came to so far.

    Raises NotFound, StepRefused where another draft is tried, RulesRefused for one that is wrong.
    """
    step = step_of(caller, "shadow", asked).model_copy(update={"draft": draft_id})
    draft = (await draft_of(caller, draft_id)).draft
    if draft.state not in OPEN:
        raise StepRefused("/state", f"the draft is {draft.state}", "begin another draft")
    base = await version_of(caller, (await pointer_of(caller)).pointer, draft.base)
    new = RuleSet(life.with_changed(await texts_by(caller, base.hash), draft.changed))
    refuse(await problems_of(caller, new.texts))
    shadow = Shadow(
        draft=draft_id,
        content=draft.content,
        hash=new.hash,
        base=draft.base,
        share=asked.share,
        began=step.at,
    )

    async def make(pointer: Pointer) -> Made:
        known = pointer.shadows.get(caller.payer)
        if known is not None and known.draft != draft_id:
            reason = f"draft {known.draft} is tried on live claims already"
            raise StepRefused("/state", reason, "stop it first")
        at = step.model_copy(update={"content": draft.content})
        return Made(pointer.shadowed(caller.payer, shadow, at), [new])

    await change(caller, make)
    return await shown(caller, draft_id)


async def stop(caller: Caller, draft_id: str, asked: Asked) -> Answer:
    """Try a draft on live claims no more; what it came to. Raises NotFound, StepRefused."""
    await draft_of(caller, draft_id)
    step = step_of(caller, "unshadow", asked).model_copy(update={"draft": draft_id})

    async def make(pointer: Pointer) -> Made:
        known = pointer.shadows.get(caller.payer)
        if known is None or known.draft != draft_id:
            raise StepRefused("/state", "the draft is not tried on live claims", "start it first")
        return Made(pointer.shadowed(caller.payer, None, step))

    await change(caller, make)
    return await shown(caller, draft_id)


async def shown(caller: Caller, draft_id: str) -> Answer:
    """What live claims came to by a draft as it stands, beside the set in force.

    Raises NotFound, EngineFault.
    """
    draft = (await draft_of(caller, draft_id)).draft
    known = (await pointer_of(caller)).pointer.shadows.get(caller.payer)
    shadow = known if known is not None and known.draft == draft_id else None
    content = draft.content if shadow is None else shadow.content
    name = life.shadow_name(draft_id, content)
    counted = together(await kept_of(caller).tallies(caller.payer, name))
    counts = counted["counts"]
    return {
        "draft": draft_id,
        "content": content,
        "is_current": content == draft.content,
        "state": "stopped" if shadow is None else "running",
        "share": None if shadow is None else shadow.share,
        "began": None if shadow is None else shadow.began,
        "claims": counts.get("claims", 0),
        "not_comparable": counted["not_comparable"],
        "dropped": counts.get("dropped", 0),
        "stopped": counts.get("stopped", 0),
        "budget": BUDGET,
        "seconds": round(counts.get("ms", 0) / 1000, 3),
        "lines": counted["lines"],
        "examples": counted["examples"],
    }
