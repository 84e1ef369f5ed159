"""What is asked of a set that is put in force in stages: how it does, widen it, take it back."""

from typing import Annotated

from pydantic import Field

from service.application import rules
from service.application.parts import Caller
from service.application.rules import Answer, Asked, step_of
from service.application.rules_publishing import Made, change
from service.rules.life import Pointer, Stage, StepRefused


class StageAsked(Asked):
    """What is done with a set in stages: with ``number``, only if it is still this one."""

    number: Annotated[int, Field(strict=True, ge=1)] | None = None


class WidenAsked(StageAsked):
    """How many percent of the claims a set judges from now on; of ``everybody``, not of one payer.

    All claims of all for whom it is: then it is in force, and the stage is over.
    """

    share: Annotated[int, Field(strict=True, ge=1, le=100)]
    everybody: bool = False


async def in_force(caller: Caller) -> Answer:
    """The sets that are in force for the payer, and how the one that is in stages does.

    Raises NotFound, EngineFault.
    """
    pointer = (await rules.pointer_of(caller)).pointer
    shown = rules.in_force_shown(caller, pointer)
    stage = pointer.stage(caller.payer)
    if stage is not None:
        owner = pointer.owner(caller.payer)
        shown["stage"] |= {"judged": await caller.parts.stages.judged(owner, stage)}
    return shown


async def widen(caller: Caller, asked: WidenAsked) -> Answer:
    """Have the set in stages judge another share of the claims, or all; what is in force then.

    Raises NotFound, StepRefused where no set is in stages, or another one.
    """
    step = step_of(caller, "widen", asked)

    async def make(pointer: Pointer) -> Made:
        stage = _stage_of(pointer, caller.payer, asked)
        only = None if asked.everybody else stage.only
        is_whole = asked.share == 100 and only is None
        wider = stage.model_copy(update={"share": asked.share, "only": only})
        return Made(pointer.stepped(caller.payer, None if is_whole else wider, step))

    await change(caller, make)
    return await in_force(caller)


async def take_back(caller: Caller, asked: StageAsked) -> Answer:
    """Have the set before judge all claims again; what is in force then.

    Raises NotFound, StepRefused where no set is in stages, or another one.
    """
    step = step_of(caller, "return", asked)

    async def make(pointer: Pointer) -> Made:
        _stage_of(pointer, caller.payer, asked)
        return Made(pointer.stepped(caller.payer, None, step))

    await change(caller, make)
    return await in_force(caller)


def _stage_of(pointer: Pointer, payer: str, asked: StageAsked) -> Stage:
    stage = pointer.stages.get(payer)
    if stage is None:
        way_out = "publish a draft with a share of the claims first"
        raise StepRefused("/state", "no set is on its way in stages", way_out)
    if asked.number not in (None, stage.number):
        raise StepRefused("/number", f"set {stage.number} is in stages by now", "look at it first")
    return stage
