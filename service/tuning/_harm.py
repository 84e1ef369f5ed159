"""What a change does to a line, in the order in which it harms."""

from collections.abc import Mapping
from typing import Literal

from service.tuning.judging import Verdict

Harm = Literal[
    "other_authorization",
    "exact_lost",
    "newly_automatic",
    "need_lost",
    "unwatched",
    "automatic_lost",
    "need_new",
    "other_class",
    "other_choice",
    "other_events",
    "other_template",
]

HARMS: Mapping[Harm, str] = {
    "other_authorization": "another authorization is chosen first",
    "exact_lost": "no exact match any more",
    "newly_automatic": "an authorization is taken where none was, without an examiner",
    "need_lost": "nothing is needed any more",
    "unwatched": "an examiner looks at it no more, though nothing is taken",
    "automatic_lost": "nothing is taken where an authorization was",
    "need_new": "an authorization is needed where none was",
    "other_class": "another class",
    "other_choice": "the same is chosen first, others after it",
    "other_events": "other events, or another action of theirs",
    "other_template": "another template looks for it, with the same outcome",
}
"""What may become of a line, the worst first."""

HARMFUL: tuple[Harm, ...] = (
    "other_authorization",
    "exact_lost",
    "newly_automatic",
    "need_lost",
    "unwatched",
)
"""What pays a line otherwise, or without anybody who looks at it."""

NOT_ASKED = "not-asked"
"""Stands for the class of a line for which nothing is looked for."""

CLASSES = ("exact", "non-exact", "none", NOT_ASKED)
"""The classes of a matrix, in its order."""


def class_of(verdict: Verdict | None) -> str:
    """The class, or that nothing was looked for."""
    return NOT_ASKED if verdict is None else verdict.match_class


def harm_of(before: Verdict | None, after: Verdict | None) -> Harm | None:
    """What became of a question; None where nothing did."""
    if before is None or after is None:
        needed = [each.is_required for each in (before, after) if each is not None]
        if not any(needed):
            return "other_class" if needed else None
        return "need_new" if before is None else "need_lost"
    if before.outcome == after.outcome:
        return None
    if before.chosen and after.chosen and before.chosen[0] != after.chosen[0]:
        return "other_authorization"
    if before.match_class == "exact" != after.match_class:
        return "exact_lost"
    if after.is_automatic and not before.is_automatic and before.is_required:
        return "newly_automatic"
    if before.is_required != after.is_required:
        return "need_lost" if before.is_required else "need_new"
    if before.waits and not after.waits:
        return "unwatched"
    if before.is_automatic and not after.is_automatic:
        return "automatic_lost"
    return _lesser(before, after)


def _lesser(before: Verdict, after: Verdict) -> Harm:
    if before.match_class != after.match_class:
        return "other_class"
    if before.chosen != after.chosen:
        return "other_choice"
    same = before.events == after.events and before.waits == after.waits
    return "other_template" if same and before.truncated == after.truncated else "other_events"
