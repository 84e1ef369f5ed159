"""A member: some stories, each in its own time, and the background around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from authmatch_local.samples import (
    dental,
    inpatient,
    outpatient,
    professional_number,
    professional_provider,
    professional_scope,
    professional_status,
    referral,
)
from authmatch_local.samples.background import background
from authmatch_local.samples.days import Days
from authmatch_local.samples.expected import Template
from authmatch_local.samples.scene import SLOTS, Scene
from authmatch_local.samples.story import Story

AUTHORIZATIONS_A_STORY_MAX = 3
STORY_SHARE = 0.4
STORIES_OF_A_HEAVY_MEMBER = 4
STORIES_A_TURN = 6

STORIES: tuple[Story, ...] = tuple(
    story
    for module in (
        professional_scope,
        professional_provider,
        professional_number,
        professional_status,
        outpatient,
        inpatient,
        referral,
        dental,
    )
    for story in module.STORIES.all
)


def _cycle(stories: Sequence[Story]) -> tuple[Story, ...]:
    """The order in which members take the stories: each as often as it weighs, well mixed."""
    weighed = [story for story in stories for _ in range(story.weight)]
    Random(len(weighed)).shuffle(weighed)  # noqa: S311 - made-up data, not secrets
    return tuple(weighed)


_CYCLE = _cycle(STORIES)
_HEAVY_CYCLE = _cycle([story for story in STORIES if story.tracks == ("professional",)])


@dataclass(frozen=True, slots=True)
class MemberPlan:
    """Who a member is, how many authorizations it has, and where in the whole they begin."""

    key: str
    first_ordinal: int
    authorizations: int
    place: int
    """The member's place among all, which says whose turn it is among the stories."""
    heavy: bool = False


def live(plan: MemberPlan, days: Days, rng: Random) -> Scene:
    """Make all authorizations and claims of a member."""
    birth = f"{1936 + int(rng.random() * 80)}-{1 + int(rng.random() * 12):02d}-15"
    member = {"id": plan.key, "birth_date": birth, "gender": "FM"[int(rng.random() * 2)]}
    scene = Scene(member, plan.first_ordinal, days, rng)
    scene.heavy = plan.heavy
    _tell_stories(plan, scene)
    papers = scene.authorizations
    for ordinal in range(scene.next_ordinal, plan.first_ordinal + plan.authorizations):
        papers.append(background(ordinal, member, days, rng, heavy=plan.heavy))
    return scene


def _tell_stories(plan: MemberPlan, scene: Scene) -> None:
    wanted = max(1, int(plan.authorizations * STORY_SHARE))
    budget = STORIES_OF_A_HEAVY_MEMBER if plan.heavy else wanted
    free: dict[Template, int] = {}
    for story in _turns(plan, budget):
        if len(scene.authorizations) + AUTHORIZATIONS_A_STORY_MAX > plan.authorizations:
            return
        slot = max(free.get(track, 0) for track in story.tracks)
        if story.is_last and slot < SLOTS:
            slot = SLOTS - 1
        if slot >= SLOTS:
            continue
        free.update(dict.fromkeys(story.tracks, slot + 1))
        scene.slot, scene.story = slot, story.name
        story.tell(scene)


def _turns(plan: MemberPlan, count: int) -> Iterator[Story]:
    cycle = _HEAVY_CYCLE if plan.heavy else _CYCLE
    begin = plan.place * STORIES_A_TURN
    return (cycle[(begin + each) % len(cycle)] for each in range(count))
