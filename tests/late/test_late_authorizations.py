"""An authorization comes after the claim: the claim is found, and offered or adjudicated anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from service.rules.texts import load_rules
from service.settings import Settings
from tests.adjudication.changed_rules import write_rules
from tests.ground import Ground
from tests.late.office import Office, dispositions, events, run

pytestmark = pytest.mark.cluster

LIMIT_4 = {"limits": {"units": "4", "unit": "UN"}}
ZERO, FOUR, NINE = ({"line": {"limits": {"units": each, "unit": "UN"}}} for each in "049")
Push = dict[str, Any]

PENDED: Push = {"decision": {"action": "A4"}}
DENIED: Push = {"decision": {"action": "A3"}}
ELSEWHEN = {"effective": {"from": "2026-03-14", "to": "2026-05-31"}}
"""Begins two days after the service: found by match days, and never exact."""
OTHER_IN_PART = {"authorization_id": "A2", **ELSEWHEN}


def test_a_claim_that_came_too_early_is_found(ground: Ground, payer: str) -> None:
    """Not found (SPA-0009), authorized later, offered to an examiner; nothing is drawn."""

    async def scenario(desk: Office) -> None:
        answer = await desk.adjudicate()
        assert (dispositions(answer), events(answer)) == (["suspend"], ["SPA-0009", "SPA-0014"])
        assert await desk.waiting() == ["C-1"]

        await desk.push(line=LIMIT_4)
        assert await desk.work() == ["worklist"]

        item = await desk.item()
        assert item is not None
        assert (item.state, item.kind) == ("open", "late-authorization")
        assert dict(item.authorizations) == {"A1": 1}
        (line,) = item.lines
        assert (line["line"], line["better"], line["authorizations"]) == (1, True, ["A1"])
        assert (line["before"]["disposition"], line["now"]["disposition"]) == ("suspend", "pay")
        assert line["before"]["classes"] == {"authorization": "none"}
        assert line["now"]["classes"] == {"authorization": "exact"}
        assert (await desk.used(), await desk.queued()) == (0, 0)

    run(ground, payer, scenario)


def test_what_needs_no_examiner_is_adjudicated_anew(ground: Ground, payer: str) -> None:
    """Once, with the authorization named in the audit; then the claim waits no more."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push(line=LIMIT_4)

        assert await desk.work() == ["automatic"]
        assert await desk.work() == []
        assert (await desk.used(), await desk.waiting(), await desk.item()) == (1, [], None)
        assert await desk.kinds() == ["apply", "readjudicate"]
        assert await desk.last_word() == (
            "late-authorization",
            "authorization A1 version 1 arrived, or has units again",
        )

    run(ground, payer, scenario, late_authorizations="automatic")


@pytest.mark.parametrize(
    ("first", "then", "claim", "before", "done", "now"),
    [
        ([], [{"lines": [{"procedure": {"from": "70551"}}]}], {}, "suspend", [], "suspend"),
        ([], [{"member": {"id": "M0002"}}], {}, "suspend", [], "suspend"),
        ([], [PENDED], {}, "suspend", [], "suspend"),
        ([], [DENIED], {}, "suspend", [], "suspend"),
        ([], [ELSEWHEN], {}, "suspend", ["worklist"], "suspend"),
        ([PENDED], [{}], {}, "suspend", ["automatic"], "pay"),
        ([DENIED], [{}], {}, "suspend", ["automatic"], "pay"),
        ([DENIED], [OTHER_IN_PART], {}, "suspend", ["worklist"], "suspend"),
        ([ELSEWHEN], [{}], {}, "suspend", ["automatic"], "pay"),
        ([FOUR], [NINE], {"units": "9"}, "cut_back", ["automatic"], "pay"),
        ([FOUR], [FOUR], {"units": "9"}, "cut_back", [], "cut_back"),
        ([ZERO], [FOUR], {"units": "9"}, "suspend", ["automatic"], "cut_back"),
        ([{}], [{"authorization_id": "A2"}], {}, "pay", [], "pay"),
    ],
    ids=[
        "another service", "another member", "pended", "denied", "fits in part",
        "pended, then granted", "denied, then overturned on appeal",
        "denied, then another one that fits in part", "in part, then in full",
        "cut back, then the limit is raised", "cut back, then a version that changes nothing",
        "exhausted, then a part of it", "paid before",
    ],
)  # fmt: skip
def test_what_arrives_and_what_becomes_of_the_claim(
    ground: Ground,
    payer: str,
    first: Sequence[Push],
    then: Sequence[Push],
    claim: Push,
    before: str,
    done: list[str],
    now: str,
) -> None:
    """Whatever can be paid is; what an examiner must look at is offered; the rest is left alone."""

    async def scenario(desk: Office) -> None:
        for version, each in enumerate(first, start=1):
            await desk.push(version, **each)
        answer = await desk.adjudicate(line=claim)
        assert dispositions(answer) == [before]
        for version, each in enumerate(then, start=len(first) + 1):
            await desk.push(version, **each)

        assert await desk.work() == done
        assert await desk.stored() == [now]
        assert (await desk.item() is not None) == ("worklist" in done)
        assert await desk.queued() == 0

    run(ground, payer, scenario, late_authorizations="automatic")


