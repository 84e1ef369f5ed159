"""Lines that wait for a person: an item comes and goes with its line, and is decided once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.application import resolutions, worklist
from service.application.worklist import Stale
from service.domain.decision import Asked, Resolution
from service.domain.work_item import line_item
from service.flow.adjudicating.adjudicate import Conflict
from service.stores.connection.names import document_id
from service.stores.waiting.following import CHANGED
from tests.ground import Ground
from tests.late.examiners import (
    DENIED,
    ELSEWHEN,
    ITEM,
    REPLACED,
    SELECTED,
    TWO_LINES,
    items,
    lines_of,
    person,
    resolve,
)
from tests.late.office import Office, dispositions, run


def test_an_examiner_selects_and_the_trail_says_so(ground: Ground, payer: str) -> None:
    """The item is there with the answer, and goes with the line (seed 001); undone, it waits."""

    async def scenario(desk: Office) -> None:
        await desk.push(**ELSEWHEN)
        await desk.adjudicate()
        (item,) = await items(desk.caller)
        assert (item.item_id, item.kind, item.events) == (ITEM, "suspended", ("SPA-0009",))
        assert (item.claim_id, item.line, item.member_id) == ("C-1", 1, "M0001")
        assert (await resolve(desk, "select", dry=True, **SELECTED)).listed.item == item

        made = await resolve(desk, "select", seen=item.tag, **SELECTED)

        (line,) = lines_of(made)
        (told,) = line["resolutions"]
        assert (line["disposition"], made.listed.item.state) == ("pay", "done")
        assert (told["events"], told["reason"], told["by"]) == (["SPA-0009"], "seen", desk.me)
        assert [each["authorization_id"] for each in told["authorizations"]] == ["A1"]
        assert await items(desk.caller) == []
        by, why = await desk.last_word()
        assert by == desk.me
        assert why == "line 1: SPA-0009 resolved by selecting A1 [same-service]: seen"
        assert (await desk.adjudicate())["replayed"]

        undone = await resolutions.undo(desk.caller, ITEM, Asked(reason="the wrong one"), None)

        assert [each["disposition"] for each in lines_of(undone)] == ["suspend"]
        (again,) = await items(desk.caller)
        assert (again.since, await desk.used()) == (item.since, 0)
        with pytest.raises(Conflict, match="nothing that was decided"):
            await resolutions.undo(desk.caller, ITEM, Asked(), None)

    run(ground, payer, scenario)


@pytest.mark.parametrize(
    ("action", "more", "disposition", "events", "is_open"),
    [
        ("select", SELECTED, "pay", [], False),
        ("deny", DENIED, "deny", ["AUM-0011"], False),
        ("replace", REPLACED, "suspend", ["SPA-0013"], True),
        ("readjudicate", {}, "suspend", ["SPA-0009"], True),
    ],
)
def test_each_action_does_what_it_says(
    ground: Ground,
    payer: str,
    action: str,
    more: dict[str, Any],
    disposition: str,
    events: list[str],
    *,
    is_open: bool,
) -> None:
    """What is decided holds when the version is run again, and lapses with a new one."""

    async def scenario(desk: Office) -> None:
        await desk.push(**ELSEWHEN)
        await desk.adjudicate(authorization_numbers=[])
        made = await resolve(desk, action, **more)
        again = await desk.adjudicate(authorization_numbers=[], again=True)
        newer = await desk.adjudicate(authorization_numbers=[], version=2)

        for (line,) in (lines_of(made), again["lines"]):
            assert line["disposition"] == disposition
            assert [each["code"] for each in line["events"]] == events
        assert made.listed.item.is_open == is_open
        assert dispositions(newer) == ["suspend"]
        assert "resolutions" not in newer["lines"][0]

    run(ground, payer, scenario)


def test_a_denied_line_says_for_which_reason(ground: Ground, payer: str) -> None:
    """The adjustment is the chosen one; that of another line is another."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate(lines=TWO_LINES)
        await resolve(desk, "deny", **DENIED)
        other = {"deny_with": {"group": "CO", "carc": "16", "remarks": ["M62"]}}
        made = await resolve(desk, "deny", line=2, **{**DENIED, **other})

        shown = [
            [(each["carc"], each["remarks"]) for each in line["adjustments"]]
            for line in lines_of(made)
        ]
        assert shown == [[("197", [])], [("16", ["M62"])]]
        assert await items(desk.caller) == []
        with pytest.raises(Conflict, match=r"something followed.* line 2: SPA-0009"):
            await resolutions.undo(desk.caller, ITEM, Asked(), None)
        await resolutions.undo(desk.caller, line_item("C-1", 2), Asked(), None)
        (left,) = await items(desk.caller)
        assert left.line == 2

    run(ground, payer, scenario)


def test_of_two_who_decide_the_second_is_told_what_the_first_did(
    ground: Ground, payer: str
) -> None:
    """By the item that he saw, and by the claim's state where the item is not looked at."""

    async def scenario(desk: Office) -> None:
        await desk.push(**ELSEWHEN)
        await desk.adjudicate(lines=TWO_LINES)
        first, second = await items(desk.caller, state="open")
        one, other = person(desk, "lee"), person(desk, "kim")
        select = Resolution(action="select", **SELECTED)
        deny = Resolution(action="deny", **DENIED)

        told = await asyncio.gather(
            resolutions.resolve(one, first.item_id, select, first.tag),
            resolutions.resolve(other, first.item_id, deny, first.tag),
            return_exceptions=True,
        )

        lost = [each for each in told if isinstance(each, Exception)]
        assert [type(each) for each in lost] in ([Stale], [Conflict])
        with pytest.raises(Stale):
            await resolutions.resolve(other, second.item_id, deny, second.tag)
        with pytest.raises(Conflict, match=r"this item is done, by session:(lee|kim): line \d"):
            await resolutions.resolve(other, first.item_id, deny, None)

    run(ground, payer, scenario)


