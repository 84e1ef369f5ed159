"""Who has an item, what may be decided about it, and what people put on the worklist."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.access.subject import BadPart, NotPermitted
from service.application import resolutions, worklist
from service.application.parts import Stores
from service.application.worklist import Wanted
from service.domain.decision import Asked, Assignment, Hold, Raised, Resolution, Skip, Watch
from service.domain.work_item import line_item
from service.flow.adjudicating.adjudicate import Conflict
from service.flow.adjudicating.choosing import BadSelection
from service.stores.connection.clock import today
from tests.ground import Ground
from tests.late.examiners import (
    DENIED,
    ITEM,
    REPLACED,
    SELECTED,
    items,
    lines_of,
    person,
    resolve,
)
from tests.late.office import Office, office, run


def test_people_take_skip_hold_and_watch(ground: Ground, payer: str) -> None:
    """The next one is the most urgent that nobody has, is not held, and that one did not skip."""

    async def scenario(desk: Office) -> None:
        for name, charge in (("C-1", "10.00"), ("C-2", "20000.00"), ("C-3", "20.00")):
            await desk.adjudicate(claim_id=name, line={"charge": charge})
        lee, kim = person(desk, "lee", "worklist.assign"), person(desk, "kim")
        any_ = Wanted()

        costly = (await worklist.take_next(lee, any_, Asked())).item
        assert (costly.claim_id, costly.priority) == ("C-2", 3)
        with pytest.raises(Conflict, match="session:lee has this item"):
            await worklist.take(kim, costly.item_id, Asked())
        await worklist.skip(lee, costly.item_id, Skip(reason="not my field"))
        assert (await worklist.take_next(kim, any_, Asked())).item.item_id == costly.item_id
        with pytest.raises(NotPermitted):
            await worklist.release(lee, costly.item_id, Asked())
        until = today() + timedelta(days=3)
        await worklist.hold(lee, ITEM, Hold(until=until))
        assert (await worklist.take_next(lee, any_, Asked())).item.claim_id == "C-3"
        with pytest.raises(worklist.NotOffered):
            await worklist.take_next(lee, any_, Asked())
        with pytest.raises(BadPart):
            await worklist.hold(lee, ITEM, Hold(until=until - timedelta(days=30)))
        await worklist.hold(lee, ITEM, Hold())
        await worklist.watch(kim, ITEM, Watch())
        assert [each.item_id for each in await items(kim, watcher="session:kim")] == [ITEM]
        await worklist.watch(kim, ITEM, Watch(watch=False))
        assert await items(kim, watcher="session:kim") == []
        assert (await worklist.release(kim, costly.item_id, Asked())).item.handling.assignee is None

    run(ground, payer, scenario)


def test_items_are_given_away_in_bulk_and_counted_by_queue(ground: Ground, payer: str) -> None:
    """Each says what became of it; the counts are those of one search."""

    async def scenario(desk: Office) -> None:
        for name in ("C-1", "C-2"):
            await desk.adjudicate(claim_id=name, line={"charge": "10.50"})
        ids = [ITEM, line_item("C-2", 1), line_item("C-3", 1), ITEM]
        asked = Assignment(items=tuple(ids), assignee="lee", team="therapy")
        await resolutions.resolve(desk.caller, ids[1], Resolution(action="no-action"), None)

        told = await worklist.assign(desk.caller, asked)
        counts = await worklist.counts(desk.caller, Wanted())

        assert [each["status"] for each in told] == ["assigned", "dismissed", "unknown"]
        assert (counts.total, counts.overdue, counts.held, counts.amount) == (1, 0, 0, "10.50")
        assert counts.by == {
            "kind": {"suspended": 1},
            "event": {"SPA-0009": 1},
            "claim_type": {"professional": 1},
            "team": {"therapy": 1},
            "assignee": {"lee": 1},
            "priority": {"5": 1},
        }
        for wanted, count in (
            ({"team": "therapy"}, 1),
            ({"unassigned": True}, 0),
            ({"amount_from": "10.50", "amount_to": "10.50"}, 1),
            ({"amount_from": "10.51"}, 0),
            ({"event": "SPA-0010"}, 0),
            ({"member_id": "M0001", "claim_type": "professional"}, 1),
            ({"since_from": "2999-01-01"}, 0),
            ({"due_to": "2999-01-01", "held": False}, 1),
            ({"held": True}, 0),
        ):
            assert len(await items(desk.caller, **wanted)) == count, wanted

    run(ground, payer, scenario)


@pytest.mark.parametrize(
    ("action", "more", "path"),
    [
        ("select", {"authorizations": [{"authorization_id": "A1"}]}, "/reason_code"),
        ("select", {**SELECTED, "reason_code": "not-granted"}, "/reason_code"),
        ("readjudicate", {"reason_code": "clerical"}, "/reason_code"),
        ("override", SELECTED, "/action"),
        ("deny", {**DENIED, "deny_with": {"group": "CO", "carc": "198"}}, "/deny_with"),
        ("replace", {**REPLACED, "event": "SPA-0005"}, "/event"),
        ("request-information", {"until": "2026-01-01", "asked": "notes"}, "/until"),
    ],
)
def test_what_the_table_does_not_offer_is_refused(
    ground: Ground, payer: str, action: str, more: dict[str, Any], path: str
) -> None:
    """With the place in the body; nothing is moved, and the item is as it was."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        before = await items(desk.caller)
        with pytest.raises(BadPart) as refused:
            await resolve(desk, action, **more)
        assert refused.value.path == path
        with pytest.raises(BadSelection) as unknown:
            await resolve(desk, "select", **SELECTED)
        assert unknown.value.path == "/authorizations/0/authorization_id"
        assert await items(desk.caller) == before

    run(ground, payer, scenario)


