"""What an authorization takes back: its claims go to the worklist, and keep what they hold."""

from typing import Any

import pytest

from service.application import resolutions
from service.domain.decision import Resolution
from service.domain.work_item import offer_item
from tests.ground import Ground
from tests.late.office import Office, dispositions, run

LINE: dict[str, Any] = {
    "procedure": {"from": "97110"},
    "limits": {"units": "9", "unit": "UN"},
}
SPRING = {"from": "2026-02-01", "to": "2026-06-30"}
WINTER = {"from": "2026-02-01", "to": "2026-02-28"}
CLAIM: dict[str, Any] = {"procedure": "97110", "units": "4"}


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"effective": WINTER}, "suspend"),
        ({"decision": {"action": "A3"}}, "suspend"),
        ({"lines": [{"procedure": {"from": "97140"}}]}, "suspend"),
        ({"lines": [LINE | {"removed_on": "2026-03-01"}]}, "suspend"),
        ({"lines": [LINE, LINE | {"procedure": {"from": "97140"}}]}, None),
        ({"lines": [LINE | {"limits": {"units": "1", "unit": "UN"}}]}, None),
        ({"effective": {"from": "2026-03-12", "to": "2026-03-12"}}, None),
        ({"effective": {"from": "2026-01-01"}}, None),
    ],
)
def test_what_is_taken_back_is_shown_to_an_examiner(
    ground: Ground, payer: str, change: dict[str, Any], now: str | None
) -> None:
    """End, decision or line; not what is only limited, or holds longer or still the day."""

    async def scenario(desk: Office) -> None:
        await desk.push(effective=SPRING, lines=[LINE])
        answer = await desk.adjudicate(line=CLAIM)
        assert dispositions(answer) == ["pay"]
        await desk.push(2, **{"effective": SPRING, "lines": [LINE]} | change)
        assert await desk.work() == []

        item = await desk.item()
        if now is None:
            assert item is None
            return
        assert item is not None
        assert (item.kind, dict(item.authorizations)) == ("falls-outside", {"A1": 2})
        (line,) = item.lines
        assert (line["line"], line["better"], line["authorizations"]) == (1, False, ["A1"])
        assert (line["before"]["disposition"], line["now"]["disposition"]) == ("pay", now)
        claim = await desk.stores.accumulators.read_claim(desk.payer, "C-1")
        assert sum(row.units for row in claim.rows) > 0

        await desk.push(2, **{"effective": SPRING, "lines": [LINE]} | change)
        await desk.work()
        assert await desk.item() == item

    run(ground, payer, scenario)


def test_an_examiner_adjudicates_it_anew(ground: Ground, payer: str) -> None:
    """Then it gives back what it held, and the item is done."""

    async def scenario(desk: Office) -> None:
        await desk.push(effective=SPRING, lines=[LINE])
        await desk.adjudicate(line=CLAIM)
        await desk.push(2, effective=WINTER, lines=[LINE])
        await desk.work()

        decision = Resolution(action="readjudicate", by="jo", reason="the end was moved")
        made = await resolutions.resolve(desk.caller, offer_item("C-1"), decision, None)
        assert made.done is not None
        assert [line["disposition"] for line in made.done.answer["lines"]] == ["suspend"]
        assert made.listed.item.state == "done"
        assert await desk.used() == 0

    run(ground, payer, scenario)


def test_a_replacement_that_has_no_room_for_it_shows_it(ground: Ground, payer: str) -> None:
    """Its use went over, and its day is not covered there."""

    async def scenario(desk: Office) -> None:
        await desk.push(effective=SPRING, lines=[LINE])
        await desk.adjudicate(line=CLAIM)
        later = {"from": "2026-04-01", "to": "2026-06-30"}
        await desk.push(authorization_id="A2", supersedes="A1", effective=later, lines=[LINE])
        await desk.work()

        item = await desk.item()
        assert item is not None
        assert (item.kind, dict(item.authorizations)) == ("falls-outside", {"A2": 1})
        assert (await desk.used("A1"), await desk.used("A2")) == (0, 4)

    run(ground, payer, scenario)
