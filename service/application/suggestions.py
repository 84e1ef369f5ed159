"""Suggestions: what thresholds, leads and weights the golden set speaks for, as a draft.

It is looked for by a process of its own, offered with its report, and published by nobody but
those who approve drafts.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from service.application import golden, reports, rules_drafts, studies
from service.application.parts import Caller
from service.application.rules import Asked, active_texts, step_of
from service.application.rules_drafts import DraftWanted
from service.application.studies import Json, NoSuchStudy, NotDone, Tell
from service.domain.misfits import Misfit
from service.querying.problem import TemplatesRefused
from service.rules.changes import changes
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts
from service.stores.connection.clock import now
from service.stores.studies.studies import Head
from service.tuning.measures import Labels
from service.tuning.process import labels_as_json
from service.tuning.report import MINUTES
from service.tuning.suggesting import LABELS_MIN, PARTS, TRIES, Search

_REASON_MAX = 2_000
_TITLE_MAX = 200


class SuggestionAsked(Asked):
    """Of which study a suggestion is made.

    ``parts``: so many times a part of the claims is left out, and then judged by what the others
    speak for; each time, and for all of them, at most ``tries`` other values are tried. The same
    seed draws the same parts.
    """

    study: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    parts: Annotated[int, Field(ge=2, le=20)] = PARTS
    tries: Annotated[int, Field(ge=1, le=5_000)] = TRIES

    @property
    def search(self) -> Search:
        """How to look for it."""
        return Search(seed=self.seed, parts=self.parts, tries=self.tries)


async def begin(caller: Caller, asked: SuggestionAsked) -> Head:
    """Have a suggestion made beside the requests; its head says how far it is.

    Raises NotActing, NoSuchStudy, NotDone, NotFound, TooMuchWaits, Misfit for too few labels.
    """
    caller.parts.jobs.check_room()
    head = await new_head(caller, asked)

    async def work() -> None:
        await studies.recorded(caller, head, lambda tell: make(caller, head, asked, tell))

    await caller.stores.studies.write(caller.payer, head)
    caller.parts.jobs.add(work)
    return head


async def new_head(caller: Caller, asked: SuggestionAsked) -> Head:
    """A suggestion that is not made yet; raises as ``begin`` does."""
    step_of(caller, "begin", asked)
    found = await studies.read(caller, asked.study)
    if found.status != "done":
        raise NotDone(f"this study is not done: {found.status}", "study")
    await active_texts(caller)
    labels = await golden.labels(caller)
    if len(labels.right) < LABELS_MIN:
        reason = f"the golden set has {len(labels.right)} lines that count, {LABELS_MIN} are needed"
        raise Misfit(f"{reason}: label more of them (golden next), or import labels", "study")
    at = now()
    return Head(
        kind="suggestion",
        id=secrets.token_hex(8),
        status="waiting",
        at=at,
        beat=at,
        by=caller.subject.title,
        said={"reason_given": asked.reason, "tries": asked.tries},
        study=asked.study,
    )


async def make(caller: Caller, head: Head, asked: SuggestionAsked, tell: Tell) -> Head:
    """Look for a suggestion; where it holds on lines that it was not made from, draft it.

    Raises Misfit for too few labels, BudgetSpent, TemplatesRefused, RulesRefused, EngineFault.
    """
    number, texts = await active_texts(caller)
    before, labels = RuleSet(texts, number), await golden.labels(caller)
    found = await _searched(caller, asked, before, labels, tell)
    after = RuleSet(found.pop("texts"))
    words = [each.words for each in changes(before.texts, after.texts)]
    said: Json = {
        **head.said,
        **found,
        "rules": {"number": before.number, "hash": before.hash},
        "changes": words,
        "says": words_of(found, words),
        "draft": None,
        "report": None,
    }
    if words and found["holds"]:
        said["report"] = await _reported(caller, asked.study, before, after, labels, tell)
        said["draft"] = await _drafted(caller, asked, before, after, said)
    return replace(head, status="done", said=said)


async def _searched(
    caller: Caller, asked: SuggestionAsked, before: RuleSet, labels: Labels, tell: Tell
) -> Json:
    study = await studies.read(caller, asked.study)
    lines = [line async for line in studies.lines_of(caller, study)]
    search = asked.search
    given: Json = {
        "search": {name: getattr(search, name) for name in search.__dataclass_fields__},
        "texts": dict(before.texts),
        "labels": labels_as_json(labels),
    }
    said = await reports.made_apart(caller, given, lines, tell)
    if "refused" in said:
        raise TemplatesRefused(load_texts(before.texts).problems)
    if "suggestion" not in said:
        raise Misfit(str(said.get("failed", "the suggestion could not be made")), "study")
    found: Json = said["suggestion"]
    return found


async def _reported(
    caller: Caller, study: str, before: RuleSet, after: RuleSet, labels: Labels, tell: Tell
) -> str:
    """Have the report of the draft made first: where it cannot be, there is no draft."""
    head = await reports.new_head(caller, study, before, after)

    def also(what: str) -> None:
        tell(f"the report: {what}")

    await reports.recorded(caller, head, before, after, labels=labels, minutes=MINUTES, also=also)
    return head.id


async def _drafted(
    caller: Caller, asked: SuggestionAsked, before: RuleSet, after: RuleSet, said: Json
) -> str:
    changed: dict[str, str | None] = {
        name: text for name, text in after.texts.items() if before.texts.get(name) != text
    }
    wanted = DraftWanted(
        title=f"suggested: {'; '.join(said['changes'])}"[:_TITLE_MAX],
        reason=f"{asked.reason} ({said['says']})"[:_REASON_MAX],
        by=asked.by,
        base=before.number,
        changed=changed,
    )
    return str((await rules_drafts.begin(caller, wanted))["id"])


def words_of(found: Json, changed: Sequence[str]) -> str:
    """What a suggestion comes to, in words."""
    if not changed:
        return f"nothing better was found in {found['tried']} tries"
    now, then, unseen = (_counts(found[each]) for each in ("now", "suggested", "unseen"))
    held = "" if found["holds"] else ": it does not hold there, so there is no draft"
    return (
        f"of {found['labels']} labelled lines {now} are taken by the rules in force, {then} by the"
        f" suggestion, {unseen} on lines that it was not made from{held}"
    )


def _counts(measure: Any) -> str:
    return f"{measure['right']} rightly and {measure['wrong']} wrongly"


async def read(caller: Caller, id_: str) -> Head:
    """The head of a suggestion; raises NoSuchStudy, EngineFault."""
    head = await caller.stores.studies.read(caller.payer, "suggestion", id_)
    if head is None:
        raise NoSuchStudy("there is no suggestion of this id")
    return head