def test_what_is_resolved_automatically_needs_no_examiner(
    ground: Ground, payer: str, tmp_path: Path
) -> None:
    """Where the template takes what fits in part by itself."""
    folder = write_rules("in part is taken automatically", tmp_path / "rules")
    rules = load_rules(Settings(queries_dir=folder))

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push(effective={"from": "2026-03-01", "to": "2026-05-31"}, place_of_service="22")
        assert await desk.work() == ["automatic"]
        assert await desk.stored() == ["pay"]

    run(ground, payer, scenario, rules=rules, late_authorizations="automatic")


def test_days_that_nothing_covered_are_covered_later(
    ground: Ground, payer: str, tmp_path: Path
) -> None:
    """A stay runs over the end of an authorization; the one for the rest of it comes late."""
    rules = load_rules(
        Settings(queries_dir=write_rules("in part is taken automatically", tmp_path / "rules"))
    )
    stay = {"from": "2026-03-29", "to": "2026-04-02", "units": "5", "unit": "DA"}
    days: Push = {"line": {"limits": {"units": "10", "unit": "DA"}}}

    async def scenario(desk: Office) -> None:
        march = {"effective": {"from": "2026-03-01", "to": "2026-03-31"}, **days}
        await desk.push(authorization_id="MARCH", **march)
        assert dispositions(await desk.adjudicate(line=stay)) == ["cut_back"]
        april = {"effective": {"from": "2026-04-01", "to": "2026-04-30"}, **days}
        await desk.push(authorization_id="APRIL", **april)

        assert await desk.work() == ["automatic"]
        assert await desk.stored() == ["pay"]
        assert (await desk.used("MARCH"), await desk.used("APRIL")) == (3, 2)

    run(ground, payer, scenario, rules=rules, late_authorizations="automatic")


def test_a_claim_with_a_line_for_an_examiner_goes_to_him_as_a_whole(
    ground: Ground, payer: str
) -> None:
    """Also where another line could be paid; he sees both."""
    lines = [{"procedure": "97112"}, {"procedure": "97112", "from": "2026-03-02"}]

    async def scenario(desk: Office) -> None:
        await desk.adjudicate(lines=lines)
        await desk.push(effective={"from": "2026-03-05", "to": "2026-05-31"})
        assert await desk.work() == ["worklist"]
        item = await desk.item()
        assert item is not None
        assert [(each["line"], each["now"]["disposition"]) for each in item.lines] == [
            (1, "pay"),
            (2, "suspend"),
        ]

    run(ground, payer, scenario, late_authorizations="automatic")


def test_a_claim_that_would_lose_something_is_not_touched_by_itself(
    ground: Ground, payer: str
) -> None:
    """What the paid line was drawn from is denied by now: an examiner sees both lines."""

    async def scenario(desk: Office) -> None:
        await desk.push(lines=[{"procedure": {"from": "97112"}}])
        answer = await desk.adjudicate(lines=[{}, {"procedure": "97012"}])
        assert dispositions(answer) == ["pay", "suspend"]
        await desk.push(2, lines=[{"procedure": {"from": "97112"}}], **DENIED)
        await desk.push(authorization_id="A2", line={"procedure": {"from": "97012"}})

        assert await desk.work() == ["worklist"]
        item = await desk.item()
        assert item is not None
        assert [(each["line"], each["better"]) for each in item.lines] == [(1, False), (2, True)]
        assert await desk.used() == 1

    run(ground, payer, scenario, late_authorizations="automatic")


@pytest.mark.parametrize(
    ("stage", "keep", "done", "status"),
    [
        ("preliminary", None, ["automatic"], "reserved"),
        ("final", None, ["automatic"], "used"),
        ("finalized", None, ["automatic"], "used"),
        ("final", "1", ["worklist"], "used"),
    ],
)
def test_a_claim_keeps_what_it_is(
    ground: Ground, payer: str, stage: str, keep: str | None, done: list[str], status: str
) -> None:
    """Reserved stays reserved, used stays used; what a step took back is not drawn by itself."""
    lines = [{"units": "4"}, {"procedure": "97012"}]
    is_finalized = stage == "finalized"

    async def scenario(desk: Office) -> None:
        sent: Push = {"lines": lines, "stage": "preliminary" if is_finalized else stage}
        await desk.push(lines=[{"procedure": {"from": "97112"}, **LIMIT_4}])
        assert dispositions(await desk.adjudicate(**sent)) == ["pay", "suspend"]
        if is_finalized:
            await desk.change("finalize")
        if keep is not None:
            await desk.change("adjust", lines=[{"line": 1, "units": keep}])
        await desk.push(authorization_id="A2", line={"procedure": {"from": "97012"}})

        assert await desk.work() == done
        again = await desk.adjudicate(**sent)
        assert (again["status"], again["replayed"]) == (status, True)
        assert await desk.stored() == ["pay", "suspend" if "worklist" in done else "pay"]

    run(ground, payer, scenario, late_authorizations="automatic")


def test_nothing_is_looked_for_where_it_is_switched_off(ground: Ground, payer: str) -> None:
    """The claim waits all the same: once it is on, the next push finds it."""

    async def off(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push(line=LIMIT_4)
        assert (await desk.waiting(), await desk.queued()) == (["C-1"], 0)

    async def on(desk: Office) -> None:
        assert await desk.push(line=LIMIT_4) == "unchanged"
        assert await desk.work() == ["worklist"]

    run(ground, payer, off, late_authorizations="off")
    run(ground, payer, on)
