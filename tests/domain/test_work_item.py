"""What an offer adds to the item that is there."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from service.domain.actor import Actor
from service.domain.work_item import (
    FALLS_OUTSIDE,
    FREED_UNITS,
    Listed,
    WorkItem,
    came_again,
    entry_after,
    found_again,
    item_id,
    joined,
    letter_item,
    line_item,
    offer_item,
    sooner,
)

ITEM = WorkItem(
    item_id=offer_item("C-1"),
    kind="late-authorization",
    due="2026-12-27T10:00:00Z",
    priority=5,
    claim_id="C-1",
    claim_version=1,
    member_id="M1",
    entry="1-0",
    authorizations={"A1": 1},
    lines=(),
    since="2026-11-27T10:00:00Z",
)
TOLD: dict[str, Any] = {
    "line": 2,
    "better": True,
    "now": {"approved": {"units": "1", "amount": "9"}},
}
FIRST = TOLD | {"line": 1}
GONE: dict[str, Any] = {"line": 1, "better": False, "now": None}
LATER = replace(ITEM, since="2026-11-27T11:00:00Z")
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
            ITEM.handled(assignee="jo", proposed={"by": "jo"}),
            replace(LATER, authorizations={"A1": 2}),
            replace(ITEM.handled(assignee="jo"), authorizations={"A1": 2}),
        ),
        (
            replace(ITEM, lines=(TOLD, FIRST)),
            replace(LATER, authorizations={"A1": 2}, kind=FALLS_OUTSIDE, lines=(GONE,)),
            replace(
                ITEM, authorizations={"A1": 2}, kind=FALLS_OUTSIDE, lines=(GONE, TOLD)
            ),
        ),
        (
            replace(ITEM, lines=(TOLD,)),
            replace(LATER, authorizations={"A1": 2}, kind=FREED_UNITS, lines=(FIRST,)),
            replace(ITEM, authorizations={"A1": 2}, kind=FREED_UNITS, lines=(FIRST,)),
        ),
        (
            replace(ITEM, kind=FALLS_OUTSIDE, lines=(GONE,)),
            replace(LATER, lines=(FIRST,)),
            replace(ITEM, kind=FALLS_OUTSIDE, lines=(FIRST,)),
        ),
    ],
    ids=[
        "new", "the same again", "the same after it was dismissed", "another version",
        "a proposal of less",
        "another authorization after it was dismissed", "another adjudication", "an older version",
        "it falls outside too", "units came back", "it comes out better now",
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


def test_an_etag_is_of_what_is_decided_upon() -> None:
    """Not of who has it; of what is proposed, and of what arrived."""
    taken = ITEM.handled(assignee="jo", watchers=("lee",))
    proposed = ITEM.handled(proposed={"by": "jo"})
    others = [replace(ITEM, entry="2-0"), replace(ITEM, authorizations={"A1": 2}), proposed]

    assert taken.tag == ITEM.tag
    assert len({each.tag for each in (ITEM, *others)}) == 4


LINE = replace(ITEM, item_id=line_item("C-1", 1), kind="suspended", line=1, entry="9-1")
MINE = LINE.handled(assignee="jo", watchers=("lee",), proposed={"by": "jo"})


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (None, LINE, LINE),
        (MINE, LINE, None),
        (MINE, replace(LINE, entry="8-9"), None),
        (
            MINE,
            replace(LINE, entry="10-0", since="2026-11-28T10:00:00Z", due="y", priority=7),
            replace(LINE.handled(assignee="jo", watchers=("lee",)), entry="10-0"),
        ),
        (
            replace(MINE, state="done"),
            replace(LINE, entry="10-0", due="y"),
            replace(LINE.handled(watchers=("lee",)), entry="10-0", due="y"),
        ),
    ],
)
def test_a_line_that_waits_again_stays_with_who_has_it(
    known: WorkItem | None, found: WorkItem, expected: WorkItem | None
) -> None:
    """Since it waited first; once it was closed it comes back for who watches it."""
    assert found_again(known, found) == expected


def test_entries_are_in_the_order_of_the_ledger() -> None:
    """By their numbers, not as texts; no entry was before all."""
    assert entry_after("10-0", "9-1")
    assert entry_after("9-1", "")
    assert not entry_after("9-1", "9-1")


def test_an_id_tells_nothing() -> None:
    """It is the same for the same subject alone, and none of it can be read from it."""
    assert item_id("line", "C-1", 1) == line_item("C-1", 1) != line_item("C-1", 2)
    assert "C-1" not in offer_item("C-1")


@pytest.mark.parametrize(
    ("state", "is_open"), [(None, True), ("open", None), ("done", True), ("dismissed", None)]
)
def test_what_comes_again_is_open_again(state: Any, is_open: bool | None) -> None:
    """Not what is open anyway, nor what a person left as it is; who watches it goes on."""
    known = state and replace(ITEM, state=state).handled(watchers=("lee",), team="a")
    found = came_again(known, ITEM)
    assert (found and found.is_open) == is_open
    if found is not None:
        assert found.handling.watchers == (("lee",) if state else ())
        assert found.handling.team is None


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-12-01T10:00:00+02:00", "2026-12-01T08:00:00+00:00"),
        ("2026-12-27T10:00:00+00:00", ITEM.due),
        ("2027-01-01T10:00:00+00:00", ITEM.due),
    ],
)
def test_the_sooner_of_two_times_counts(due: str, expected: str) -> None:
    """A clock of the authorization never puts off what is due."""
    assert sooner(ITEM, datetime.fromisoformat(due)).due == expected


def test_a_letter_has_one_item() -> None:
    """Its id tells it from other letters, and from what else has the same name."""
    assert letter_item("L-1") == letter_item("L-1")
    assert len({letter_item("L-1"), letter_item("L-2"), offer_item("L-1")}) == 3
