"""Units come back, and claims that wait for them are found as if an authorization had arrived."""

import time
from typing import Any

import pytest

from service.application import resolutions
from service.domain.decision import Resolution
from service.domain.work_item import offer_item
from tests.ground import Ground
from tests.late.office import Office, run

TEN: dict[str, Any] = {"line": {"limits": {"units": "10", "unit": "UN"}}}
FIRST: dict[str, Any] = {"line": {"units": "10"}}
WAITS: dict[str, Any] = {"claim_id": "C-2", "line": {"units": "4"}}
YEAR_MS = 365 * 24 * 3600 * 1000
Way = tuple[str, dict[str, Any]]


async def give_back(desk: Office, way: Way) -> None:
    """Take a step of the life of C-1, or send a claim that takes units off it."""
    what, given = way
    if what == "claim":
        await desk.adjudicate(**given)
    else:
        await desk.change(what, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stage", "way", "units"),
    [
        ("final", ("reverse", {}), "4"),
        ("preliminary", ("release", {}), "4"),
        ("final", ("adjust", {"lines": [{"line": 1, "units": "8"}]}), "2"),
        ("preliminary", ("finalize", {"lines": [{"line": 1, "units": "7"}]}), "3"),
        (
            "final",
            ("claim", {"claim_id": "C-3", "frequency": "8", "original_claim_id": "C-1"}),
            "4",
        ),
        (
            "final",
            (
                "claim",
                {
                    "claim_id": "C-3",
                    "frequency": "7",
                    "original_claim_id": "C-1",
                    "line": {"units": "9"},
                },
            ),
            "1",
        ),
        ("final", ("claim", {"version": 2, "line": {"units": "8"}}), "2"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else None,
)
def test_a_claim_that_waits_is_found(
    ground: Ground, payer: str, stage: str, way: Way, units: str
) -> None:
    """However the units come back; an examiner sees what would be paid now."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        await desk.adjudicate(**FIRST, stage=stage)
        await desk.adjudicate(**WAITS)
        assert await desk.work() == []

        await give_back(desk, way)
        assert await desk.work() == ["worklist"]

        item = await desk.item("C-2")
        assert item is not None
        assert (item.state, dict(item.authorizations)) == ("open", {"A1": 1})
        assert [line["now"]["approved"]["units"] for line in item.lines] == [units]
        assert (await desk.work(), await desk.queued()) == ([], 0)

    run(ground, payer, scenario)


@pytest.mark.parametrize(
    ("waits", "way"),
    [
        # Nobody waits, nobody of this member does, or only the claim itself.
        ({"claim_id": "C-2", "frequency": "0"}, ("reverse", {})),
        ({**WAITS, "member": {"id": "M0002"}}, ("reverse", {})),
        (None, ("adjust", {"lines": [{"line": 1, "units": "3"}]})),
        # Nothing comes back.
        (WAITS, ("finalize", {})),
        (WAITS, ("claim", {**FIRST, "version": 2})),
        (WAITS, ("claim", {"claim_id": "C-3"})),
    ],
)
def test_nobody_is_looked_at_for_nothing(
    ground: Ground, payer: str, waits: dict[str, Any] | None, way: Way
) -> None:
    """The queue stays empty."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        units = "12" if waits is None else "10"
        await desk.adjudicate(line={"units": units})
        if waits is not None:
            await desk.adjudicate(**waits)

        await give_back(desk, way)
        assert await desk.queued() == 0

    run(ground, payer, scenario)


def test_what_was_dismissed_comes_back_with_more_units(ground: Ground, payer: str) -> None:
    """Not with as many as were there when somebody dismissed it."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        await desk.adjudicate(**FIRST)
        await desk.adjudicate(**WAITS)
        await desk.change("adjust", lines=[{"line": 1, "units": "9"}])
        assert await desk.work() == ["worklist"]
        decision = Resolution(action="no-action", by="jo")
        await resolutions.resolve(desk.caller, offer_item("C-2"), decision, None)

        await desk.adjudicate(claim_id="C-3", line={"units": "1"})
        await desk.change("reverse", "C-3")
        assert await desk.work() == []
        await desk.change("adjust", lines=[{"line": 1, "units": "7"}])
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)


def test_what_needs_no_examiner_is_drawn_by_itself(ground: Ground, payer: str) -> None:
    """Where that is configured; and it frees nothing, so that it ends there."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        await desk.adjudicate(**FIRST)
        await desk.adjudicate(**WAITS)
        await desk.change("reverse")

        assert await desk.work() == ["automatic"]
        assert (await desk.used(), await desk.waiting(), await desk.queued()) == (4, [], 0)

    run(ground, payer, scenario, late_authorizations="automatic")


def test_a_claim_that_was_at_rest_gives_back_as_well(ground: Ground, payer: str) -> None:
    """It comes back from the archive for that, and its units are offered."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        await desk.adjudicate(**FIRST, stage="preliminary")
        await desk.adjudicate(**WAITS)
        await desk.stores.projection.project(desk.payer)
        later = int(time.time() * 1000) + YEAR_MS
        await desk.stores.resting.rest(desk.payer, now_ms=later)

        await desk.change("release")
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)


def test_it_is_switched_off_with_late_authorizations(ground: Ground, payer: str) -> None:
    """Then nothing is noted."""

    async def scenario(desk: Office) -> None:
        await desk.push(**TEN)
        await desk.adjudicate(**FIRST)
        await desk.adjudicate(**WAITS)
        await desk.change("reverse")
        assert await desk.queued() == 0

    run(ground, payer, scenario, late_authorizations="off")
