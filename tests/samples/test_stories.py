"""Stories keep to their own time, so that those of one member never meet."""

from datetime import date
from random import Random
from typing import Any

import pytest

from authmatch_local.samples.data import SampleData
from authmatch_local.samples.days import Days
from authmatch_local.samples.expected import EVENTS
from authmatch_local.samples.member import AUTHORIZATIONS_A_STORY_MAX, STORIES
from authmatch_local.samples.scene import SLOT_DAYS, SLOTS, Scene
from authmatch_local.samples.story import Story
from service.domain.claim import Claim
from service.requirement.decision import choose_template, decide_requirement
from service.requirement.tables import RequirementTables

FIRST_DAY = date(2026, 1, 1)
DAYS = Days(FIRST_DAY)
SLOT = 1
EARLIEST, LATEST = 7, 83


def name_of(story: Story) -> str:
    """The story's own name."""
    return story.name


def told(story: Story, seed: int) -> Scene:
    """A story told alone, in the second slot."""
    scene = Scene({"id": "M1", "birth_date": "1980-05-02"}, 1_000, DAYS, Random(seed))
    scene.slot, scene.story = SLOT, story.name
    story.tell(scene)
    return scene


def spans_of(scene: Scene) -> list[dict[str, Any]]:
    """All days of validity, of service and of stays that a story names."""
    authorized = [
        scope["effective"]
        for paper in scene.authorizations
        for scope in (paper, *paper["lines"])
        if "effective" in scope
    ]
    billed = [line for claim, _ in scene.claims for line in claim["lines"] if "from" in line]
    return authorized + billed + [c["statement"] for c, _ in scene.claims if "statement" in c]


@pytest.mark.parametrize("story", STORIES, ids=name_of)
def test_a_story_keeps_to_its_slot(story: Story) -> None:
    """Match days (at most 7) on both sides never reach from one slot into another."""
    first, last = DAYS[SLOT * SLOT_DAYS + EARLIEST], DAYS[SLOT * SLOT_DAYS + LATEST]
    for seed in range(12):
        scene = told(story, seed)

        assert len(scene.claims) >= 1
        assert len(scene.authorizations) <= AUTHORIZATIONS_A_STORY_MAX
        for span in spans_of(scene):
            assert span["from"] >= first
            assert story.is_last or span["to"] <= last


@pytest.mark.parametrize("story", STORIES, ids=name_of)
def test_an_expectation_is_of_one_piece(story: Story) -> None:
    """It names authorizations of the story, lines of the claim, and codes of its template."""
    scene = told(story, 5)
    own = {paper["authorization_id"] for paper in scene.authorizations}

    for claim, expected in scene.claims:
        assert {each.line for each in expected} == {line["line"] for line in claim["lines"]}
        for each in expected:
            assert each.story == story.name
            assert set(each.chosen) <= own
            assert each.best is None or each.best in own
            assert (each.best is None) == (each.class_ == "none")
            assert set(each.events) <= set(EVENTS[each.template].values())
            assert not each.chosen or each.class_ == "exact"
            if each.class_ == "non-exact":
                assert each.score is not None
                assert each.attainable is not None
                assert 100 * each.score >= 60 * each.attainable


def test_names_are_unique_and_begin_with_their_template() -> None:
    """At least 30 stories, some of every template."""
    names = [story.name for story in STORIES]

    assert len(set(names)) == len(names) >= 30
    assert {name.partition("-")[0] for name in names} == {"prof", "out", "inp", "ref", "den"}
    assert SLOTS * SLOT_DAYS <= 366


def test_what_is_left_to_the_tables_they_decide(decision_tables: RequirementTables) -> None:
    """A line whose benefit says nothing needs what is expected of it, by the expected template."""
    left = 0
    for claim, expected in SampleData(2, 3_000).claims():
        read = Claim.model_validate(claim)
        lines = {line.line: line for line in read.lines}
        for number, line in lines.items():
            wanted = {each.type: each.template for each in expected if each.line == number}
            requirement = decide_requirement(read, line, decision_tables)
            left += requirement.source == "table"

            assert set(requirement.needed) == set(wanted), claim["claim_id"]
            for kind, template in wanted.items():
                assert choose_template(read, line, kind, decision_tables).template == template
    assert left > 100
