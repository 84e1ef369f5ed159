"""What an offer adds to the item that is there."""

from dataclasses import replace
from typing import Any

import pytest

from service.domain.actor import Actor
from service.domain.work_item import FALLS_OUTSIDE, Listed, WorkItem, joined, seen_of

ITEM = WorkItem(
    claim_id="C-1",
    claim_version=1,
    member_id="M1",
    entry="1-0",
    authorizations={"A1": 1},
    lines=(),
    offered_at="2026-11-27T10:00:00Z",
)
TOLD: dict[str, Any] = {
    "line": 2,
    "better": True,
    "now": {"approved": {"units": "1", "amount": "9"}},
}
FIRST = TOLD | {"line": 1}
GONE: dict[str, Any] = {"line": 1, "better": False, "now": None}
LATER = replace(ITEM, offered_at="2026-11-27T11:00:00Z")
DISMISSED = ITEM.decided("dismissed", at="2026-11-27T10:30:00Z", actor=Actor(by="jo"), why=None)


@pytest.mark.parametrize(
    ("known", "offered", "expected"),
    [
        (None, ITEM, ITEM),
        (ITEM, LATER, None),
        (DISMISSED, LATER, None),
        (
            ITEM,
            replace(LATER, authorizations={"A1": 2}),
            replace(ITEM, authorizations={"A1": 2}),
        ),
        (
            DISMISSED,
            replace(LATER, authorizations={"A2": 1}),
            replace(LATER, authorizations={"A1": 1, "A2": 1}),
        ),
        (DISMISSED, replace(LATER, entry="2-0"), replace(LATER, entry="2-0")),
        (replace(ITEM, authorizations={"A1": 3}), LATER, None),
        (
            replace(ITEM, lines=(TOLD, FIRST)),
            replace(LATER, authorizations={"A1": 2}, reason=FALLS_OUTSIDE, lines=(GONE,)),
            replace(
                ITEM, authorizations={"A1": 2}, reason=FALLS_OUTSIDE, lines=(GONE, TOLD)
            ),
        ),
        (
            replace(ITEM, reason=FALLS_OUTSIDE, lines=(GONE,)),
            replace(LATER, lines=(FIRST,)),
            replace(ITEM, reason=FALLS_OUTSIDE, lines=(FIRST,)),
        ),
    ],
    ids=[
        "new", "the same again", "the same after it was dismissed", "another version",
        "another authorization after it was dismissed", "another adjudication", "an older version",
        "it falls outside too", "it comes out better now",
    ],
)  # fmt: skip
def test_an_offer_that_says_nothing_new_changes_nothing(
    known: WorkItem | None, offered: WorkItem, expected: WorkItem | None
) -> None:
    """One that does opens the item, also where it was dismissed."""
    assert joined(known, offered) == expected


def test_who_is_about_to_decide_is_not_shown() -> None:
    """Only who decided."""
    taken = Listed(item=ITEM.decided("open", at="x", actor=Actor(by="jo"), why="y"), seen=(7, 1))
    assert taken.as_answer()["by"] is None
    assert Listed(item=DISMISSED, seen=(7, 1)).as_answer()["by"] == "jo"


@pytest.mark.parametrize("tag", ['"7-1"', 'W/"7-1"'])
def test_an_etag_is_read_back(tag: str) -> None:
    """Also where something in between made it a weak one."""
    assert seen_of(tag) == (7, 1)
    with pytest.raises(ValueError, match="not the ETag"):
        seen_of(tag[:-1])
