"""Rules that are wrong are refused with their place, and nothing of them is seen."""

import pytest

from service.application import rules_drafts
from service.application.refusals import NotFound
from service.application.rules import RulesRefused
from service.application.rules_drafts import DraftWanted
from tests.application.office import (
    TEXTS,
    WEIGHT,
    WHY,
    Office,
    in_office,
    texts_with,
)
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer

GROUPS = "reference/procedure-groups.yaml"
BAD: dict[str, tuple[dict[str, str | None], str, str]] = {
    "an unknown key": (texts_with(("dental.yaml", "weight:", "weigth:")), "T001", "weight"),
    "a circle of extends": (
        texts_with(("base.yaml", "id: base\n", "id: base\nextends: dental\n")), "T002", "",
    ),
    "a weight that is no whole number": (
        texts_with(("professional.yaml", "weight: 24", "weight: 24.5")), "T006", "",
    ),
    "a group without its version": (texts_with((GROUPS, 'version: "2026.1"\n', "")), "T014", ""),
    "a field that no index has": (
        texts_with(("dental.yaml", "authorization: surfaces", "authorization: surface")),
        "T003", "surfaces",
    ),
    "a red test": (
        texts_with(("professional.yaml", "in_range, full: true", "in_range")), "T017", "",
    ),
    "other attached fields": (
        texts_with(("reference/attached.yaml", "fields:", "fields:\n  plan: keyword")),
        "T020", "authmatch index migrate",
    ),
    "other informational modifiers": (
        texts_with(("reference/informational-modifiers.yaml", '      - "59"\n', "")),
        "T020", "authmatch index migrate",
    ),
    "a file that is needed is gone": ({GROUPS: None}, "T014", ""),
    "no YAML": ({"dental.yaml": "id: [\n"}, "T001", ""),
}  # fmt: skip
POISON: dict[str, tuple[dict[str, str | None], str, str]] = {
    "a huge group": (
        {GROUPS: TEXTS[GROUPS] + "  huge: {members: [" + '"97110", ' * 30_000 + "]}\n"},
        "T001", "",
    ),
    "groups that multiply": (
        {
            GROUPS: TEXTS[GROUPS]
            + "  a0: &a0 {members: [" + '"97110", ' * 200 + "]}\n"
            + "".join(f"  a{n}: {{title: x, members: *a0}}\n" for n in range(1, 400))
        },
        "T014", "",
    ),
    "a window that runs away": (
        texts_with(("base.yaml", "max: 30", "max: 40000")), "T011", "",
    ),
    "a heavy raw clause": (
        texts_with(
            (
                "professional.yaml", "criteria:\n",
                "exclude:\n  - {id: heavy, raw: {bool: {should: ["
                + "{term: {status: x}}, " * 300 + "]}}}\ncriteria:\n",
            )
        ),
        "T013", "",
    ),
    "a raw clause that is not allowed": (
        texts_with(
            (
                "professional.yaml", "criteria:\n",
                "exclude:\n  - {id: heavy, raw: {query_string: {query: '*'}}}\ncriteria:\n",
            )
        ),
        "T013", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*BAD, *POISON])
def test_what_is_wrong_is_refused_with_its_place(ground: Ground, payer: str, name: str) -> None:
    """It is not evaluated, and nothing of it is in force; each finding has a file."""
    changed, code, hint = (BAD | POISON)[name]

    async def work(people: Office) -> None:
        wanted = DraftWanted(title="t", reason="r", changed=changed)
        draft = (await rules_drafts.begin(people.of("ann"), wanted))["id"]
        with pytest.raises(RulesRefused) as refused:
            await rules_drafts.evaluate(people.of("ann"), draft, WHY)
        found = next(each for each in refused.value.problems if each.code == code)
        assert found.file
        assert hint in (found.hint or "")
        assert (await rules_drafts.draft(people.of("ann"), draft))["state"] == "draft"
        assert await people.sets() == [(1, None, "active")]

    in_office(ground, payer, work)


@pytest.mark.parametrize(
    "wanted",
    [
        {"title": "t", "reason": "", "changed": {"base.yaml": ""}},
        {"title": "t", "reason": "r", "changed": {"../base.yaml": ""}},
        {"title": "t", "reason": "r", "changed": {"tables/x.yaml": ""}},
        {"title": "t", "reason": "r", "changed": {"Base.yaml": ""}},
        {"title": "t", "reason": "r", "changed": {f"a{n}.yaml": "" for n in range(501)}},
        {"title": "", "reason": "r", "changed": {"base.yaml": ""}},
    ],
)
def test_a_draft_that_cannot_be_meant(wanted: dict[str, object]) -> None:
    """No reason, names of files that no folder of rules has, too many of them."""
    with pytest.raises(ValueError, match="validation error"):
        DraftWanted.model_validate(wanted)


def test_a_draft_of_nothing_or_of_too_much(ground: Ground, payer: str) -> None:
    """It is refused before anything is kept; so is one of a set that there is not."""

    async def work(people: Office) -> None:
        for changed, why in (
            ({"base.yaml": TEXTS["base.yaml"]}, "nothing differs"),
            ({f"a{n}.yaml": "x" * 250_000 for n in range(9)}, "at most"),
        ):
            wanted = DraftWanted(title="t", reason="r", changed=changed)
            with pytest.raises(RulesRefused, match=why):
                await rules_drafts.begin(people.of("ann"), wanted)
        with pytest.raises(NotFound):
            await people.drafted(WEIGHT, base=4_000)
        listed = await rules_drafts.drafts(people.of("ann"), is_open=False, size=9, after=None)
        assert listed["total"] == 0

    in_office(ground, payer, work)
