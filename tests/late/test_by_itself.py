"""What comes on the worklist without a claim and without a person: overlaps, and dead letters."""

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.application import intake, resolutions, worklist
from service.domain.decision import Raised, Resolution
from service.domain.submission import DeadLetter
from service.domain.work_item import letter_item
from service.settings import Settings
from tests.api.bodies import authorization_body
from tests.ground import Ground, version_of
from tests.late.examiners import items
from tests.late.office import Office, run

LEFT = Resolution(action="no-action")


async def pushed(desk: Office, name: str, version: int = 1, **changes: Any) -> None:
    """Push a grant of the same under a number of its own, by the door."""
    given = version_of(version, authorization_id=name, number=f"N-{name}", **changes)
    await desk.stores.entrance.push(desk.payer, [given])


def test_grants_that_overlap_are_an_item_while_they_do(ground: Ground, payer: str) -> None:
    """Both are named, once; what was left so comes back with another version."""

    async def scenario(desk: Office) -> None:
        await pushed(desk, "A1")
        assert await items(desk.caller) == []
        for _ in range(2):
            await pushed(desk, "A2")
        (item,) = await items(desk.caller)
        assert (item.kind, dict(item.authorizations)) == ("overlap", {"A2": 1, "A1": 1})
        assert set(worklist.allowed(desk.caller, item)) == {"request-information", "no-action"}
        await resolutions.resolve(desk.caller, item.item_id, LEFT, item.tag)
        await pushed(desk, "A1", 2)
        (again,) = await items(desk.caller)
        assert (again.item_id, dict(again.authorizations)) == (item.item_id, {"A2": 1, "A1": 2})
        await pushed(desk, "A3")
        assert len(await items(desk.caller)) == 2

        await pushed(desk, "A2", 2, effective={"from": "2027-06-01", "to": "2027-12-31"})

        (left,) = await items(desk.caller)
        assert set(left.authorizations) >= {"A1", "A3"}
        closed = (await worklist.read(desk.caller, item.item_id)).item
        assert (closed.state, closed.by) == ("done", None)

    run(ground, payer, scenario)


def letter(reason: str = "no kind") -> DeadLetter:
    """Something that could not be taken."""
    body = b'{"authorization_id": "W-1"}'
    return DeadLetter(
        format="json",
        content=body,
        content_bytes=len(body),
        code="invalid",
        reason=reason,
        origin="PUT /authorizations/W-1",
    )


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules of a payer who wants dead letters on the worklist, and no overlaps."""
    folder = tmp_path_factory.mktemp("chosen") / "queries"
    shutil.copytree(Settings().queries_dir, folder)
    table = folder / "reference" / "worklist.yaml"
    text = table.read_text(encoding="utf-8")
    assert "by_itself: [overlap]" in text
    table.write_text(text.replace("by_itself: [overlap]", "by_itself: [dead-letter]"), "utf-8")
    return folder


@pytest.mark.parametrize("how", ["retried", "corrected", "dropped"])
def test_a_dead_letter_is_an_item_until_it_is_seen_to(
    ground: Ground, payer: str, chosen: Path, how: str
) -> None:
    """By whoever does that; one that comes again is open again."""

    async def scenario(desk: Office) -> None:
        (name,) = await desk.stores.letters.keep(payer, [letter()])
        (item,) = await items(desk.caller)
        assert (item.kind, item.letter, item.priority) == ("dead-letter", name, 3)
        if how == "dropped":
            await intake.drop(desk.caller, name, by="lee", why="nobody wants it")
        else:
            mended = orjson.dumps(authorization_body(authorization_id="W-1"))
            given = None if how == "retried" else mended
            retried = await intake.retry(desk.caller, name, corrected=given, by="lee")
            assert (retried.letter.status == "resolved") == (how == "corrected")
        left = await items(desk.caller)
        assert len(left) == (how == "retried")
        if how != "retried":
            closed = (await worklist.read(desk.caller, item.item_id)).item
            assert (closed.state, closed.on_behalf_of) == ("done", "lee")
            await desk.stores.letters.keep(payer, [letter()])
            (again,) = await items(desk.caller)
            assert again.item_id == item.item_id

    run(ground, payer, scenario, queries_dir=chosen)


def test_what_a_person_left_so_stays_so(ground: Ground, payer: str, chosen: Path) -> None:
    """However often the letter comes; of overlaps this payer wants none."""

    async def scenario(desk: Office) -> None:
        await pushed(desk, "A1")
        await pushed(desk, "A2")
        await desk.stores.letters.keep(payer, [letter()])
        (item,) = await items(desk.caller)
        await resolutions.resolve(desk.caller, item.item_id, LEFT, item.tag)
        await desk.stores.letters.keep(payer, [letter()])
        assert await items(desk.caller) == []

    run(ground, payer, scenario, queries_dir=chosen)


def test_a_letter_that_a_person_put_there_goes_with_it(ground: Ground, payer: str) -> None:
    """Also where the payer wants none by themselves; one that is closed behind it is not shown."""

    async def scenario(desk: Office) -> None:
        (name,) = await desk.stores.letters.keep(payer, [letter()])
        assert await items(desk.caller) == []
        asked = Raised(kind="dead-letter", letter=name, reason="who knows?")
        raised = (await worklist.raise_item(desk.caller, asked)).item
        assert raised.item_id == letter_item(name)
        await intake.drop(desk.caller, name, by=None, why="nobody")
        assert await items(desk.caller) == []
        assert (await worklist.raise_item(desk.caller, asked)).item.state == "done"

    run(ground, payer, scenario)