@pytest.mark.parametrize("how", ["left as it is", "denied"])
def test_only_the_decision_that_was_seen_is_undone(ground: Ground, payer: str, how: str) -> None:
    """What somebody else decided in its place meanwhile stays."""

    async def scenario(desk: Office) -> None:
        await desk.push(**ELSEWHEN)
        await desk.adjudicate()
        seen = (await resolve(desk, "select", **SELECTED)).listed.item.tag
        await resolutions.undo(desk.caller, ITEM, Asked(), seen)
        again = {"action": "no-action"} if how == "left as it is" else {"action": "deny", **DENIED}
        made = await resolve(desk, **again)

        with pytest.raises(Stale):
            await resolutions.undo(desk.caller, ITEM, Asked(), seen)

        item = (await worklist.read(desk.caller, ITEM)).item
        assert (item.state, item.tag) == (made.listed.item.state, made.listed.item.tag)

    run(ground, payer, scenario)


@pytest.mark.parametrize("how", ["reversed", "replaced", "void", "again", "version"])
def test_an_item_goes_with_its_claim(ground: Ground, payer: str, how: str) -> None:
    """However it was changed; it says who did, and one that waits again stays with who has it."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await worklist.take(desk.caller, ITEM, Asked(by="lee"))
        if how == "reversed":
            await desk.change("reverse", reason="billed twice")
        elif how in ("replaced", "void"):
            frequency = {"replaced": "7", "void": "8"}[how]
            await desk.adjudicate(claim_id="C-2", frequency=frequency, original_claim_id="C-1")
        elif how == "again":
            await desk.adjudicate(again=True)
        else:
            await desk.adjudicate(version=2)

        item = (await worklist.read(desk.caller, ITEM)).item

        if how in ("again", "version"):
            assert (item.is_open, item.handling.assignee) == (True, "lee")
            assert item.claim_version == (2 if how == "version" else 1)
        else:
            assert (item.state, item.by) == ("done", desk.me)
            assert item.why == ("billed twice" if how == "reversed" else CHANGED)

    run(ground, payer, scenario)


def test_a_rebuild_writes_what_the_ledger_says_and_leaves_what_people_set(
    ground: Ground, payer: str
) -> None:
    """Also of an index that was emptied; what was closed stays closed."""

    async def scenario(desk: Office) -> None:
        for name in ("C-1", "C-2", "C-3"):
            await desk.adjudicate(claim_id=name)
        assert len(await items(desk.caller)) == 3
        await desk.change("reverse", "C-3")
        await worklist.take(desk.caller, ITEM, Asked(by="lee"))
        await resolutions.resolve(
            desk.caller, line_item("C-2", 1), Resolution(action="no-action"), None
        )
        before = await items(desk.caller, state=None)
        states = {each.claim_id: each.state for each in before}
        assert states == {"C-1": "open", "C-2": "dismissed", "C-3": "done"}

        await desk.rebuild()
        assert await items(desk.caller, state=None) == before
        for each in before:
            await desk.stores.elasticsearch.delete(
                index=desk.stores.indices.worklist, id=document_id(payer, each.item_id)
            )
        await desk.rebuild()

        anew = await items(desk.caller, state="open")
        assert {each.claim_id for each in anew} == {"C-1", "C-2"}
        assert [each.handling.assignee for each in anew] == [None, None]

    run(ground, payer, scenario)


def test_a_negative_balance_is_an_item_while_it_is_one(ground: Ground, payer: str) -> None:
    """Limits are lowered below what is used; it closes when units come back."""

    async def scenario(desk: Office) -> None:
        line = {"limits": {"units": "4", "unit": "UN"}}
        await desk.push(lines=[line])
        await desk.adjudicate(line={"units": "3"})
        await desk.push(2, lines=[{"limits": {"units": "2", "unit": "UN"}}])
        (item,) = await items(desk.caller, kind="negative-balance")
        assert (dict(item.authorizations), item.priority) == ({"A1": 2}, 3)
        assert list(worklist.allowed(desk.caller, item)) == ["no-action"]

        await desk.change("reverse")

        assert await items(desk.caller, kind="negative-balance") == []
        assert (await worklist.read(desk.caller, item.item_id)).item.state == "done"

    run(ground, payer, scenario)


@pytest.mark.parametrize(
    ("urgency", "decision", "sooner"),
    [("U", "A4", True), (None, "A4", False), ("U", "A3", False)],
)
def test_a_line_is_due_when_its_request_must_be_decided(
    ground: Ground, payer: str, urgency: str | None, decision: str, *, sooner: bool
) -> None:
    """Of an expedited one 72 hours after it was received; a later time puts nothing off."""

    async def scenario(desk: Office) -> None:
        ago = datetime.now(UTC) - timedelta(hours=10 if urgency else 0)
        request = {"urgency": urgency} if urgency else {}
        changes: dict[str, Any] = {"received_at": ago.isoformat(), **request}
        await desk.push(decision={"action": decision}, **changes)
        await desk.adjudicate()
        (item,) = await items(desk.caller)
        left = datetime.fromisoformat(item.due) - datetime.fromisoformat(item.since)
        assert (left < timedelta(hours=63)) == sooner

    run(ground, payer, scenario)