def test_a_decision_needs_the_scopes_of_its_action(ground: Ground, payer: str) -> None:
    """Those that it always needs; an action that the person may not take says what is missing."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        lee = person(desk, "lee", "claims.adjudicate")
        told = {each["action"]: each for each in resolutions.actions_of(lee, (await items(lee))[0])}
        assert told["deny"]["missing"] == ["claims.adjudicate"]
        for action, more in (("deny", DENIED), ("readjudicate", {})):
            with pytest.raises(NotPermitted, match=r"claims\.adjudicate"):
                asked = Resolution(action=action, **more)
                await resolutions.resolve(lee, ITEM, asked, None)
        await resolutions.resolve(lee, ITEM, Resolution(action="no-action"), None)
        assert (await resolutions.undo(lee, ITEM, Asked(), None)).listed.item.is_open

    run(ground, payer, scenario)


def test_information_is_waited_for(ground: Ground, payer: str) -> None:
    """The item is held, and says what was asked of whom."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        until = today() + timedelta(days=5)
        asked = "the operation report"
        made = await resolve(desk, "request-information", until=until, asked=asked, reason="fax")
        handling = made.listed.item.handling
        assert (handling.asked, handling.hold_until) == (asked, until.isoformat())
        assert handling.said == f"{desk.me}: fax"
        assert [each.item_id for each in await items(desk.caller, held=True)] == [ITEM]

    run(ground, payer, scenario)


def test_what_people_put_there(ground: Ground, payer: str) -> None:
    """A claim for review, and authorizations; the same again is one item, unless it was decided."""

    async def scenario(desk: Office) -> None:
        await desk.push()
        await desk.adjudicate()
        review = Raised(kind="review", claim_id="C-1", reason="billed twice?")
        twice = Raised(kind="duplicate", authorizations=("A1",), reason="two numbers")
        item = (await worklist.raise_item(desk.caller, review)).item
        assert (await worklist.raise_item(desk.caller, review)).item == item
        other = (await worklist.raise_item(desk.caller, twice)).item
        assert [each.kind for each in await items(desk.caller)] == ["duplicate", "review"]
        assert item.handling.said == f"{desk.me}: billed twice?"
        for path, wrong in (
            ("/authorizations/0", {"kind": "duplicate", "authorizations": ("A9",)}),
            ("/line", {"kind": "review", "claim_id": "C-1", "line": 99}),
            ("/letter", {"kind": "dead-letter", "letter": "0" * 16}),
        ):
            with pytest.raises(BadPart) as refused:
                await worklist.raise_item(
                    desk.caller, Raised.model_validate(wrong | {"reason": "x"})
                )
            assert refused.value.path == path
        await resolutions.resolve(
            desk.caller, other.item_id, Resolution(action="no-action"), other.tag
        )
        await desk.change("reverse")
        assert await items(desk.caller) == []
        assert (await worklist.raise_item(desk.caller, twice)).item.is_open

    run(ground, payer, scenario)


def test_two_people_decide_where_the_table_says_so(ground: Ground, payer: str) -> None:
    """The first proposes; the same by himself, or in a name, is refused; another is a proposal."""
    table = ground.rules.references.worklist
    rows = tuple(
        each.model_copy(update={"two_people": each.action == "deny"}) for each in table.actions
    )
    changed = ground.rules.references.model_copy(
        update={"worklist": table.model_copy(update={"actions": rows})}
    )

    async def scenario(_: Stores) -> None:
        rules = replace(ground.rules, references=changed)
        async with office(ground, payer, rules) as desk:
            await desk.adjudicate()
            lee, kim = person(desk, "lee"), person(desk, "kim")
            other = {**DENIED, "deny_with": {"group": "CO", "carc": "288"}}
            deny = Resolution(action="deny", reason="x" * 200, **DENIED)
            first = await resolutions.resolve(lee, ITEM, deny, None)
            assert (first.proposed, first.done, first.listed.item.is_open) == (True, None, True)
            for by in (None, "kim"):
                himself = deny.model_copy(update={"by": by})
                with pytest.raises(Conflict, match="a second person"):
                    await resolutions.resolve(lee, ITEM, himself, None)
            again = Resolution(action="deny", **other)
            assert (await resolutions.resolve(kim, ITEM, again, None)).proposed
            assert (await resolutions.resolve(kim, ITEM, deny, None)).proposed
            made = await resolutions.resolve(lee, ITEM, deny, None)
            (told,) = lines_of(made)[0]["resolutions"]
            assert told["reason"] == f"{'x' * 200} (proposed by session:kim)"
            assert lines_of(made)[0]["disposition"] == "deny"

    ground.run(scenario)


@pytest.mark.parametrize("allowed", [True, False])
def test_an_override_needs_the_policy_and_a_reason(
    ground: Ground, payer: str, *, allowed: bool
) -> None:
    """A denied authorization is drawn where the payer's policy lets an examiner do so."""
    policy = ground.rules.references.accounting
    references = ground.rules.references.model_copy(
        update={"accounting": policy.model_copy(update={"status_override": allowed})}
    )

    async def scenario(_: Stores) -> None:
        async with office(ground, payer, replace(ground.rules, references=references)) as desk:
            await desk.push(decision={"action": "A3"})
            await desk.adjudicate()
            asked = {**SELECTED, "reason_code": "records-reviewed"}
            assert lines_of(await resolve(desk, "select", dry=True, **asked))[0]["events"]
            if not allowed:
                with pytest.raises(BadPart, match="status_override"):
                    await resolve(desk, "override", **asked)
                return
            made = await resolve(desk, "override", **asked)
            assert lines_of(made)[0]["disposition"] == "pay"
            assert await desk.used() == 1
            await resolutions.undo(desk.caller, ITEM, Asked(), None)
            assert await desk.used() == 0

    ground.run(scenario)


@pytest.mark.parametrize(("action", "more"), [("no-action", {}), ("deny", DENIED)])
def test_who_undoes_needs_the_scopes_of_the_action(
    ground: Ground, payer: str, action: str, more: dict[str, Any]
) -> None:
    """Also those that the table names beside."""
    table = ground.rules.references.worklist
    rows = tuple(each.model_copy(update={"scopes": ("audit.read",)}) for each in table.actions)
    changed = ground.rules.references.model_copy(
        update={"worklist": table.model_copy(update={"actions": rows})}
    )

    async def scenario(_: Stores) -> None:
        rules = replace(ground.rules, references=changed)
        async with office(ground, payer, rules) as desk:
            await desk.adjudicate()
            await resolve(desk, action, **more)
            with pytest.raises(NotPermitted) as refused:
                await resolutions.undo(person(desk, "lee", "audit.read"), ITEM, Asked(), None)
            assert refused.value.scope == "audit.read"
            assert await items(desk.caller) == []
            undone = await resolutions.undo(person(desk, "kim"), ITEM, Asked(), None)
            assert undone.listed.item.is_open

    ground.run(scenario)
